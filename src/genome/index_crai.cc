// CRAM: the lines of a .crai, and the containers that hold a region.
#include <algorithm>
#include <charconv>

#include "genome/index_parts.h"

namespace warifu::genome {
namespace {

constexpr std::uint64_t kMaxOffset = 1ULL << 48U;
constexpr std::int64_t kMaxPosition = 1LL << 40U;
constexpr std::size_t kMaxLineBytes = 160;  // six numbers of 20 digits
constexpr std::size_t kCopyBytes = 1U << 20U;

// One number and the tab or end behind it.
template <typename T>
bool take(std::string_view& rest, T& value, bool last) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc()) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (last) return rest.empty();
  if (rest.empty() || rest.front() != '\t') return false;
  rest.remove_prefix(1);
  return true;
}

std::optional<SliceEntry> parse_line(std::string_view line) {
  SliceEntry entry;
  std::int64_t start = 0;
  std::int64_t span = 0;
  if (!take(line, entry.reference, false) || !take(line, start, false) ||
      !take(line, span, false) || !take(line, entry.container, false) ||
      !take(line, entry.slice_offset, false) || !take(line, entry.slice_bytes, true)) {
    return std::nullopt;
  }
  const bool possible = entry.reference >= kUnplaced && start >= -1 && start < kMaxPosition &&
                        span >= 0 && span < kMaxPosition && entry.container < kMaxOffset &&
                        entry.slice_offset < kMaxOffset && entry.slice_bytes < kMaxOffset;
  if (!possible) return std::nullopt;
  entry.start = start - 1;
  entry.end = entry.start + span;
  return entry;
}

// Offsets of all containers, each once, ascending.
std::vector<std::uint64_t> containers_of(const Index& index) {
  std::vector<std::uint64_t> all;
  all.reserve(index.slices.size());
  for (const SliceEntry& slice : index.slices) all.push_back(slice.container);
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// For each slice, which wishes it belongs to.
class Wishes {
 public:
  explicit Wishes(std::span<const std::vector<Region>> wishes) {
    for (std::size_t i = 0; i < wishes.size(); ++i) {
      for (const Region& region : wishes[i]) {
        const bool all = region.reference == kUnplaced;
        regions_.push_back({.reference = region.reference,
                            .start = all ? INT64_MIN : region.start,
                            .end = all ? INT64_MAX : region.end,
                            .wish = i});
      }
    }
    std::ranges::sort(regions_, {}, place);
    for (std::size_t i = 0; i < regions_.size(); ++i) {
      const bool same = i > 0 && regions_[i - 1].reference == regions_[i].reference;
      regions_[i].reach = same ? std::max(regions_[i - 1].reach, regions_[i].end) : regions_[i].end;
    }
  }
  template <typename Take>
  void each(const SliceEntry& slice, const Take& take) const {
    // From the last region that begins before the slice ends, back to where none reaches it.
    auto at = std::ranges::lower_bound(regions_, std::pair(slice.reference, slice.end), {}, place);
    while (at != regions_.begin()) {
      --at;
      if (at->reference != slice.reference || at->reach <= slice.start) return;
      if (at->end > slice.start) take(at->wish);
    }
  }

 private:
  struct Wished {
    std::int32_t reference = 0;
    std::int64_t start = 0, end = 0;
    std::size_t wish = 0;
    std::int64_t reach = 0;  // the furthest end up to here, of this reference
  };
  static std::pair<std::int32_t, std::int64_t> place(const Wished& one) {
    return {one.reference, one.start};
  }
  std::vector<Wished> regions_;  // by reference and start
};

}  // namespace

Result<Index> parse_crai(ByteView text, std::string_view what) {
  Index index;
  index.kind = IndexKind::kCrai;
  std::string_view rest = as_text(text);
  const auto bad = [&](const std::string& why) {
    return fail(Code::kCorrupt, std::string(what) + ", line " +
                                    std::to_string(index.slices.size() + 1) + ": " + why);
  };
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (index.slices.size() >= kMaxIndexLines) return bad("an index of more lines than 8,000,000");
    if (end > kMaxLineBytes) return bad("too long for a line of a CRAM index");
    const auto entry = parse_line(rest.substr(0, end));
    if (!entry) return bad("not six possible numbers of a CRAM index, with tabs between them");
    index.slices.push_back(*entry);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return index;
}

namespace {

// The containers that begin at `starts`, up to where the next one of all begins.
std::vector<ByteRange> body_of(std::vector<std::uint64_t> starts,
                               const std::vector<std::uint64_t>& containers, std::uint64_t end) {
  std::ranges::sort(starts);
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  std::vector<ByteRange> body;
  for (const std::uint64_t start : starts) {
    const auto next = std::ranges::upper_bound(containers, start);
    const std::uint64_t stop = next == containers.end() ? end : *next;
    if (!body.empty() && body.back().end == start) {
      body.back().end = stop;
    } else {
      body.push_back({start, stop});
    }
  }
  return body;
}

}  // namespace

Result<std::vector<Cut>> cuts_cram(const Index& index, std::span<const std::vector<Region>> wishes,
                                   const WholeFile& file) {
  const std::uint64_t end = file.bytes - file.trailer_bytes;
  const std::vector<std::uint64_t> containers = containers_of(index);
  // Without any slice the file is its header.
  const ByteRange header = {0, containers.empty() ? end : containers.front()};
  if (header.end <= 26 || (!containers.empty() && containers.back() >= end)) {
    return fail(Code::kCorrupt, "the index does not belong to a file of " +
                                    std::to_string(file.bytes) +
                                    " bytes: it names a container at " +
                                    std::to_string(containers.empty() ? 0 : containers.back()));
  }
  const Wishes wanted(wishes);
  std::vector<std::vector<std::uint64_t>> starts(wishes.size());
  for (const SliceEntry& slice : index.slices) {
    wanted.each(slice, [&](std::size_t wish) {
      std::vector<std::uint64_t>& of = starts[wish];
      if (of.empty() || of.back() != slice.container) of.push_back(slice.container);
    });
  }
  std::vector<Cut> made;
  for (std::vector<std::uint64_t>& of : starts) {
    const ByteView trailer = cram_end(file.trailer_bytes);
    made.push_back({.header = header,
                    .body = body_of(std::move(of), containers, end),
                    .pieces = {},
                    .trailer = Bytes(trailer.begin(), trailer.end())});
  }
  return made;
}

Result<> copy_ranges(const Cut& cut, const ReadAt& read, const Sink& sink) {
  secret::Buffer buffer(kCopyBytes);
  for (const ByteRange& range : cut.ranges()) {
    for (std::uint64_t at = range.begin; at < range.end;) {
      const auto part = std::min<std::uint64_t>(kCopyBytes, range.end - at);
      const MutableBytes bytes = buffer.bytes().first(part);
      TRY(read(at, bytes));
      TRY(sink(bytes));
      at += part;
    }
  }
  return {};
}

}  // namespace warifu::genome
