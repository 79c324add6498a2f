// Kinds of indexes, ends of files, and what does not depend on the kind.
#include "genome/index.h"

#include <algorithm>
#include <array>

#include "base/gzip.h"
#include "genome/bgzf.h"
#include "genome/index_parts.h"

namespace warifu::genome {
namespace {

constexpr std::array<Byte, 38> kCram3End = {
    0x0f, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xe0, 0x45, 0x4f, 0x46,
    0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x05, 0xbd, 0xd9, 0x4f, 0x00, 0x01, 0x00,
    0x06, 0x06, 0x01, 0x00, 0x01, 0x00, 0x01, 0x00, 0xee, 0x63, 0x01, 0x4b};
constexpr std::array<Byte, 30> kCram21End = {
    0x0b, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xe0, 0x45, 0x4f, 0x46, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x01, 0x00, 0x06, 0x06, 0x01, 0x00, 0x01, 0x00, 0x01, 0x00};

bool starts_with(ByteView bytes, std::string_view text) {
  return bytes.size() >= text.size() && as_text(bytes.first(text.size())) == text;
}

bool ends_with(ByteView bytes, ByteView end) {
  return bytes.size() >= end.size() && std::ranges::equal(bytes.last(end.size()), end);
}

}  // namespace

ByteView cram_end(std::uint64_t bytes) {
  return bytes == kCram21End.size() ? ByteView(kCram21End) : ByteView(kCram3End);
}

std::string_view index_kind_name(IndexKind kind) {
  switch (kind) {
    case IndexKind::kCrai: return "crai";
    case IndexKind::kBai: return "bai";
    case IndexKind::kCsi: return "csi";
    case IndexKind::kTbi: return "tbi";
  }
  return "";
}

std::string other_name(std::string_view name) {
  if (name == "chrM") return "MT";
  if (name == "MT") return "chrM";
  if (name.starts_with("chr")) return std::string(name.substr(3));
  return "chr" + std::string(name);
}

std::optional<std::int32_t> Index::id_of(std::string_view name) const {
  auto found = std::ranges::find(names, name);
  if (found == names.end()) found = std::ranges::find(names, other_name(name));
  if (found == names.end()) return std::nullopt;
  return static_cast<std::int32_t>(found - names.begin());
}

Result<Index> parse_index(ByteView file, std::string_view what) {
  if (file.size() > kMaxIndexBytes) {
    return fail(Code::kCorrupt, std::string(what) + ": an index of more than 256 MiB");
  }
  Bytes inflated;
  if (is_gzip(file)) {
    TRY_ASSIGN(inflated, gunzip(file, kMaxIndexBytes, what));
  }
  const ByteView plain = is_gzip(file) ? ByteView(inflated) : file;
  const bool binned = plain.size() >= 4 && plain[3] == 1;
  if (binned && plain.size() > kMaxBinnedBytes) {
    return fail(Code::kCorrupt, std::string(what) + ": an index of more than 64 MiB");
  }
  if (starts_with(plain, std::string_view("BAI\1", 4))) return parse_bai(plain, what);
  if (starts_with(plain, std::string_view("CSI\1", 4))) return parse_csi(plain, what);
  if (starts_with(plain, std::string_view("TBI\1", 4))) return parse_tbi(plain, what);
  return parse_crai(plain, what);
}

Result<WholeFile> describe_file(ByteView first, ByteView last, std::uint64_t bytes,
                                std::string_view what) {
  const auto bad = [&](const std::string& why) {
    return fail(Code::kCorrupt, std::string(what) + ": " + why);
  };
  if (is_bgzf(first)) {
    if (ends_with(last, kBgzfEnd)) return WholeFile{bytes, kBgzfEnd.size()};
    return bad("is cut short: a BGZF file ends with an empty block, and this one does not");
  }
  if (!starts_with(first, "CRAM") || first.size() < 26) return bad("is neither CRAM nor BGZF");
  if (first[4] == 2 && first[5] >= 1 && ends_with(last, kCram21End)) {
    return WholeFile{bytes, kCram21End.size()};
  }
  if (first[4] == 3 && ends_with(last, kCram3End)) return WholeFile{bytes, kCram3End.size()};
  const std::string version = std::to_string(first[4]) + "." + std::to_string(first[5]);
  if ((first[4] == 2 && first[5] >= 1) || first[4] == 3) {
    return bad("is cut short: the container that ends CRAM " + version + " is not there");
  }
  return bad("CRAM " + version + " is not supported; 2.1 and 3.x are");
}

std::vector<ByteRange> Cut::ranges() const {
  std::vector<ByteRange> all = {header};
  all.insert(all.end(), body.begin(), body.end());
  return all;
}

std::uint64_t Cut::bytes() const {
  std::uint64_t sum = header.size();
  for (const ByteRange& range : body) sum += range.size();
  return sum;
}

Result<Cut> cut(const Index& index, const std::vector<Region>& regions, const WholeFile& file) {
  TRY_ASSIGN(std::vector<Cut> one, cuts(index, {&regions, 1}, file));
  return std::move(one.front());
}

namespace {

Result<> check_region(const Region& region) {
  const bool placed = region.reference >= 0 && region.start >= 0 && region.start < region.end;
  if (placed || region.reference == kUnplaced) return {};
  return fail(Code::kInvalidArgument, "no region: reference " + std::to_string(region.reference) +
                                          ", " + std::to_string(region.start) + " to " +
                                          std::to_string(region.end));
}

}  // namespace

Result<std::vector<Cut>> cuts(const Index& index, std::span<const std::vector<Region>> wishes,
                              const WholeFile& file) {
  if (file.trailer_bytes > file.bytes || file.bytes >= 1ULL << 48U) {
    return fail(Code::kInvalidArgument, "a file of impossible length");
  }
  for (const std::vector<Region>& regions : wishes) {
    for (const Region& region : regions) TRY(check_region(region));
  }
  return index.kind == IndexKind::kCrai ? cuts_cram(index, wishes, file)
                                        : cuts_bgzf(index, wishes, file);
}

Result<Cut> cut_header(const Index& index, const WholeFile& file) {
  return cut(index, {}, file);
}

Result<> join(const Cut& cut, const ReadAt& read, const Sink& sink, std::string_view what) {
  if (cut.pieces.empty()) {
    TRY(copy_ranges(cut, read, sink));
  } else {
    TRY(copy_pieces(cut, read, sink, what));
  }
  return sink(cut.trailer);
}

}  // namespace warifu::genome
