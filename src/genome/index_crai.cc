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

bool wanted(const SliceEntry& slice, const std::vector<Region>& regions) {
  return std::ranges::any_of(regions, [&](const Region& region) {
    if (slice.reference != region.reference) return false;
    return region.reference == kUnplaced || (slice.start < region.end && slice.end > region.start);
  });
}

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

Result<Cut> cut_cram(const Index& index, const std::vector<Region>& regions,
                     const WholeFile& file) {
  const std::uint64_t end = file.bytes - file.trailer_bytes;
  const std::vector<std::uint64_t> containers = containers_of(index);
  Cut made;
  made.trailer = Bytes(cram_end(file.trailer_bytes).begin(), cram_end(file.trailer_bytes).end());
  // Without any slice the file is its header.
  made.header = {0, containers.empty() ? end : containers.front()};
  if (made.header.end <= 26 || (!containers.empty() && containers.back() >= end)) {
    return fail(Code::kCorrupt, "the index does not belong to a file of " +
                                    std::to_string(file.bytes) +
                                    " bytes: it names a container at " +
                                    std::to_string(containers.empty() ? 0 : containers.back()));
  }
  std::vector<std::uint64_t> starts;
  for (const SliceEntry& slice : index.slices) {
    if (wanted(slice, regions)) starts.push_back(slice.container);
  }
  std::ranges::sort(starts);
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  for (const std::uint64_t start : starts) {
    const auto next = std::ranges::upper_bound(containers, start);
    const std::uint64_t stop = next == containers.end() ? end : *next;
    if (!made.body.empty() && made.body.back().end == start) {
      made.body.back().end = stop;
    } else {
      made.body.push_back({start, stop});
    }
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
