// Base64 without tables: characters are mapped by arithmetic on ranges, so neither a branch nor an
// address depends on the bytes.
#include "wire/wire.h"

namespace warifu::wire {
namespace {

// All ones when low <= value <= high, else 0 (all below 2^15): either difference going negative
// sets bit 31.
constexpr std::uint32_t in_range(std::uint32_t value, std::uint32_t low, std::uint32_t high) {
  return (((value - low) | (high - value)) >> 31) - 1;
}

char encode_six(std::uint32_t v) {
  const std::uint32_t c = (in_range(v, 0, 25) & (v + 'A')) |
                          (in_range(v, 26, 51) & (v - 26 + 'a')) |
                          (in_range(v, 52, 61) & (v - 52 + '0')) | (in_range(v, 62, 62) & '+') |
                          (in_range(v, 63, 63) & '/');
  return static_cast<char>(c);
}

// The value of a character in bits 0..5; bit 8 set when the character is not in the alphabet.
std::uint32_t decode_six(char character) {
  const std::uint32_t c = static_cast<unsigned char>(character);
  const std::uint32_t upper = in_range(c, 'A', 'Z');
  const std::uint32_t lower = in_range(c, 'a', 'z');
  const std::uint32_t digit = in_range(c, '0', '9');
  const std::uint32_t plus = in_range(c, '+', '+');
  const std::uint32_t slash = in_range(c, '/', '/');
  const std::uint32_t value = (upper & (c - 'A')) | (lower & (c - 'a' + 26)) |
                              (digit & (c - '0' + 52)) | (plus & 62) | (slash & 63);
  return value | (~(upper | lower | digit | plus | slash) & 0x100);
}

}  // namespace

std::size_t base64_length(std::size_t bytes) {
  return (bytes + 2) / 3 * 4;
}

void base64_encode(ByteView bytes, std::span<char> text) {
  WARIFU_CHECK(text.size() == base64_length(bytes.size()));
  std::size_t at = 0;
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t v = static_cast<std::uint32_t>(bytes[i]) << 16 |
                            static_cast<std::uint32_t>(bytes[i + 1]) << 8 | bytes[i + 2];
    text[at++] = encode_six(v >> 18);
    text[at++] = encode_six(v >> 12 & 63);
    text[at++] = encode_six(v >> 6 & 63);
    text[at++] = encode_six(v & 63);
  }
  if (i == bytes.size()) return;
  const bool two = i + 1 < bytes.size();
  const std::uint32_t v = static_cast<std::uint32_t>(bytes[i]) << 16 |
                          (two ? static_cast<std::uint32_t>(bytes[i + 1]) << 8 : 0);
  text[at++] = encode_six(v >> 18);
  text[at++] = encode_six(v >> 12 & 63);
  text[at++] = two ? encode_six(v >> 6 & 63) : '=';
  text[at] = '=';
}

Result<std::size_t> base64_decode(std::string_view text, MutableBytes out) {
  const auto bad = [] { return fail(Code::kInvalidArgument, "not base64 text (RFC 4648)"); };
  if (text.size() % 4 != 0) return bad();
  std::size_t padding = 0;
  if (text.ends_with("==")) {
    padding = 2;
  } else if (text.ends_with('=')) {
    padding = 1;
  }
  const std::size_t size = text.size() / 4 * 3 - padding;
  if (out.size() < size) return fail(Code::kInvalidArgument, "base64 text is longer than expected");
  std::uint32_t flaws = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t kept = i + 4 == text.size() ? 4 - padding : 4;
    std::uint32_t v = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const std::uint32_t six = j < kept ? decode_six(text[i + j]) : 0;
      flaws |= six;
      v = v << 6 | (six & 63);
    }
    // Bits beyond the last byte must be zero, else two texts would mean the same bytes.
    const std::uint32_t spare = kept == 4 ? 0 : kept == 3 ? v & 0xFF : v & 0xFFFF;
    flaws |= ((0 - spare) >> 31) << 8;
    for (std::size_t j = 0; j + 1 < kept; ++j) {
      out[at++] = static_cast<Byte>(v >> (16 - 8 * j));
    }
  }
  if ((flaws & 0x100) != 0) return bad();
  return at;
}

}  // namespace warifu::wire
