// Two numbers and a hyphen.
#include "htsget/byte_range.h"

#include <algorithm>
#include <charconv>

namespace warifu::htsget {
namespace {

bool read_number(std::string_view digits, std::uint64_t& value) {
  const auto done = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return !digits.empty() && done.ec == std::errc() && done.ptr == digits.data() + digits.size();
}

}  // namespace

std::optional<ByteRange> range_of(std::string_view text, std::uint64_t size) {
  const ByteRange all{0, size, false};
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return all;
  text.remove_prefix(kUnit.size());
  const std::size_t hyphen = text.find('-');
  if (hyphen == std::string_view::npos || text.find(',') != std::string_view::npos) return all;
  std::uint64_t first = 0, last = 0;
  const bool has_first = read_number(text.substr(0, hyphen), first);
  const bool has_last = read_number(text.substr(hyphen + 1), last);
  if (!has_first && hyphen == 0 && has_last) {  // the last so many
    if (last == 0 || size == 0) return std::nullopt;
    return ByteRange{size - std::min(size, last), size, true};
  }
  if (!has_first || (!has_last && hyphen + 1 != text.size())) return all;
  if (has_last && last < first) return all;
  if (first >= size) return std::nullopt;
  // Not last + 1 of a last that may be the largest number there is.
  return ByteRange{first, has_last ? std::min(size - 1, last) + 1 : size, true};
}

}  // namespace warifu::htsget
