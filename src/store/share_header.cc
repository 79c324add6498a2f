// Encoding, strict parsing and layout of share files.
#include "store/share_header.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/reason.h"
#include "wire/wire.h"

namespace warifu::store {
namespace {

constexpr std::string_view kMagic = "WRFSHARE";
constexpr std::uint16_t kVersion = 4;
constexpr std::uint16_t kComputational = 1;  // flags
constexpr std::uint16_t kDrawn = 2;
constexpr std::size_t kChecksumAt = kHeaderBytes - 4;
constexpr std::size_t kSiblingBytes = 1 + 16 + 16;

std::unexpected<Error> damaged(const std::string& path, std::string_view why) {
  return fail(Code::kCorrupt, "share file '" + path + "' is damaged: " + std::string(why),
              Reason::kShareHead);
}

std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](Byte byte) { return byte == 0; });
}

Result<> bad_field(std::string_view why) {
  return fail(Code::kInvalidArgument, "share header: " + std::string(why));
}

Result<> check_siblings(const std::vector<Sibling>& siblings, const sharing::Scheme& scheme) {
  if (siblings.size() > kMaxSiblings) {
    return bad_field("at most " + std::to_string(kMaxSiblings) + " siblings, not " +
                     std::to_string(siblings.size()));
  }
  std::set<ShareId> seen;
  std::set<std::uint8_t> indices;
  for (const Sibling& sibling : siblings) {
    if (sibling.index >= scheme.shares || !indices.insert(sibling.index).second) {
      return bad_field("siblings have different indices below " + std::to_string(scheme.shares));
    }
    if (sibling.share.is_zero()) return bad_field("a sibling has no share id");
    if (sibling.site.empty()) return bad_field("a sibling has no site");
    if (!seen.insert(sibling.share).second) {
      return bad_field("sibling " + sibling.share.text() + " stands twice");
    }
  }
  return {};
}

Result<> check_identity(const ShareHeader& header) {
  if (header.share.is_zero()) return bad_field("the share id is zero");
  if (header.object.is_zero()) return bad_field("the object id is zero");
  const sharing::Scheme& scheme = header.scheme;
  if (!sharing::Scheme::from_numbers(static_cast<std::uint16_t>(scheme.kind), scheme.threshold,
                                     scheme.shares)) {
    return bad_field("unknown scheme");
  }
  if (header.path.is_object()) return bad_field("there is no path to the share");
  if (header.path.index() >= scheme.shares) {
    return bad_field("the path ends at no share of the scheme");
  }
  if ((header.entropy_origins & 1) != 0) return bad_field("there is no origin number 0");
  if (header.path.is_top() != header.parent.is_zero()) {
    return bad_field("a nested share names its parent, a top share has none");
  }
  if (header.parent == header.share) return bad_field("a share is not its own parent");
  return {};
}

sharing::RecordLayout object_records(const ShareHeader& header) {
  return sharing::RecordLayout(sharing::Chunking{{header.object_length}, header.chunk_bytes});
}

// Records of a share are as long as those that were cut, or, under a ramp, half as long. So what
// was cut is as long as the object, or halved once for some of the cuts above it; full records of
// the usual chunk size tell how often.
std::optional<sharing::RecordLayout> find_cut_records(const ShareHeader& header) {
  sharing::RecordLayout cut = object_records(header);
  for (std::size_t above = 0; above < header.path.size(); ++above) {
    const sharing::RecordLayout made = cut.below(header.scheme);
    if (made.full_bytes() == header.full_record_bytes &&
        made.last_bytes() == header.last_record_bytes) {
      return cut;
    }
    cut = cut.below(sharing::Scheme::ramp());
  }
  return std::nullopt;
}

Result<> check_sizes(const ShareHeader& header) {
  if (header.chunk_bytes == 0 || header.chunk_bytes > limits::kChunkBytes ||
      header.chunk_bytes % kWordBytes != 0) {
    return bad_field("chunks of " + std::to_string(header.chunk_bytes) + " bytes are not allowed");
  }
  if (header.tag_bytes != limits::kChunkTagBytes) return bad_field("tags have 32 bytes");
  if (header.object_length == 0 || header.object_length > limits::kMaxObjectBytes) {
    return bad_field("an object length of " + std::to_string(header.object_length) +
                     " bytes is not allowed");
  }
  if (header.chunk_count != chunk_count_of(header.object_length, header.chunk_bytes)) {
    return bad_field("the chunk count does not fit the object length");
  }
  if (header.lead_chunks >= header.chunk_count) {
    return bad_field("the object holds nothing behind its lead");
  }
  if (!find_cut_records(header)) {
    return bad_field("records of " + std::to_string(header.full_record_bytes) + " and " +
                     std::to_string(header.last_record_bytes) +
                     " bytes do not fit scheme and object");
  }
  return {};
}

// The fields up to the siblings.
HeaderSlot read_fixed(wire::Reader& reader) {
  HeaderSlot slot;
  ShareHeader& header = slot.header;
  const std::uint16_t flags = reader.u16();
  header.scheme.kind = static_cast<sharing::SchemeKind>(reader.u16());
  header.scheme.threshold = reader.u8();
  header.scheme.shares = reader.u8();
  header.path = sharing::read_path(reader);
  header.entropy_origins = reader.u16();
  header.generation = reader.u32();
  slot.sequence = reader.u64();
  header.share = reader.id<ShareId>();
  header.object = reader.id<ObjectId>();
  header.parent = reader.id<ShareId>();
  header.owner = reader.id<Pseudonym>();
  header.chunk_bytes = reader.u32();
  header.tag_bytes = reader.u32();
  header.full_record_bytes = reader.u32();
  header.last_record_bytes = reader.u32();
  header.chunk_count = reader.u64();
  header.object_length = reader.u64();
  slot.durable_chunks = reader.u64();
  header.created = {reader.i64()};
  if ((flags & ~(kComputational | kDrawn)) != 0) reader.reject("unknown flags");
  header.computational = (flags & kComputational) != 0;
  header.drawn = (flags & kDrawn) != 0;
  return slot;
}

std::vector<Sibling> read_siblings(wire::Reader& reader) {
  std::vector<Sibling> siblings;
  const std::uint32_t count = reader.u32();
  if (count > kMaxSiblings) reader.reject("too many siblings");
  for (std::uint32_t i = 0; i < kMaxSiblings && reader.good(); ++i) {
    if (i >= count) {
      if (!all_zero(reader.raw(kSiblingBytes))) reader.reject("an unused sibling is not zero");
      continue;
    }
    Sibling sibling;
    sibling.index = reader.u8();
    sibling.share = reader.id<ShareId>();
    sibling.site = reader.site();
    siblings.push_back(std::move(sibling));
  }
  return siblings;
}

std::string read_policy(wire::Reader& reader) {
  const std::uint16_t length = reader.u16();
  const ByteView field = reader.raw(kMaxPolicyBytes);
  if (length > field.size()) {
    reader.reject("the policy text is too long");
    return {};
  }
  if (!all_zero(field.subspan(length))) reader.reject("bytes after the policy text");
  return std::string(as_text(field.first(length)));
}

}  // namespace

std::uint64_t chunk_count_of(std::uint64_t object_length, std::uint32_t chunk_bytes) {
  WARIFU_CHECK(chunk_bytes > 0);
  return object_length / chunk_bytes + (object_length % chunk_bytes == 0 ? 0 : 1);
}

sharing::RecordLayout records_of(const ShareHeader& header) {
  return cut_records_of(header).below(header.scheme);
}

sharing::RecordLayout cut_records_of(const ShareHeader& header) {
  const auto cut = find_cut_records(header);
  WARIFU_CHECK(cut.has_value());
  return *cut;
}

Result<> check_header(const ShareHeader& header) {
  TRY(check_identity(header));
  TRY(check_sizes(header));
  TRY(check_siblings(header.siblings, header.scheme));
  if (header.created.value < 0) return bad_field("the time of making lies before 1970");
  if (header.policy.size() > kMaxPolicyBytes) {
    return bad_field("the policy text has more than " + std::to_string(kMaxPolicyBytes) + " bytes");
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  if (std::ranges::any_of(header.policy, is_control)) {
    return bad_field("the policy text has control characters");
  }
  return {};
}

Bytes encode_slot(const HeaderSlot& slot) {
  const ShareHeader& header = slot.header;
  WARIFU_CHECK(check_header(header).has_value());
  WARIFU_CHECK(slot.durable_chunks <= header.chunk_count);
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.u16(kVersion);
  writer.u16(static_cast<std::uint16_t>((header.computational ? kComputational : 0) |
                                        (header.drawn ? kDrawn : 0)));
  writer.u16(static_cast<std::uint16_t>(header.scheme.kind));
  writer.u8(header.scheme.threshold);
  writer.u8(header.scheme.shares);
  sharing::write_path(writer, header.path);
  writer.u16(header.entropy_origins);
  writer.u32(header.generation);
  writer.u64(slot.sequence);
  writer.id(header.share);
  writer.id(header.object);
  writer.id(header.parent);
  writer.id(header.owner);
  writer.u32(header.chunk_bytes);
  writer.u32(header.tag_bytes);
  writer.u32(header.full_record_bytes);
  writer.u32(header.last_record_bytes);
  writer.u64(header.chunk_count);
  writer.u64(header.object_length);
  writer.u64(slot.durable_chunks);
  writer.i64(header.created.value);
  writer.u32(static_cast<std::uint32_t>(header.siblings.size()));
  for (const Sibling& sibling : header.siblings) {
    writer.u8(sibling.index);
    writer.id(sibling.share);
    writer.site(sibling.site);
  }
  writer.raw(Bytes((kMaxSiblings - header.siblings.size()) * kSiblingBytes));
  writer.u16(static_cast<std::uint16_t>(header.policy.size()));
  writer.raw(as_bytes(header.policy));
  writer.raw(Bytes(kMaxPolicyBytes - header.policy.size()));
  writer.raw(header.check_key);
  writer.u32(header.lead_chunks);
  Bytes bytes = writer.take();
  bytes.resize(kChecksumAt);
  wire::Writer checksum;
  checksum.u32(wire::crc32c(bytes));
  bytes.insert(bytes.end(), checksum.bytes().begin(), checksum.bytes().end());
  return bytes;
}

Result<HeaderSlot> parse_slot(ByteView bytes, const std::string& path) {
  if (bytes.size() != kHeaderBytes) {
    return damaged(path, "a header of " + std::to_string(bytes.size()) + " bytes");
  }
  if (as_text(bytes.first(kMagic.size())) != kMagic) return damaged(path, "wrong magic");
  if (!wire::before_checksum(bytes)) return damaged(path, "wrong checksum of the header");
  wire::Reader reader(bytes.subspan(kMagic.size(), kChecksumAt - kMagic.size()), "share header");
  const std::uint16_t version = reader.u16();
  if (version != kVersion) {
    return fail(Code::kCorrupt, "share file '" + path + "' has format version " +
                                    std::to_string(version) +
                                    "; this program reads version 4 only");
  }
  HeaderSlot slot = read_fixed(reader);
  slot.header.siblings = read_siblings(reader);
  slot.header.policy = read_policy(reader);
  copy_bytes(slot.header.check_key, reader.raw(kCheckBytes));
  slot.header.lead_chunks = reader.u32();
  if (!all_zero(reader.raw(reader.remaining()))) reader.reject("reserved bytes are not zero");
  if (slot.durable_chunks > slot.header.chunk_count)
    reader.reject("more durable chunks than chunks");
  if (auto fields = reader.finish(); !fields) return damaged(path, fields.error().message);
  if (auto fields = check_header(slot.header); !fields) {
    return damaged(path, fields.error().message);
  }
  return slot;
}

ShareLayout::ShareLayout(const ShareHeader& header)
    : chunk_count_(header.chunk_count),
      full_record_(header.full_record_bytes),
      last_record_(header.last_record_bytes),
      check_(header.has_checks() ? kCheckBytes : 0) {
  WARIFU_CHECK(check_sizes(header).has_value());
  stride_ = static_cast<std::uint32_t>(round_up(full_record_ + check_, kDiskBlockBytes));
  file_bytes_ = kRecordsStart + (chunk_count_ - 1) * stride_ + last_record_ + check_;
}

std::uint64_t ShareLayout::record_offset(ChunkIndex chunk) const {
  WARIFU_CHECK(chunk.value <= chunk_count_);
  return chunk.value == chunk_count_ ? file_bytes_ : kRecordsStart + chunk.value * stride_;
}

std::uint32_t ShareLayout::record_length(ChunkIndex chunk) const {
  WARIFU_CHECK(chunk.value < chunk_count_);
  return chunk.value + 1 == chunk_count_ ? last_record_ : full_record_;
}

std::uint64_t ShareLayout::check_offset(ChunkIndex chunk) const {
  WARIFU_CHECK(check_ > 0);
  return record_offset(chunk) + record_length(chunk);
}

std::uint64_t ShareLayout::gap_offset(ChunkIndex chunk) const {
  return record_offset(chunk) + record_length(chunk) + check_;
}

std::uint64_t ShareLayout::records_length(ChunkIndex first, std::uint64_t count) const {
  WARIFU_CHECK(first.value <= chunk_count_ && count <= chunk_count_ - first.value);
  if (count == 0) return 0;
  return (count - 1) * full_record_ + record_length({first.value + count - 1});
}

std::uint64_t ShareLayout::whole_records(std::uint64_t file_bytes) const {
  if (file_bytes >= file_bytes_) return chunk_count_;
  const std::uint64_t first_end = kRecordsStart + full_record_ + check_;
  if (file_bytes < first_end) return 0;
  return std::min((file_bytes - first_end) / stride_ + 1, chunk_count_ - 1);
}

}  // namespace warifu::store
