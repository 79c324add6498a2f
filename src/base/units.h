// Numbers with a meaning, so that an offset is never passed where a length is wanted,
// and texts for people: sizes, rates, durations.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace warifu {

template <typename Tag>
struct Number {
  std::uint64_t value = 0;
  auto operator<=>(const Number&) const = default;
};

using PadOffset = Number<struct PadOffsetTag>;    // byte position in the endless stream of a pool
using ByteCount = Number<struct ByteCountTag>;    // a length in bytes
using ChunkIndex = Number<struct ChunkIndexTag>;  // position of a chunk in an object, from 0
using SegmentNumber = Number<struct SegmentNumberTag>;  // segment of a pool, from 0

[[nodiscard]] inline PadOffset operator+(PadOffset a, ByteCount n) {
  return {a.value + n.value};
}
[[nodiscard]] inline ByteCount operator-(PadOffset a, PadOffset b) {
  WARIFU_CHECK(a.value >= b.value);
  return {a.value - b.value};
}
[[nodiscard]] inline ByteCount operator+(ByteCount a, ByteCount b) {
  return {a.value + b.value};
}

// "12.3 MB" with powers of 1000; below 1000 "123 B".
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);
// "4.5 Mbit/s".
[[nodiscard]] std::string human_bit_rate(double bits_per_second);
// "3 s", "2 min 10 s", "3 h 34 min".
[[nodiscard]] std::string human_seconds(double seconds);

// Parses "210M", "1G", "64KiB", "500kB", "1234". K, M, G, T and KiB.. are powers of 1024; kB, MB,
// GB, TB powers of 1000. Errors: kInvalidArgument.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

// Seconds of "90s", "30m", "1h", "7d"; more than none. Errors: kInvalidArgument.
[[nodiscard]] Result<std::uint64_t> parse_duration(std::string_view text);
// The same, and "0s" too.
[[nodiscard]] Result<std::uint64_t> parse_delay(std::string_view text);

}  // namespace warifu
