// Making, checking and taking in preshared files, one segment at a time.
#include "kme/preshare.h"

#include <algorithm>

#include "base/limits.h"
#include "kme/padded_hash.h"
#include "mac/mac.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::string_view kMagic = "WRFPRESH";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint64_t kHeaderBytes = 98;
constexpr std::uint64_t kTrailerBytes = 2 * mac::kBlockBytes;
constexpr std::uint64_t kMaxLength = 1ULL << 44;

Bytes encode(const PresharePlan& plan, os::UnixMs created) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.u16(kVersion);
  writer.id(plan.link);
  writer.site(plan.a);
  writer.site(plan.b);
  writer.u64(plan.base_ab.value);
  writer.u64(plan.base_ba.value);
  writer.u64(plan.length_ab);
  writer.u64(plan.length_ba);
  writer.i64(created.value);
  WARIFU_CHECK(writer.bytes().size() == kHeaderBytes);
  return writer.take();
}

Result<PresharePlan> decode(ByteView header, const std::string& path) {
  wire::Reader reader(header, "preshared file '" + path + "'");
  if (as_text(reader.raw(kMagic.size())) != kMagic) reader.reject("wrong magic");
  if (reader.u16() != kVersion) reader.reject("unknown version");
  PresharePlan plan;
  plan.link = reader.id<LinkId>();
  plan.a = reader.site();
  plan.b = reader.site();
  plan.base_ab = {reader.u64()};
  plan.base_ba = {reader.u64()};
  plan.length_ab = reader.u64();
  plan.length_ba = reader.u64();
  if (plan.length_ab > kMaxLength || plan.length_ba > kMaxLength)
    reader.reject("impossible length");
  (void)reader.i64();  // when it was made: for people
  if (auto good = reader.finish(); !good) return fail(Code::kCorrupt, good.error().message);
  return plan;
}

struct OutputPair {
  os::System system;
  std::string paths[2];
  std::unique_ptr<os::File> files[2];
  std::uint64_t at = 0;
  bool kept = false;

  ~OutputPair() {
    if (kept) return;
    for (int i = 0; i < 2; ++i) {
      if (files[i] != nullptr) (void)system.files.remove(paths[i]);  // best effort after an error
    }
  }
  Result<> open() {
    for (int i = 0; i < 2; ++i) {
      TRY(system.files.make_directories(os::parent_of(paths[i])));
      TRY_ASSIGN(files[i], system.files.open(paths[i], os::OpenMode::kCreate));
    }
    return {};
  }
  Result<> write(ByteView bytes) {
    for (const auto& file : files) TRY(file->write_at(at, bytes));
    at += bytes.size();
    return {};
  }
  void finish() {
    for (int i = 0; i < 2; ++i) {
      files[i]->sync();
      system.files.sync_dir(os::parent_of(paths[i]));
    }
    kept = true;
  }
};

// Calls step(direction 0 or 1, offset in that direction, size) for every segment of the plan.
template <typename Step>
Result<> for_each_segment(const PresharePlan& plan, Step step) {
  for (int direction = 0; direction < 2; ++direction) {
    const std::uint64_t length = direction == 0 ? plan.length_ab : plan.length_ba;
    for (std::uint64_t at = 0; at < length; at += limits::kSegmentBytes) {
      TRY(step(direction, at, std::min<std::uint64_t>(limits::kSegmentBytes, length - at)));
    }
  }
  return {};
}

Result<> verify_file(os::File& file, const PresharePlan& plan, const FileProgress& progress,
                     std::uint64_t total) {
  TRY_ASSIGN(const std::uint64_t size, file.size());
  const std::uint64_t expected = kHeaderBytes + plan.length_ab + plan.length_ba + kTrailerBytes;
  if (size != expected) {
    return fail(Code::kCorrupt, "preshared file '" + file.path() + "' has " + std::to_string(size) +
                                    " bytes, its header says " + std::to_string(expected));
  }
  secret::Buffer trailer(kTrailerBytes);
  TRY(file.read_exact_at(size - kTrailerBytes, trailer.bytes()));
  const mac::Key key(trailer.bytes().first(mac::kBlockBytes));
  mac::Hasher hasher(key);
  Bytes header(kHeaderBytes);
  TRY(file.read_exact_at(0, header));
  hash_padded(hasher, header);
  std::uint64_t at = kHeaderBytes;
  TRY(for_each_segment(plan, [&](int, std::uint64_t, std::uint64_t length) -> Result<> {
    secret::Buffer piece(length);
    TRY(file.read_exact_at(at, piece.bytes()));
    hash_padded(hasher, piece.bytes());
    at += length;
    if (progress) progress((at - kHeaderBytes) / 2, total);
    return {};
  }));
  if (!secret::equal(hasher.finish(), trailer.bytes().subspan(mac::kBlockBytes))) {
    return fail(Code::kCorrupt, "preshared file '" + file.path() + "' is damaged");
  }
  return {};
}

}  // namespace

Result<> make_preshare(os::System system, const PresharePlan& plan, const std::string& path_a,
                       const std::string& path_b, const FileProgress& progress) {
  OutputPair out{.system = system, .paths = {path_a, path_b}};
  TRY(out.open());
  secret::Buffer key_bytes(mac::kBlockBytes);
  system.random.fill(key_bytes.bytes());
  const mac::Key key(key_bytes.bytes());
  mac::Hasher hasher(key);
  const Bytes header = encode(plan, system.clock.now());
  hash_padded(hasher, header);
  TRY(out.write(header));
  const std::uint64_t total = plan.length_ab + plan.length_ba;
  TRY(for_each_segment(plan, [&](int, std::uint64_t, std::uint64_t length) -> Result<> {
    secret::Buffer piece(length);
    system.random.fill(piece.bytes());
    hash_padded(hasher, piece.bytes());
    TRY(out.write(piece.bytes()));
    if (progress) progress(out.at - kHeaderBytes, total);
    return {};
  }));
  TRY(out.write(key_bytes.bytes()));
  TRY(out.write(hasher.finish()));
  out.finish();
  return {};
}

Result<PresharePlan> read_preshare_plan(os::System system, const std::string& path) {
  TRY_ASSIGN(const auto file, system.files.open(path, os::OpenMode::kRead));
  Bytes header(kHeaderBytes);
  TRY(file->read_exact_at(0, header));
  return decode(header, path);
}

Result<> verify_preshare(os::System system, const std::string& path) {
  TRY_ASSIGN(const PresharePlan plan, read_preshare_plan(system, path));
  TRY_ASSIGN(const auto file, system.files.open(path, os::OpenMode::kRead));
  return verify_file(*file, plan, {}, 0);
}

Result<> import_preshare(os::System system, const std::string& path, const SiteName& self,
                         keypool::Pool& send, keypool::Pool& receive,
                         const FileProgress& progress) {
  TRY_ASSIGN(const PresharePlan plan, read_preshare_plan(system, path));
  if (plan.link != send.link() || (self != plan.a && self != plan.b)) {
    return fail(Code::kInvalidArgument, "preshared file '" + path + "' is for the link " +
                                            plan.a.text() + "-" + plan.b.text() +
                                            ", not for this one");
  }
  const bool is_a = self == plan.a;
  keypool::Pool* pools[2] = {is_a ? &send : &receive, is_a ? &receive : &send};
  const PadOffset bases[2] = {plan.base_ab, plan.base_ba};
  const std::uint64_t lengths[2] = {plan.length_ab, plan.length_ba};
  for (int i = 0; i < 2; ++i) {
    const PadOffset end = pools[i]->status().synced_end;
    if (end < bases[i] || end.value > bases[i].value + lengths[i]) {
      return fail(Code::kRefused, "preshared file '" + path +
                                      "' does not continue this link's stream: it starts at " +
                                      std::to_string(bases[i].value) + ", the pool ends at " +
                                      std::to_string(end.value));
    }
    for (const auto& entry : pools[i]->segments()) {  // of an import that a crash cut short
      if (entry.state == keypool::SegmentState::kIngested) TRY(pools[i]->discard(entry.number));
    }
  }
  TRY_ASSIGN(const auto file, system.files.open(path, os::OpenMode::kRead));
  const std::uint64_t total = lengths[0] + lengths[1];
  TRY(verify_file(*file, plan, progress, total));
  std::uint64_t done = 0;
  return for_each_segment(plan, [&](int i, std::uint64_t at, std::uint64_t size) -> Result<> {
    const PadOffset base = bases[i] + ByteCount{at};
    if (base >= pools[i]->status().synced_end) {
      secret::Buffer piece(size);
      const std::uint64_t before = i == 0 ? 0 : lengths[0];
      TRY(file->read_exact_at(kHeaderBytes + before + at, piece.bytes()));
      const SegmentNumber number = pools[i]->next_segment();
      TRY(pools[i]->ingest(number, keypool::Origin::kPreshared, piece.bytes()));
      TRY(pools[i]->mark_synced(number, base));
    }
    done += size;
    if (progress) progress(total / 2 + done / 2, total);
    return {};
  });
}

Result<> wipe_preshare(os::System system, const std::string& path) {
  TRY_ASSIGN(const auto file, system.files.open(path, os::OpenMode::kReadWrite));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  const Bytes zeros(1 << 20);
  for (std::uint64_t at = 0; at < size; at += zeros.size()) {
    TRY(file->write_at(at,
                       ByteView(zeros).first(std::min<std::uint64_t>(zeros.size(), size - at))));
  }
  file->sync();
  TRY(system.files.remove(path));
  system.files.sync_dir(os::parent_of(path));
  return {};
}

}  // namespace warifu::kme
