// BAI, CSI and TBI (SAMv1 section 5, CSIv1, tabix): bins of chunks.
//
// Every count is held against the bytes that are left before anything is allocated for it.
#include <algorithm>

#include "genome/index_parts.h"
#include "wire/wire.h"

namespace warifu::genome {
namespace {

constexpr std::size_t kChunkBytes = 16;
constexpr unsigned kMaxDepth = 10;
constexpr unsigned kMaxShift = 62;
constexpr std::size_t kTabixBytes = 28;  // format, columns, marks, length of the names

class Parser {
 public:
  Parser(ByteView bytes, std::string_view what)
      : reader_(bytes, what), what_(what), bytes_(bytes.size()) {}

  wire::Reader& reader() { return reader_; }

  std::unexpected<Error> bad(const std::string& why) const {
    return fail(Code::kCorrupt, std::string(what_) + ", byte " +
                                    std::to_string(bytes_ - reader_.remaining()) + ": " + why);
  }

  // A count of things that take at least `each` bytes.
  Result<std::size_t> count(std::size_t each, const char* things) {
    const auto number = static_cast<std::int32_t>(reader_.u32());
    if (!reader_.good()) return bad("the index is cut short");
    if (number < 0 || static_cast<std::size_t>(number) > reader_.remaining() / each) {
      return bad("an impossible number of " + std::string(things) + ": " + std::to_string(number));
    }
    return static_cast<std::size_t>(number);
  }

  Result<> names(std::size_t bytes, std::vector<std::string>& out) {
    std::string_view rest = as_text(reader_.raw(bytes));
    if (!reader_.good()) return bad("the index is cut short in its names");
    while (!rest.empty()) {
      const std::size_t end = rest.find('\0');
      if (end == std::string_view::npos || end == 0 || end > kMaxIndexName) {
        return bad("an impossible reference name");
      }
      if (out.size() >= kMaxIndexReferences) return bad("too many references");
      out.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    return {};
  }

  Result<> references(IndexKind kind, Binning& binning, std::size_t number) {
    if (number > kMaxIndexReferences) return bad("too many references");
    binning.references.resize(number);
    for (BinnedReference& reference : binning.references) {
      TRY(one_reference(kind, binning, reference));
    }
    // The number of reads without a position may follow; nothing else.
    if (reader_.remaining() == 8) (void)reader_.u64();
    if (reader_.remaining() != 0) return bad("bytes behind the end of the index");
    return {};
  }

 private:
  Result<> one_reference(IndexKind kind, const Binning& binning, BinnedReference& reference) {
    const bool csi = kind == IndexKind::kCsi;
    const std::uint64_t bins = ((1ULL << (3 * (binning.depth + 1))) - 1) / 7;
    TRY_ASSIGN(const std::size_t number, count(csi ? 16 : 8, "bins"));
    reference.bins.reserve(number);
    for (std::size_t i = 0; i < number; ++i) {
      Bin bin;
      bin.number = reader_.u32();
      if (csi) bin.first = reader_.u64();
      TRY_ASSIGN(const std::size_t chunks, count(kChunkBytes, "chunks"));
      const bool statistics = bin.number == bins + 1;  // htslib's counts; no chunks
      if (!statistics && bin.number >= bins) {
        return bad("bin " + std::to_string(bin.number) + " is none of such an index");
      }
      bin.chunks.reserve(chunks);
      for (std::size_t c = 0; c < chunks; ++c) {
        VirtualRange chunk;
        chunk.begin = reader_.u64();
        chunk.end = reader_.u64();
        if (!statistics && chunk.begin > chunk.end)
          return bad("a chunk that ends before it starts");
        bin.chunks.push_back(chunk);
      }
      if (!statistics) reference.bins.push_back(std::move(bin));
    }
    std::ranges::sort(reference.bins, {}, &Bin::number);
    const auto same = [](const Bin& a, const Bin& b) { return a.number == b.number; };
    if (std::ranges::adjacent_find(reference.bins, same) != reference.bins.end()) {
      return bad("a bin that is there twice");
    }
    if (csi) return {};
    TRY_ASSIGN(const std::size_t windows, count(8, "windows"));
    reference.linear.reserve(windows);
    for (std::size_t i = 0; i < windows; ++i) reference.linear.push_back(reader_.u64());
    return {};
  }

  wire::Reader reader_;
  std::string_view what_;
  std::size_t bytes_;
};

}  // namespace

Result<Index> parse_bai(ByteView bytes, std::string_view what) {
  Parser parser(bytes, what);
  (void)parser.reader().raw(4);
  Index index;
  index.kind = IndexKind::kBai;
  TRY_ASSIGN(const std::size_t number, parser.count(8, "references"));
  TRY(parser.references(index.kind, index.binning, number));
  return index;
}

Result<Index> parse_tbi(ByteView bytes, std::string_view what) {
  Parser parser(bytes, what);
  (void)parser.reader().raw(4);
  Index index;
  index.kind = IndexKind::kTbi;
  TRY_ASSIGN(const std::size_t number, parser.count(8, "references"));
  (void)parser.reader().raw(kTabixBytes - 4);
  TRY_ASSIGN(const std::size_t names, parser.count(1, "bytes of names"));
  TRY(parser.names(names, index.names));
  if (index.names.size() != number) return parser.bad("names and references differ in number");
  TRY(parser.references(index.kind, index.binning, number));
  return index;
}

Result<Index> parse_csi(ByteView bytes, std::string_view what) {
  Parser parser(bytes, what);
  (void)parser.reader().raw(4);
  Index index;
  index.kind = IndexKind::kCsi;
  index.binning.min_shift = parser.reader().u32();
  index.binning.depth = parser.reader().u32();
  if (index.binning.depth > kMaxDepth || index.binning.min_shift == 0 ||
      index.binning.min_shift > kMaxShift - 3 * index.binning.depth) {
    return parser.bad("a CSI index of impossible shape");
  }
  TRY_ASSIGN(const std::size_t extra, parser.count(1, "extra bytes"));
  if (extra >= kTabixBytes) {
    (void)parser.reader().raw(kTabixBytes - 4);
    TRY_ASSIGN(const std::size_t names, parser.count(1, "bytes of names"));
    if (names > extra - kTabixBytes) return parser.bad("names longer than their field");
    TRY(parser.names(names, index.names));
    (void)parser.reader().raw(extra - kTabixBytes - names);
  } else {
    (void)parser.reader().raw(extra);
  }
  TRY_ASSIGN(const std::size_t number, parser.count(4, "references"));
  TRY(parser.references(index.kind, index.binning, number));
  return index;
}

}  // namespace warifu::genome
