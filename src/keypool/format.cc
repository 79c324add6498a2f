// Encoding and strict decoding of the pool files.
#include "keypool/format.h"

#include <algorithm>
#include <array>

#include "wire/wire.h"

namespace warifu::keypool {
namespace {

constexpr std::string_view kIdentityMagic = "WRFPOOL1";
constexpr std::string_view kMarkMagic = "WRFMARK3";
constexpr std::string_view kMark2Magic = "WRFMARK2";  // without key for applications
constexpr std::string_view kOldMarkMagic = "WRFMARK1";
constexpr std::string_view kIndexMagic = "WRFINDX2";
constexpr std::string_view kOldIndexMagic = "WRFINDX1";  // entries without parts
constexpr std::uint32_t kMaxSegments = 1 << 20;

std::unexpected<Error> damaged(const std::string& path, std::string_view why) {
  return fail(Code::kCorrupt, "pool file '" + path + "' is damaged: " + std::string(why));
}

// Checks magic and CRC; returns the bytes between them.
Result<ByteView> unwrap(ByteView bytes, std::string_view magic, const std::string& path) {
  if (bytes.size() < magic.size() + 4) return damaged(path, "it is cut short");
  if (as_text(bytes.first(magic.size())) != magic) return damaged(path, "wrong magic");
  if (!wire::before_checksum(bytes)) return damaged(path, "wrong checksum");
  return bytes.subspan(magic.size(), bytes.size() - magic.size() - 4);
}

SegmentEntry read_entry(wire::Reader& reader, bool has_parts) {
  SegmentEntry entry;
  entry.number = {reader.u64()};
  entry.base = {reader.u64()};
  entry.length = reader.u32();
  const std::uint8_t state = reader.u8();
  const std::uint8_t origin = reader.u8();
  if (has_parts) entry.parts = reader.u16();
  entry.created = {reader.i64()};
  entry.wrap_index = reader.u64();
  const ByteView key = reader.raw(kWrappedKeyBytes);
  entry.wrapped_key.assign(key.begin(), key.end());
  if (state < 1 || state > 3) reader.reject("unknown segment state");
  if (!origin_from_number(origin)) {
    reader.reject("unknown origin");
    return entry;  // such an origin has no bit
  }
  entry.state = static_cast<SegmentState>(state);
  entry.origin = static_cast<Origin>(origin);
  if (!has_parts) entry.parts = origin_bit(entry.origin);
  if ((entry.parts & origin_bit(entry.origin)) == 0) reader.reject("origin is not among its parts");
  return entry;
}

}  // namespace

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::kHardware: return "HARDWARE";
    case Origin::kSimulatedClicks: return "SIMULATED_CLICKS";
    case Origin::kRateModel: return "RATE_MODEL";
    case Origin::kPreshared: return "PRESHARED";
    case Origin::kRelayed: return "RELAYED";
    case Origin::kKernelGenerator: return "KERNEL_GENERATOR";
    case Origin::kCpu: return "CPU_RDSEED";
  }
  return "UNKNOWN";
}

Result<Origin> origin_from_number(std::uint8_t number) {
  if (number < 1 || number > 7) {
    return fail(Code::kProtocol, "unknown key origin " + std::to_string(number));
  }
  return static_cast<Origin>(number);
}

Bytes encode(const Identity& identity) {
  wire::Writer writer;
  writer.raw(as_bytes(kIdentityMagic));
  writer.id(identity.link);
  writer.u8(static_cast<std::uint8_t>(identity.direction));
  writer.raw(Bytes(7));
  writer.i64(identity.created.value);
  writer.u32(identity.wrap_domain);
  writer.u64(identity.wrap_index);
  writer.raw(identity.wrapped_pool_key);
  writer.checksum();
  return writer.take();
}

Result<Identity> decode_identity(ByteView bytes, const std::string& path) {
  TRY_ASSIGN(const ByteView body, unwrap(bytes, kIdentityMagic, path));
  wire::Reader reader(body, "pool identity '" + path + "'");
  Identity identity;
  identity.link = reader.id<LinkId>();
  const std::uint8_t direction = reader.u8();
  (void)reader.raw(7);
  identity.created = {reader.i64()};
  identity.wrap_domain = reader.u32();
  identity.wrap_index = reader.u64();
  const ByteView key = reader.raw(kWrappedKeyBytes);
  identity.wrapped_pool_key.assign(key.begin(), key.end());
  TRY(reader.finish());
  if (direction < 1 || direction > 3) return damaged(path, "unknown direction");
  identity.direction = static_cast<Direction>(direction);
  return identity;
}

Bytes encode(const Index& index) {
  wire::Writer writer;
  writer.raw(as_bytes(kIndexMagic));
  writer.u64(index.next_number);
  writer.u64(index.stream_end.value);
  writer.u32(static_cast<std::uint32_t>(index.entries.size()));
  for (const SegmentEntry& entry : index.entries) {
    writer.u64(entry.number.value);
    writer.u64(entry.base.value);
    writer.u32(entry.length);
    writer.u8(static_cast<std::uint8_t>(entry.state));
    writer.u8(static_cast<std::uint8_t>(entry.origin));
    writer.u16(entry.parts);
    writer.i64(entry.created.value);
    writer.u64(entry.wrap_index);
    writer.raw(entry.wrapped_key);
  }
  writer.checksum();
  return writer.take();
}

Result<Index> decode_index(ByteView bytes, const std::string& path) {
  const bool old = as_text(bytes.first(std::min(bytes.size(), kOldIndexMagic.size()))) ==
                   kOldIndexMagic;
  TRY_ASSIGN(const ByteView body, unwrap(bytes, old ? kOldIndexMagic : kIndexMagic, path));
  wire::Reader reader(body, "pool index '" + path + "'");
  Index index;
  index.next_number = reader.u64();
  index.stream_end = {reader.u64()};
  const std::uint32_t count = reader.u32();
  if (count > kMaxSegments) return damaged(path, "too many segments");
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    index.entries.push_back(read_entry(reader, !old));
  }
  TRY(reader.finish());
  return index;
}

Bytes encode(const Mark& mark) {
  wire::Writer writer;
  writer.raw(as_bytes(kMarkMagic));
  writer.u64(mark.sequence);
  writer.u64(mark.mark.value);
  writer.u64(mark.payload_bytes);
  writer.u64(mark.tag_bytes);
  writer.u64(mark.hash_key_bytes);
  writer.u64(mark.bulk_bytes);
  writer.u64(mark.share_bytes);
  writer.u64(mark.application_bytes);
  writer.checksum();
  Bytes slot = writer.take();
  slot.resize(kMarkSlotBytes);
  return slot;
}

Result<Mark> decode_mark(ByteView slot, const std::string& path) {
  constexpr std::size_t kUsed = 8 + 8 * 8 + 4;
  if (slot.size() < kUsed) return damaged(path, "mark slot is cut short");
  if (as_text(slot.first(kOldMarkMagic.size())) == kOldMarkMagic) {
    return fail(Code::kRefused,
                "pool file '" + path +
                    "' was written by an earlier version of warifu (mark format 1); "
                    "make new pools at both ends");
  }
  const bool second = as_text(slot.first(kMark2Magic.size())) == kMark2Magic;
  TRY_ASSIGN(const ByteView body, second ? unwrap(slot.first(kUsed - 8), kMark2Magic, path)
                                         : unwrap(slot.first(kUsed), kMarkMagic, path));
  wire::Reader reader(body, "pool mark '" + path + "'");
  Mark mark;
  mark.sequence = reader.u64();
  mark.mark = {reader.u64()};
  mark.payload_bytes = reader.u64();
  mark.tag_bytes = reader.u64();
  mark.hash_key_bytes = reader.u64();
  mark.bulk_bytes = reader.u64();
  mark.share_bytes = reader.u64();
  mark.application_bytes = second ? 0 : reader.u64();
  TRY(reader.finish());
  return mark;
}

}  // namespace warifu::keypool
