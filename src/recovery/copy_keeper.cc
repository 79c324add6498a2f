// Files of kept shares.
#include "recovery/copy_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "os/folders.h"
#include "wire/wire.h"

namespace warifu::recovery {
namespace {

constexpr std::string_view kKeptMagic = "WRFCOPY1";
constexpr std::size_t kMostHeadBytes = 256;
constexpr std::string_view kEnding = ".copy";

struct KeptFile {
  CopyHead head;
  Bytes share;
};

Bytes encode_file(const CopyHead& head, ByteView share) {
  wire::Writer writer;
  writer.raw(as_bytes(kKeptMagic));
  writer.blob(encode(head));
  writer.raw(share);
  writer.checksum();
  return writer.take();
}

Result<KeptFile> decode_file(ByteView bytes, const std::string& path) {
  const auto body = wire::before_checksum(bytes);
  if (!body) return fail(Code::kCorrupt, "'" + path + "' is damaged");
  wire::Reader reader(*body, "'" + path + "'");
  if (as_text(reader.raw(kKeptMagic.size())) != kKeptMagic) reader.reject("wrong magic");
  auto head = decode_copy_head(reader.blob(kMostHeadBytes));
  if (!head) return fail(Code::kCorrupt, head.error().message);
  const ByteView share = reader.raw(head->bytes);
  if (auto read = reader.finish(); !read) return fail(Code::kCorrupt, read.error().message);
  return KeptFile{*head, {share.begin(), share.end()}};
}

}  // namespace

std::string CopyKeeper::path_of(const CopyPlace& place) const {
  return fmt::format("{}/{:08x}-{:08x}{}", dir_, place.epoch, place.number, kEnding);
}

Result<std::unique_ptr<CopyKeeper>> CopyKeeper::open(os::System system, const std::string& dir) {
  std::unique_ptr<CopyKeeper> keeper(new CopyKeeper(system, dir));
  TRY(os::make_folder(system.files, dir));
  TRY_ASSIGN(const auto names, system.files.list(dir));
  for (const std::string& name : names) {
    if (!name.ends_with(kEnding)) continue;
    const std::string path = dir + "/" + name;
    TRY_ASSIGN(const Bytes bytes, os::read_file(system.files, path, kMaxGuardedBytes + 4096));
    auto kept = decode_file(bytes, path);
    if (kept && path != keeper->path_of(kept->head.place)) {
      kept = fail(Code::kCorrupt, "'" + path + "' has another file's name");
    }
    if (!kept) {
      keeper->problems_.push_back(kept.error().message);
      continue;
    }
    keeper->kept_.emplace(kept->head.place, kept->head);
  }
  const std::string leave = dir + "/leave";
  if (system.files.exists(leave)) {
    TRY_ASSIGN(const Bytes bytes, os::read_file(system.files, leave, 64));
    const auto body = wire::before_checksum(bytes);
    if (!body || body->size() != 8) {
      keeper->problems_.push_back("'" + leave + "' is damaged: no leave is given");
      return keeper;
    }
    wire::Reader reader(*body, "leave");
    keeper->leave_ = os::UnixMs{reader.i64()};
  }
  return keeper;
}

Result<> CopyKeeper::drop(const CopyPlace& place) {
  TRY(system_.files.remove(path_of(place)));
  kept_.erase(place);
  return {};
}

// Once an epoch is whole up to an end, those before it serve nobody.
Result<> CopyKeeper::drop_superseded(const CopyPlace& ended) {
  std::uint32_t count = 0;
  for (const auto& [place, head] : kept_) count += place.epoch == ended.epoch ? 1 : 0;
  if (count != ended.number + 1) return {};
  while (!kept_.empty() && kept_.begin()->first.epoch < ended.epoch) {
    TRY(drop(kept_.begin()->first));
  }
  return {};
}

Result<> CopyKeeper::put(const CopyHead& head, ByteView share) {
  if (share.size() != head.bytes) {
    return fail(Code::kInvalidArgument, "a share of a copy has another length than its head says");
  }
  const std::lock_guard lock(mutex_);
  if (!kept_.empty() && kept_.begin()->first.catalog != head.place.catalog) {
    return fail(Code::kRefused,
                "copies of another catalog are kept here: rebuild from them with 'warifu catalog "
                "rebuild', or give them up with 'warifu catalog forget' at this site");
  }
  CopyPlace before = head.place;
  if (head.place.number > 0) {
    --before.number;
    if (!kept_.contains(before)) {
      return fail(Code::kInvalidArgument, "the bundle before this one is not here");
    }
  }
  // Later ones of the epoch belong to another history.
  for (auto it = kept_.lower_bound(head.place);
       it != kept_.end() && it->first.epoch == head.place.epoch;
       it = kept_.lower_bound(head.place)) {
    TRY(drop(it->first));
  }
  TRY(os::replace_file(system_.files, path_of(head.place), encode_file(head, share)));
  kept_[head.place] = head;
  if (head.ends) TRY(drop_superseded(head.place));
  return {};
}

std::vector<CopyHead> CopyKeeper::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<CopyHead> heads;
  for (const auto& [place, head] : kept_) heads.push_back(head);
  return heads;
}

Result<secret::Buffer> CopyKeeper::get(const CopyPlace& place) {
  TRY(check_leave());
  const std::lock_guard lock(mutex_);
  if (!kept_.contains(place)) return fail(Code::kNotFound, "no such copy is kept here");
  const std::string path = path_of(place);
  TRY_ASSIGN(const Bytes bytes, os::read_file(system_.files, path, kMaxGuardedBytes + 4096));
  TRY_ASSIGN(const KeptFile kept, decode_file(bytes, path));
  return secret::Buffer::copy_of(kept.share);
}

Result<> CopyKeeper::allow_until(os::UnixMs until) {
  wire::Writer writer;
  writer.i64(until.value);
  writer.checksum();
  const std::lock_guard lock(mutex_);
  TRY(os::replace_file(system_.files, dir_ + "/leave", writer.bytes()));
  leave_ = until;
  return {};
}

std::optional<os::UnixMs> CopyKeeper::allowed_until() const {
  const std::lock_guard lock(mutex_);
  if (!leave_ || leave_->value <= system_.clock.now().value) return std::nullopt;
  return leave_;
}

Result<> CopyKeeper::check_leave() const {
  if (allowed_until()) return {};
  return fail(Code::kRefused, "an operator of this site must allow it first: warifu catalog allow");
}

Result<> CopyKeeper::forget() {
  const std::lock_guard lock(mutex_);
  while (!kept_.empty()) TRY(drop(kept_.begin()->first));
  system_.files.sync_dir(dir_);
  return {};
}

}  // namespace warifu::recovery
