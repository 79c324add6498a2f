// The header field Range (RFC 9110, section 14.2): which bytes of an answer a client wants.
//
// Invariant: first <= end <= size, and first < end where the range is partial. A value; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace warifu::htsget {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;  // behind the last byte
  bool partial = false;
  bool operator==(const ByteRange&) const = default;
};

// One range of the `size` bytes of an answer; several, other units and what is no range count as
// none, which is everything. Nothing: it cannot be met (416).
[[nodiscard]] std::optional<ByteRange> range_of(std::string_view text, std::uint64_t size);

}  // namespace warifu::htsget
