// Preservation map and slice header.
#include "genome/cram_slice.h"

#include <algorithm>
#include <map>

#include "genome/cram_parts.h"

namespace warifu::genome {
namespace {

constexpr unsigned kCompressionHeader = 1;
constexpr unsigned kSliceHeader = 2;
constexpr std::int32_t kNoBlock = -1;

// RR of the preservation map: is the reference required to decode? True when it is not there.
Result<bool> reference_required(ByteView compression_header, std::string_view what) {
  wire::Reader in(compression_header, std::string(what) + ", a compression header");
  (void)take_itf8(in);  // bytes of the map
  const std::uint64_t entries = take_itf8(in);
  for (std::uint64_t i = 0; i < entries && in.good(); ++i) {
    const std::string_view key = as_text(in.raw(2));
    if (key == "RR") {
      const bool required = in.u8() != 0;
      TRY(in.check());
      return required;
    }
    if (key == "SM") {
      (void)in.raw(5);
    } else if (key == "TD") {
      (void)in.raw(take_itf8(in));
    } else {
      (void)in.u8();  // RN, AP and what a later version adds: a truth value
    }
  }
  TRY(in.check());
  return true;
}

}  // namespace

Result<SliceReference> parse_slice_reference(ByteView container, unsigned major,
                                             std::string_view what) {
  const std::string name = std::string(what) + ", a slice";
  const auto parsed = [&]() -> Result<SliceReference> {
    wire::Reader in(container, name);
    std::uint32_t length = 0;
    TRY(skip_container(in, major, length));
    TRY_ASSIGN(const CramBlock compression, take_block(in, major, kMostSliceHeads, name));
    TRY_ASSIGN(const CramBlock slice, take_block(in, major, kMostSliceHeads, name));
    if (compression.type != kCompressionHeader || slice.type != kSliceHeader) {
      return fail(Code::kCorrupt, name + ": its container has other blocks than it must");
    }
    TRY_ASSIGN(const bool required, reference_required(compression.plain, what));
    wire::Reader head(slice.plain, name);
    SliceReference found;
    found.reference = take_signed_itf8(head);
    found.start = std::int64_t{take_signed_itf8(head)} - 1;
    found.end = found.start + take_signed_itf8(head);
    (void)take_itf8(head);  // records
    major >= 3 ? skip_ltf8(head) : static_cast<void>(take_itf8(head));
    (void)take_itf8(head);  // blocks
    const std::uint64_t ids = take_itf8(head);
    for (std::uint64_t i = 0; i < ids && head.good(); ++i) (void)take_itf8(head);
    const std::int32_t embedded = take_signed_itf8(head);
    copy_bytes(found.md5, head.raw(found.md5.size()));
    TRY(head.check());
    found.is_needed = required && embedded == kNoBlock;
    return found;
  }();
  if (parsed || parsed.error().code == Code::kCorrupt) return parsed;
  return fail(Code::kCorrupt, parsed.error().message);
}

std::vector<FirstSlice> first_slices(const Index& index) {
  std::map<std::int32_t, std::uint64_t> first;
  for (const SliceEntry& slice : index.slices) {
    if (slice.reference == kUnplaced) continue;
    const auto [it, is_new] = first.try_emplace(slice.reference, slice.container);
    if (!is_new) it->second = std::min(it->second, slice.container);
  }
  std::vector<FirstSlice> found;
  found.reserve(first.size());
  for (const auto& [reference, container] : first) found.push_back({reference, container});
  return found;
}

}  // namespace warifu::genome
