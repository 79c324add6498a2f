// Blocks.
#include "genome/bgzf.h"

#include <algorithm>
#include <string>

#include "base/gzip.h"

namespace warifu::genome {
namespace {

constexpr std::size_t kTailBytes = 8;  // CRC-32 and length

std::uint32_t le32(ByteView at) {
  return static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8U |
         static_cast<std::uint32_t>(at[2]) << 16U | static_cast<std::uint32_t>(at[3]) << 24U;
}

std::size_t le16(ByteView at) {
  return static_cast<std::size_t>(at[0]) | static_cast<std::size_t>(at[1]) << 8U;
}

void put32(MutableBytes to, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) to[i] = static_cast<Byte>(value >> (8 * i));
}

// Where the deflated bytes of a block start, and its length: the extra field BC holds it.
struct BlockShape {
  std::size_t data = 0;
  std::size_t bytes = 0;
};

Result<BlockShape> shape_of(ByteView head, std::string_view what) {
  const auto bad = [&](const char* why) {
    return fail(Code::kCorrupt, std::string(what) + ": " + why);
  };
  if (head.size() < 12 || !is_gzip(head) || head[2] != 8 || head[3] != 4) {
    return bad("no BGZF block starts here");
  }
  const std::size_t end = 12 + le16(head.subspan(10));
  for (std::size_t at = 12; at + 4 <= std::min(end, head.size());) {
    const std::size_t length = le16(head.subspan(at + 2));
    if (head[at] == 'B' && head[at + 1] == 'C' && length == 2 && at + 6 <= head.size()) {
      const BlockShape shape{end, le16(head.subspan(at + 4)) + 1};
      if (at + 6 > end || shape.bytes < end + kTailBytes)
        return bad("a BGZF block of impossible length");
      return shape;
    }
    at += 4 + length;
  }
  return bad("gzip without BGZF's block lengths; compress it with bgzip");
}

}  // namespace

bool is_bgzf(ByteView bytes) {
  return bytes.size() >= kBgzfHeadBytes && shape_of(bytes, "").has_value();
}

Result<std::size_t> bgzf_block_bytes(ByteView head, std::string_view what) {
  TRY_ASSIGN(const BlockShape shape, shape_of(head, what));
  return shape.bytes;
}

Result<secret::Buffer> inflate_block(ByteView block, std::string_view what) {
  TRY_ASSIGN(const BlockShape shape, shape_of(block, what));
  const auto bad = [&](const char* why) {
    return fail(Code::kCorrupt, std::string(what) + ": " + why);
  };
  if (shape.bytes != block.size()) return bad("a BGZF block is cut short");
  const std::uint32_t size = le32(block.subspan(block.size() - 4));
  if (size > kMaxBgzfBlock) return bad("a BGZF block of more than 64 KiB");
  secret::Buffer plain(std::max<std::size_t>(size, 1));
  const ByteView deflated = block.first(block.size() - kTailBytes).subspan(shape.data);
  if (inflate_bare(deflated, plain.bytes()) != size) return bad("a BGZF block is damaged");
  plain.shrink(size);
  if (gzip_crc(plain.bytes()) != le32(block.subspan(block.size() - kTailBytes))) {
    return bad("a BGZF block does not match its CRC");
  }
  return plain;
}

secret::Buffer deflate_block(ByteView plain) {
  WARIFU_CHECK(plain.size() <= kBgzfFillBytes);
  secret::Buffer block(kMaxBgzfBlock);
  // Incompressible bytes still fit: 65,280 and a little.
  const std::size_t deflated =
      deflate_bare(plain, block.bytes().first(block.size() - kTailBytes).subspan(kBgzfHeadBytes));
  const std::size_t bytes = kBgzfHeadBytes + deflated + kTailBytes;
  copy_bytes(block.bytes(), ByteView(kBgzfEnd).first(kBgzfHeadBytes));
  block.bytes()[16] = static_cast<Byte>((bytes - 1) & 0xffU);
  block.bytes()[17] = static_cast<Byte>((bytes - 1) >> 8U);
  put32(block.bytes().subspan(bytes - kTailBytes), gzip_crc(plain));
  put32(block.bytes().subspan(bytes - 4), static_cast<std::uint32_t>(plain.size()));
  block.shrink(bytes);
  return block;
}

}  // namespace warifu::genome
