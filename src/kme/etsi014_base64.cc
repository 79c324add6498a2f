// Blocks of 48 bytes and 64 characters. Six-bit groups are spread and packed in 64-bit words, eight
// at a time; characters are mapped by comparisons of whole vectors.
#include "kme/etsi014_base64.h"

#include <array>
#include <bit>

#include "wire/wire.h"

namespace warifu::kme::etsi014 {
namespace {

constexpr std::size_t kBlockBytes = 48;
constexpr std::size_t kBlockText = 64;
constexpr std::size_t kWordBytes = 6;
constexpr std::size_t kWordText = 8;

using Vector = std::uint8_t __attribute__((vector_size(16)));
using WordPair = std::uint64_t __attribute__((vector_size(16)));

std::uint64_t from_big_endian(std::uint64_t word) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

Vector all(int value) {
  return Vector{} + static_cast<std::uint8_t>(value);
}

// Six-bit values to characters: each range's distance is added where it begins.
Vector to_text(Vector v) {
  return v + all('A') + (Vector(v > all(25)) & all('a' - 26 - 'A')) +
         (Vector(v > all(51)) & all('0' - 52 - ('a' - 26))) +
         (Vector(v > all(61)) & all('+' - 62 - ('0' - 52))) +
         (Vector(v > all(62)) & all('/' - 63 - ('+' - 62)));
}

// Characters to six-bit values; `flaws` collects what is not in the alphabet.
Vector from_text(Vector c, Vector& flaws) {
  const Vector upper = Vector(c - all('A') < all(26));
  const Vector lower = Vector(c - all('a') < all(26));
  const Vector digit = Vector(c - all('0') < all(10));
  const Vector plus = Vector(c == all('+'));
  const Vector slash = Vector(c == all('/'));
  flaws |= ~(upper | lower | digit | plus | slash);
  return (upper & (c - all('A'))) | (lower & (c - all('a' - 26))) | (digit & (c - all('0' - 52))) |
         (plus & all(62)) | (slash & all(63));
}

// 48 bits to eight bytes of six bits each.
std::uint64_t spread(std::uint64_t x) {
  x = (x & 0x0000FFFFFF000000) << 8 | (x & 0x0000000000FFFFFF);
  x = (x & 0x00FFF00000FFF000) << 4 | (x & 0x00000FFF00000FFF);
  return (x & 0x0FC00FC00FC00FC0) << 2 | (x & 0x003F003F003F003F);
}

std::uint64_t pack(std::uint64_t x) {
  x = (x & 0x3F003F003F003F00) >> 2 | (x & 0x003F003F003F003F);
  x = (x & 0x0FFF00000FFF0000) >> 4 | (x & 0x00000FFF00000FFF);
  return (x & 0x00FFFFFF00000000) >> 8 | (x & 0x0000000000FFFFFF);
}

// Eight values of six bits from the bytes at `index` * 6 of a block.
std::uint64_t spread_word(const Byte* block, std::size_t index) {
  // Loads of eight bytes, the last one from further left so that it stays inside the block.
  const bool last = index + 1 == kBlockText / kWordText;
  std::uint64_t word = 0;
  std::memcpy(&word, block + (last ? kBlockBytes - sizeof word : index * kWordBytes), sizeof word);
  word = from_big_endian(word);
  return from_big_endian(spread(last ? word & 0x0000FFFFFFFFFFFF : word >> 16));
}

void encode_block(const Byte* bytes, char* text) {
  for (std::size_t i = 0; i < kBlockText / kWordText; i += 2) {
    const WordPair words = {spread_word(bytes, i), spread_word(bytes, i + 1)};
    const Vector v = to_text(std::bit_cast<Vector>(words));
    std::memcpy(text + i * kWordText, &v, sizeof v);
  }
}

void decode_block(const char* text, Byte* bytes, Vector& flaws) {
  std::array<Byte, kBlockText> block;
  for (std::size_t i = 0; i < kBlockText; i += sizeof(Vector)) {
    Vector v;
    std::memcpy(&v, text + i, sizeof v);
    v = from_text(v, flaws);
    std::memcpy(block.data() + i, &v, sizeof v);
  }
  for (std::size_t i = 0; i < kBlockText / kWordText; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, block.data() + i * kWordText, kWordText);
    word = from_big_endian(pack(from_big_endian(word)) << 16);
    std::memcpy(bytes + i * kWordBytes, &word, kWordBytes);
  }
}

}  // namespace

void encode_bulk(ByteView bytes, std::span<char> text) {
  WARIFU_CHECK(text.size() == wire::base64_length(bytes.size()));
  const std::size_t blocks = bytes.size() / kBlockBytes;
  for (std::size_t i = 0; i < blocks; ++i) {
    encode_block(bytes.data() + i * kBlockBytes, text.data() + i * kBlockText);
  }
  wire::base64_encode(bytes.subspan(blocks * kBlockBytes), text.subspan(blocks * kBlockText));
}

Result<std::size_t> decode_bulk(std::string_view text, MutableBytes out) {
  // The last group, which may be padded, always stays for the careful decoder.
  const std::size_t blocks = text.empty() ? 0 : (text.size() - 1) / kBlockText;
  if (blocks * kBlockBytes > out.size()) {
    return fail(Code::kInvalidArgument, "base64 text is longer than expected");
  }
  Vector flaws{};
  for (std::size_t i = 0; i < blocks; ++i) {
    decode_block(text.data() + i * kBlockText, out.data() + i * kBlockBytes, flaws);
  }
  std::array<Byte, sizeof(Vector)> found{};
  std::memcpy(found.data(), &flaws, sizeof flaws);
  if (found != std::array<Byte, sizeof(Vector)>{}) {
    return fail(Code::kInvalidArgument, "not base64 text (RFC 4648)");
  }
  TRY_ASSIGN(const std::size_t rest, wire::base64_decode(text.substr(blocks * kBlockText),
                                                         out.subspan(blocks * kBlockBytes)));
  return blocks * kBlockBytes + rest;
}

}  // namespace warifu::kme::etsi014
