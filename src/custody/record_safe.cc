// Files of kept shares.
#include "custody/record_safe.h"

#include "os/folders.h"
#include "wire/wire.h"

namespace warifu::custody {
namespace {

constexpr std::string_view kMagic = "WRFSAFE1";
constexpr std::string_view kEnding = ".record";
constexpr std::size_t kMaxFileBytes = 4096;

}  // namespace

std::string RecordSafe::path_of(const ObjectId& object) const {
  return dir_ + "/" + object.text() + std::string(kEnding);
}

Result<KeptShare> RecordSafe::read(const std::string& path) const {
  TRY_ASSIGN(Bytes bytes, os::read_file(system_.files, path, kMaxFileBytes));
  const auto read_all = [&]() -> Result<KeptShare> {
    const auto body = wire::before_checksum(bytes);
    if (!body) return fail(Code::kCorrupt, "'" + path + "' is damaged");
    wire::Reader reader(*body, "'" + path + "'");
    if (as_text(reader.raw(kMagic.size())) != kMagic) reader.reject("wrong magic");
    const ByteView inner = reader.blob(kMaxFileBytes);
    if (const auto read = reader.finish(); !read) return fail(Code::kCorrupt, read.error().message);
    auto kept = decode_kept(inner);
    if (!kept) return fail(Code::kCorrupt, "'" + path + "': " + kept.error().message);
    if (path != path_of(kept->object)) {
      return fail(Code::kCorrupt, "'" + path + "' has another file's name");
    }
    return kept;
  };
  auto kept = read_all();
  secret::wipe(bytes);
  return kept;
}

Result<std::unique_ptr<RecordSafe>> RecordSafe::open(os::System system, const std::string& dir) {
  std::unique_ptr<RecordSafe> safe(new RecordSafe(system, dir));
  TRY(os::make_folder(system.files, dir));
  TRY_ASSIGN(const auto names, system.files.list(dir));
  for (const std::string& name : names) {
    if (!name.ends_with(kEnding)) continue;
    const auto kept = safe->read(dir + "/" + name);
    if (!kept) {
      safe->problems_.push_back(kept.error().message);
      continue;
    }
    safe->kept_.emplace(kept->object, kept->owner);
  }
  return safe;
}

Result<> RecordSafe::put(const KeptShare& kept) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  Bytes inner = encode(kept);
  writer.blob(inner);
  secret::wipe(inner);
  writer.checksum();
  Bytes file = writer.take();
  const std::lock_guard lock(mutex_);
  const auto written = os::replace_file(system_.files, path_of(kept.object), file);
  secret::wipe(file);
  TRY(written);
  kept_.insert_or_assign(kept.object, kept.owner);
  return {};
}

Result<Pseudonym> RecordSafe::owner(const ObjectId& object) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(object);
  if (found == kept_.end()) {
    return fail(Code::kNotFound, "no record of object " + object.text() + " is kept here");
  }
  return found->second;
}

Result<KeptShare> RecordSafe::get(const ObjectId& object) {
  TRY(owner(object));
  return read(path_of(object));
}

Result<> RecordSafe::forget(const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  if (!kept_.contains(object)) return {};
  TRY(system_.files.remove(path_of(object)));
  kept_.erase(object);
  return {};
}

std::uint64_t RecordSafe::count() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

}  // namespace warifu::custody
