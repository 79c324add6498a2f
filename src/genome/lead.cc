// Lead of a genome object, written and read.
#include "genome/lead.h"

#include <algorithm>

#include "base/gzip.h"
#include "wire/wire.h"

namespace warifu::genome {
namespace {

constexpr std::string_view kMagic = "WGO1";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kFixedBytes = 80;
constexpr std::size_t kMaxManifest = 64U << 20U;

void write_text(wire::Writer& writer, std::string_view text) {
  writer.u16(static_cast<std::uint16_t>(text.size()));
  writer.raw(as_bytes(text));
}

std::string read_text(wire::Reader& reader) {
  const std::size_t size = reader.u16();
  return std::string(as_text(reader.raw(size)));
}

// The references' bytes, inflated.
Bytes manifest_of(const Lead& lead) {
  wire::Writer writer;
  write_text(writer, lead.assembly);
  writer.u32(static_cast<std::uint32_t>(lead.references.size()));
  for (const Reference& reference : lead.references) {
    write_text(writer, reference.name);
    writer.u64(static_cast<std::uint64_t>(reference.length));
    write_text(writer, reference.md5);
  }
  return gzip(writer.bytes());
}

Result<> read_manifest(ByteView packed, Lead& lead) {
  TRY_ASSIGN(const Bytes plain, gunzip(packed, kMaxManifest, "manifest of a genome object"));
  wire::Reader reader(plain, "manifest of a genome object");
  lead.assembly = read_text(reader);
  const std::uint32_t count = reader.u32();
  if (count > kMaxIndexReferences) reader.reject("it names too many references");
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    Reference reference;
    reference.name = read_text(reader);
    const std::uint64_t length = reader.u64();
    if (length > INT64_MAX) reader.reject("a reference is too long");
    reference.length = static_cast<std::int64_t>(length);
    reference.md5 = read_text(reader);
    lead.references.push_back(std::move(reference));
  }
  return reader.finish();
}

struct Fixed {
  std::uint32_t chunks = 0;
  std::uint32_t chunk_bytes = 0;
  std::uint32_t manifest_bytes = 0;
  std::uint64_t index_bytes = 0;
  std::uint32_t head_bytes = 0;
};

Result<Fixed> read_fixed(ByteView bytes, Lead& lead) {
  wire::Reader reader(bytes.first(std::min(bytes.size(), kFixedBytes)), "lead of a genome object");
  Fixed fixed;
  if (as_text(reader.raw(4)) != kMagic) {
    return fail(Code::kCorrupt, "the object does not begin with a genome's index (WGO1)");
  }
  if (reader.u16() != kVersion) reader.reject("its version is unknown");
  const std::uint8_t kind = reader.u8();
  const std::uint8_t index_kind = reader.u8();
  if (kind > static_cast<std::uint8_t>(FileKind::kBcf)) reader.reject("its format is unknown");
  if (index_kind > static_cast<std::uint8_t>(IndexKind::kTbi)) {
    reader.reject("its index is of an unknown kind");
  }
  lead.kind = static_cast<FileKind>(kind);
  lead.index_kind = static_cast<IndexKind>(index_kind);
  fixed.chunks = reader.u32();
  fixed.chunk_bytes = reader.u32();
  lead.file.bytes = reader.u64();
  lead.file.trailer_bytes = reader.u64();
  const ByteView digest = reader.raw(lead.records_digest.size());
  fixed.manifest_bytes = reader.u32();
  fixed.index_bytes = reader.u64();
  fixed.head_bytes = reader.u32();
  if (const auto good = reader.finish(); !good) return fail(Code::kCorrupt, good.error().message);
  copy_bytes(lead.records_digest, digest);
  const std::uint64_t room = std::uint64_t{fixed.chunks} * fixed.chunk_bytes;
  if (fixed.chunks == 0 || fixed.index_bytes > kMaxIndexBytes || fixed.head_bytes > kMaxHead ||
      kFixedBytes + fixed.manifest_bytes + fixed.index_bytes + fixed.head_bytes + 4 > room ||
      lead.file.trailer_bytes > lead.file.bytes) {
    return fail(Code::kCorrupt, "the lead of a genome object has numbers that do not fit");
  }
  return fixed;
}

}  // namespace

Header Lead::header() const {
  Header header;
  header.kind = kind;
  header.references = references;
  return header;
}

Result<Bytes> encode_lead(const Lead& lead, std::uint32_t chunk_bytes) {
  const bool is_long = std::ranges::any_of(lead.references, [](const Reference& reference) {
    return reference.name.size() > kMaxIndexName || reference.md5.size() > 32;
  });
  if (is_long || lead.assembly.empty() || lead.assembly.size() > kMaxAssemblyName ||
      lead.index.size() > kMaxIndexBytes || lead.head.size() > kMaxHead) {
    return fail(Code::kInvalidArgument,
                "a genome object needs an assembly of 1 to 32 characters, reference names of at "
                "most 1024, an index of at most 256 MiB, and a head of at most 64 KiB");
  }
  const Bytes manifest = manifest_of(lead);
  const Bytes index = gzip(lead.index);
  const std::uint64_t size = kFixedBytes + manifest.size() + index.size() + lead.head.size() + 4;
  const std::uint64_t chunks = (size + chunk_bytes - 1) / chunk_bytes;
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.u16(kVersion);
  writer.u8(static_cast<std::uint8_t>(lead.kind));
  writer.u8(static_cast<std::uint8_t>(lead.index_kind));
  writer.u32(static_cast<std::uint32_t>(chunks));
  writer.u32(chunk_bytes);
  writer.u64(lead.file.bytes);
  writer.u64(lead.file.trailer_bytes);
  writer.raw(lead.records_digest);
  writer.u32(static_cast<std::uint32_t>(manifest.size()));
  writer.u64(index.size());
  writer.u32(static_cast<std::uint32_t>(lead.head.size()));
  WARIFU_CHECK(writer.bytes().size() == kFixedBytes);
  writer.raw(manifest);
  writer.raw(index);
  writer.raw(lead.head);
  writer.checksum();
  Bytes bytes = writer.take();
  bytes.resize(chunks * chunk_bytes);
  return bytes;
}

Result<Lead> parse_lead(ByteView bytes) {
  Lead lead;
  TRY_ASSIGN(const Fixed fixed, read_fixed(bytes, lead));
  if (bytes.size() != std::uint64_t{fixed.chunks} * fixed.chunk_bytes) {
    return fail(Code::kCorrupt, "the lead of a genome object is " + std::to_string(fixed.chunks) +
                                    " chunks long, " + std::to_string(bytes.size()) +
                                    " bytes were read");
  }
  const std::size_t before_head = kFixedBytes + fixed.manifest_bytes + fixed.index_bytes;
  const std::size_t size = before_head + fixed.head_bytes;
  const auto body = wire::before_checksum(bytes.first(size + 4));
  if (!body) return fail(Code::kCorrupt, "the lead of a genome object is damaged");
  if (std::ranges::any_of(bytes.subspan(size + 4), [](Byte b) { return b != 0; })) {
    return fail(Code::kCorrupt, "the lead of a genome object has bytes behind its end");
  }
  const auto read = read_manifest(body->subspan(kFixedBytes, fixed.manifest_bytes), lead);
  if (!read) return fail(Code::kCorrupt, read.error().message);
  TRY_ASSIGN(lead.index,
             gunzip(body->subspan(kFixedBytes + fixed.manifest_bytes, fixed.index_bytes),
                    kMaxIndexBytes, "index of a genome object"));
  const ByteView head = body->subspan(before_head);
  lead.head.assign(head.begin(), head.end());
  lead.chunks = fixed.chunks;
  return lead;
}

std::optional<std::string> guess_assembly(const std::vector<Reference>& references) {
  struct Known {
    const char* name;
    std::int64_t first, twentieth;
  };
  // Lengths by the assembly reports of GRCh37.p13, GRCh38.p14 and T2T-CHM13v2.0.
  constexpr Known kKnown[] = {{"GRCh37", 249'250'621, 63'025'520},
                              {"GRCh38", 248'956'422, 64'444'167},
                              {"T2T-CHM13v2", 248'387'328, 66'210'255}};
  const auto length_of = [&](std::string_view number) -> std::int64_t {
    for (const Reference& reference : references) {
      const std::string_view name = reference.name;
      if (name == number || (name.starts_with("chr") && name.substr(3) == number)) {
        return reference.length;
      }
    }
    return 0;
  };
  const std::int64_t first = length_of("1");
  const std::int64_t twentieth = length_of("20");
  for (const Known& known : kKnown) {
    const bool fits_first = first == 0 || first == known.first;
    const bool fits_twentieth = twentieth == 0 || twentieth == known.twentieth;
    if ((first != 0 || twentieth != 0) && fits_first && fits_twentieth) return known.name;
  }
  return std::nullopt;
}

}  // namespace warifu::genome
