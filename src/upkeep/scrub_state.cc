// The file.
#include "upkeep/scrub_state.h"

#include "base/log.h"
#include "base/reason.h"
#include "wire/wire.h"

namespace warifu::upkeep {
namespace {
constexpr std::string_view kMagic = "WRFSCRUB";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint64_t kMaxFileBytes = 8 << 20;
constexpr std::size_t kMaxWhyBytes = 500;
}  // namespace

Bytes encode(const ScrubState& state) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.u16(kVersion);
  writer.u64(state.passes);
  writer.i64(state.started.value);
  writer.i64(state.finished.value);
  writer.id(state.at);
  writer.u64(state.record);
  writer.u64(state.read_bytes);
  writer.u32(static_cast<std::uint32_t>(state.damage.size()));
  for (const auto& [share, damage] : state.damage) {
    writer.id(share);
    writer.i64(damage.found.value);
    writer.u8(damage.told ? 1 : 0);
    writer.text(error_text(error_of_text(Code::kCorrupt, damage.why), kMaxWhyBytes));
  }
  writer.checksum();
  return writer.take();
}

Result<ScrubState> decode_scrub_state(ByteView bytes) {
  const auto body = wire::before_checksum(bytes);
  if (!body) return fail(Code::kCorrupt, "the record of scrubbing has a wrong checksum");
  wire::Reader reader(*body, "record of scrubbing");
  if (as_text(reader.raw(kMagic.size())) != kMagic) reader.reject("wrong magic");
  if (reader.u16() != kVersion) reader.reject("unknown version");
  ScrubState state;
  state.passes = reader.u64();
  state.started = {reader.i64()};
  state.finished = {reader.i64()};
  state.at = reader.id<ShareId>();
  state.record = reader.u64();
  state.read_bytes = reader.u64();
  const std::uint32_t count = reader.u32();
  if (count > kMaxDamages) reader.reject("too many damaged shares");
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    const auto share = reader.id<ShareId>();
    ShareDamage damage;
    damage.found = {reader.i64()};
    damage.told = reader.u8() != 0;
    damage.why = reader.text(kMaxWhyBytes);
    state.damage[share] = std::move(damage);
  }
  TRY(reader.finish());
  return state;
}

Result<ScrubState> load_scrub_state(os::FileSystem& files, const std::string& path) {
  const auto bytes = os::read_file(files, path, kMaxFileBytes);
  if (!bytes && bytes.error().code == Code::kNotFound) return ScrubState();
  if (!bytes && bytes.error().code != Code::kCorrupt) return std::unexpected(bytes.error());
  auto state =
      bytes ? decode_scrub_state(*bytes) : Result<ScrubState>(std::unexpected(bytes.error()));
  if (state) return state;
  log_warning("'" + path + "': " + state.error().message + "; scrubbing begins anew");
  return ScrubState();
}

Result<> save_scrub_state(os::FileSystem& files, const std::string& path, const ScrubState& state) {
  return os::replace_file(files, path, encode(state));
}

}  // namespace warifu::upkeep
