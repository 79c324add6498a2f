// CRAM's header container, BAM's and BCF's binary header, VCF's lines.
#include "genome/header.h"

#include <algorithm>
#include <charconv>

#include "base/gzip.h"
#include "genome/bgzf.h"
#include "genome/cram_parts.h"
#include "wire/wire.h"

namespace warifu::genome {
namespace {

constexpr std::size_t kCramDefinition = 26;

std::unexpected<Error> bad(std::string_view what, const std::string& why) {
  return fail(Code::kCorrupt, std::string(what) + ": " + why);
}

// The value behind "KEY:" among the tab-separated fields of a SAM header line.
std::string_view field_of(std::string_view line, std::string_view key) {
  for (std::size_t at = line.find('\t'); at != std::string_view::npos;
       at = line.find('\t', at + 1)) {
    const std::string_view rest = line.substr(at + 1);
    if (rest.size() > 3 && rest.substr(0, 2) == key && rest[2] == ':') {
      return rest.substr(3, rest.find('\t') - 3);
    }
  }
  return {};
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

template <typename Each>
Result<> for_lines(std::string_view text, const Each& each) {
  std::size_t number = 1;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    TRY(each(line, number++));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<> sam_references(std::string_view what, Header& header) {
  return for_lines(header.text, [&](std::string_view line, std::size_t number) -> Result<> {
    if (!line.starts_with("@SQ\t")) return {};
    Reference one{std::string(field_of(line, "SN")), 0, std::string(field_of(line, "M5"))};
    const auto length = number_of(field_of(line, "LN"));
    if (one.name.empty() || one.name.size() > kMaxIndexName || !length) {
      return bad(what, "line " + std::to_string(number) + " of the header: @SQ needs SN and LN");
    }
    one.length = *length;
    std::ranges::transform(one.md5, one.md5.begin(), [](char c) {
      return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (header.references.size() >= kMaxIndexReferences) return bad(what, "too many references");
    header.references.push_back(std::move(one));
    return {};
  });
}

// The value of KEY= in ##contig=<...>; values may be quoted.
std::string_view contig_field(std::string_view inside, std::string_view key) {
  while (!inside.empty()) {
    const std::size_t equals = inside.find('=');
    if (equals == std::string_view::npos) return {};
    const std::string_view name = inside.substr(0, equals);
    inside.remove_prefix(equals + 1);
    const bool quoted = inside.starts_with('"');
    if (quoted) inside.remove_prefix(1);
    const std::size_t end = std::min(inside.find_first_of(quoted ? "\"" : ",>"), inside.size());
    if (name == key) return inside.substr(0, end);
    inside.remove_prefix(std::min(end + (quoted ? 2U : 1U), inside.size()));
  }
  return {};
}

// BCF numbers contigs by IDX= where the line has it, otherwise in the order of the lines.
Result<> vcf_references(std::string_view what, Header& header) {
  return for_lines(header.text, [&](std::string_view line, std::size_t number) -> Result<> {
    constexpr std::string_view kStart = "##contig=<";
    if (!line.starts_with(kStart)) return {};
    const std::string_view inside = line.substr(kStart.size());
    Reference one{std::string(contig_field(inside, "ID")), 0,
                  std::string(contig_field(inside, "md5"))};
    one.length = number_of(contig_field(inside, "length")).value_or(0);
    const std::string_view idx = contig_field(inside, "IDX");
    const auto at = idx.empty() ? static_cast<std::int64_t>(header.references.size())
                                : number_of(idx).value_or(-1);
    if (one.name.empty() || one.name.size() > kMaxIndexName || at < 0 ||
        static_cast<std::size_t>(at) >= kMaxIndexReferences) {
      return bad(what, "line " + std::to_string(number) + " of the header: no possible contig");
    }
    const auto place = static_cast<std::size_t>(at);
    // A sparse numbering may not cost memory that the header's own length does not justify.
    if (place > header.text.size()) return bad(what, "an impossible IDX of a contig");
    if (place >= header.references.size()) header.references.resize(place + 1);
    header.references[place] = std::move(one);
    return {};
  });
}

Result<Header> parse_cram(ByteView head, std::string_view what) {
  Header header;
  wire::Reader in(head, std::string(what) + ", its CRAM header");
  (void)in.raw(4);
  header.major = in.u8();
  header.minor = in.u8();
  (void)in.raw(kCramDefinition - 6);
  if (header.major < 2 || header.major > 3) {
    return bad(what, "CRAM " + std::to_string(header.major) + "." + std::to_string(header.minor) +
                         " is not supported; 2.1 and 3.x are");
  }
  std::uint32_t length = 0;
  const auto skipped = skip_container(in, header.major, length);
  if (!skipped) return bad(what, skipped.error().message);
  header.bytes = kCramDefinition + *skipped + length;
  const unsigned method = in.u8();
  const unsigned type = in.u8();
  (void)take_itf8(in);
  const std::uint64_t packed = take_itf8(in);
  const std::uint64_t plain = take_itf8(in);
  if (type != 0 || method > 1 || plain > kMaxHeaderText || packed > in.remaining()) {
    return bad(what, in.check() ? "its first container does not hold a SAM header"
                                : "its header is cut short");
  }
  const ByteView block = in.raw(packed);
  Bytes inflated;
  if (method == 1) {
    TRY_ASSIGN(inflated, gunzip(block, plain, std::string(what) + ", its header"));
  }
  wire::Reader text(method == 1 ? ByteView(inflated) : block, what);
  const std::uint32_t size = text.u32();
  if (size > text.remaining()) return bad(what, "the length of its header text is impossible");
  header.text = as_text(text.raw(size));
  header.text.erase(std::min(header.text.find('\0'), header.text.size()));
  TRY(sam_references(what, header));
  return header;
}

// The plain bytes of BGZF blocks, one block after another, as far as a header needs them.
class PlainBlocks {
 public:
  PlainBlocks(ByteView rest, std::string_view what) : rest_(rest), what_(what) {}

  // At least `size` bytes of the start of the file, or all there are.
  Result<ByteView> at_least(std::uint64_t size) {
    if (size > kMaxHeaderText + kMaxBgzfBlock) return bad(what_, "a header of more than 64 MiB");
    while (plain_.size() < size && !rest_.empty()) {
      TRY_ASSIGN(const std::size_t bytes, bgzf_block_bytes(rest_, what_));
      if (bytes > rest_.size()) break;  // cut in the middle of a block: records behind the header
      TRY_ASSIGN(const secret::Buffer block, inflate_block(rest_.first(bytes), what_));
      plain_.insert(plain_.end(), block.bytes().begin(), block.bytes().end());
      rest_ = rest_.subspan(bytes);
    }
    return ByteView(plain_);
  }
  [[nodiscard]] bool over() const { return rest_.empty(); }

 private:
  ByteView rest_;
  std::string_view what_;
  Bytes plain_;
};

std::uint32_t le32(ByteView bytes, std::size_t at) {
  wire::Reader in(bytes.subspan(std::min(at, bytes.size())), "");
  return in.u32();
}

Result<Header> parse_bam(PlainBlocks& blocks, std::string_view what) {
  Header header;
  header.kind = FileKind::kBam;
  TRY_ASSIGN(ByteView plain, blocks.at_least(8));
  const std::uint64_t text = le32(plain, 4);
  TRY_ASSIGN(plain, blocks.at_least(12 + text));
  if (plain.size() < 12 + text) return bad(what, "its BAM header is cut short");
  header.text = as_text(plain.subspan(8, text));
  header.text.erase(std::min(header.text.find('\0'), header.text.size()));
  const std::uint32_t number = le32(plain, 8 + text);
  if (number > kMaxIndexReferences) return bad(what, "too many references");
  std::uint64_t at = 12 + text;
  Header lines = header;
  TRY(sam_references(what, lines));
  for (std::uint32_t i = 0; i < number; ++i) {
    TRY_ASSIGN(plain, blocks.at_least(at + 4));
    const std::uint64_t name = le32(plain, at);
    if (name < 2 || name > kMaxIndexName) {
      return bad(what, "reference " + std::to_string(i) + " of the header has no possible name");
    }
    TRY_ASSIGN(plain, blocks.at_least(at + 8 + name));
    if (plain.size() < at + 8 + name) return bad(what, "its list of references is cut short");
    Reference one{std::string(as_text(plain.subspan(at + 4, name - 1))), le32(plain, at + 4 + name),
                  ""};
    if (i < lines.references.size() && lines.references[i].name == one.name) {
      one.md5 = lines.references[i].md5;
    }
    header.references.push_back(std::move(one));
    at += 8 + name;
  }
  return header;
}

Result<Header> parse_bcf(PlainBlocks& blocks, std::string_view what) {
  Header header;
  header.kind = FileKind::kBcf;
  TRY_ASSIGN(ByteView plain, blocks.at_least(9));
  const std::uint64_t text = le32(plain, 5);
  TRY_ASSIGN(plain, blocks.at_least(9 + text));
  if (plain.size() < 9 + text) return bad(what, "its BCF header is cut short");
  header.text = as_text(plain.subspan(9, text));
  header.text.erase(std::min(header.text.find('\0'), header.text.size()));
  TRY(vcf_references(what, header));
  return header;
}

Result<Header> parse_vcf(PlainBlocks& blocks, std::string_view what) {
  Header header;
  header.kind = FileKind::kVcf;
  std::size_t at = 0;
  for (std::uint64_t want = kMaxBgzfBlock;; want += kMaxBgzfBlock) {
    TRY_ASSIGN(const ByteView plain, blocks.at_least(want));
    const std::string_view text = as_text(plain);
    // Whole lines with '#' in front are header.
    while (at < text.size() && text[at] == '#') {
      const std::size_t end = text.find('\n', at);
      if (end == std::string_view::npos) break;
      at = end + 1;
    }
    const bool records = at < text.size() && text[at] != '#';
    if (records || blocks.over() || plain.size() < want) {
      header.text = text.substr(0, at);
      break;
    }
  }
  TRY(vcf_references(what, header));
  return header;
}

}  // namespace

std::string_view file_kind_name(FileKind kind) {
  switch (kind) {
    case FileKind::kCram: return "CRAM";
    case FileKind::kBam: return "BAM";
    case FileKind::kVcf: return "VCF";
    case FileKind::kBcf: return "BCF";
  }
  return "";
}

std::optional<std::int32_t> Header::id_of(std::string_view name) const {
  auto found = std::ranges::find(references, name, &Reference::name);
  if (found == references.end()) {
    found = std::ranges::find(references, other_name(name), &Reference::name);
  }
  if (found == references.end()) return std::nullopt;
  return static_cast<std::int32_t>(found - references.begin());
}

Result<Header> parse_header(ByteView head, std::string_view what) {
  if (head.size() >= 4 && as_text(head.first(4)) == "CRAM") return parse_cram(head, what);
  if (!is_bgzf(head))
    return bad(what, "is neither CRAM nor compressed by bgzip (BAM, VCF.gz, BCF)");
  PlainBlocks blocks(head, what);
  TRY_ASSIGN(const ByteView plain, blocks.at_least(5));
  const std::string_view start = as_text(plain);
  if (start.starts_with(std::string_view("BAM\1", 4))) return parse_bam(blocks, what);
  if (start.starts_with("BCF\2")) return parse_bcf(blocks, what);
  if (start.starts_with("##")) return parse_vcf(blocks, what);
  return bad(what, "holds neither BAM, BCF nor VCF");
}

Result<std::int32_t> reference_id(const Index& index, const Header& header, std::string_view name) {
  const auto id = index.names.empty() ? header.id_of(name) : index.id_of(name);
  if (id) return *id;
  // A text VCF's index names only what has records; the header may know more.
  if (!index.names.empty() && header.id_of(name))
    return static_cast<std::int32_t>(index.names.size());
  return fail(Code::kNotFound, "the file has no reference '" + std::string(name) + "'");
}

}  // namespace warifu::genome
