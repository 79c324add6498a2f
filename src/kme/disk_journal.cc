// State file and copy of the manifest.
#include "kme/disk_journal.h"

#include "os/folders.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::string_view kMagic = "WRFDISKJ";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint64_t kMostStateBytes = 8192;
constexpr std::size_t kMostPathBytes = 4096;
enum Flag : std::uint8_t { kWipe = 1, kDone = 2 };

Bytes encode(const DiskState& state) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.u16(kVersion);
  writer.id(state.set);
  writer.u8(static_cast<std::uint8_t>((state.wipe ? kWipe : 0) | (state.done ? kDone : 0)));
  writer.u32(state.until);
  writer.u32(state.agreed);
  writer.id(state.finished);
  writer.text(state.path);
  writer.checksum();
  return writer.take();
}

Result<DiskState> decode(ByteView bytes, const std::string& path) {
  const auto body = wire::before_checksum(bytes);
  if (!body) return fail(Code::kCorrupt, "'" + path + "' is damaged");
  wire::Reader reader(*body, "'" + path + "'");
  if (as_text(reader.raw(kMagic.size())) != kMagic) reader.reject("wrong magic");
  if (reader.u16() != kVersion) reader.reject("unknown version");
  DiskState state;
  state.set = reader.id<DiskSetId>();
  const std::uint8_t flags = reader.u8();
  state.wipe = (flags & kWipe) != 0;
  state.done = (flags & kDone) != 0;
  state.until = reader.u32();
  state.agreed = reader.u32();
  state.finished = reader.id<DiskSetId>();
  state.path = reader.text(kMostPathBytes);
  if (auto good = reader.finish(); !good) return fail(Code::kCorrupt, good.error().message);
  return state;
}

}  // namespace

Result<DiskJournal> DiskJournal::open(os::FileSystem& files, std::string folder) {
  DiskJournal journal(files, std::move(folder));
  const std::string path = journal.folder_ + "/state";
  if (!files.exists(path)) return journal;
  TRY_ASSIGN(const Bytes bytes, os::read_file(files, path, kMostStateBytes));
  TRY_ASSIGN(journal.state_, decode(bytes, path));
  if (journal.state_.set.is_zero()) return journal;
  TRY_ASSIGN(journal.manifest_,
             read_manifest_file(files, journal.folder_ + "/manifest-" + journal.state_.set.text()));
  const std::size_t pieces = journal.manifest_.pieces.size();
  if (journal.manifest_.set != journal.state_.set || journal.state_.agreed > pieces ||
      journal.state_.until > pieces) {
    return fail(Code::kCorrupt, "'" + path + "' does not fit the manifest beside it");
  }
  return journal;
}

Result<> DiskJournal::begin(const DiskManifest& manifest, const DiskState& state) {
  TRY(os::make_folder(*files_, folder_));
  const DiskSetId old = state_.set;
  TRY(os::replace_file(*files_, folder_ + "/manifest-" + manifest.set.text(),
                       kme::encode(manifest)));
  TRY(change(state));
  manifest_ = manifest;
  if (!old.is_zero() && old != manifest.set) {
    TRY(files_->remove(folder_ + "/manifest-" + old.text()));
  }
  return {};
}

Result<> DiskJournal::change(const DiskState& state) {
  if (state.path.size() > kMostPathBytes) {
    return fail(Code::kInvalidArgument, "the path of the disk set is too long");
  }
  TRY(os::replace_file(*files_, folder_ + "/state", encode(state)));
  state_ = state;
  return {};
}

}  // namespace warifu::kme
