// zlib.
#include "genome/bgzf.h"

#include <zlib.h>

#include <algorithm>
#include <string>

namespace warifu::genome {
namespace {

constexpr int kGzipWindow = 15 + 16;
constexpr int kRawWindow = -15;
constexpr std::size_t kStep = 1U << 16U;
constexpr std::size_t kTailBytes = 8;  // CRC-32 and length

// z_stream with its end; inflating.
class Inflater {
 public:
  explicit Inflater(int window) { ready_ = ::inflateInit2(&stream_, window) == Z_OK; }
  ~Inflater() { (void)::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  [[nodiscard]] bool ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

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

Result<Bytes> gunzip(ByteView file, std::uint64_t most, std::string_view what) {
  const auto bad = [&](const std::string& why) {
    return fail(Code::kCorrupt, std::string(what) + ": " + why);
  };
  Inflater inflater(kGzipWindow);
  if (!inflater.ready()) return fail(Code::kIo, "no memory to inflate " + std::string(what));
  z_stream& z = inflater.stream();
  Bytes out;
  Bytes step(kStep);
  std::size_t fed = 0;
  int state = Z_OK;
  for (;;) {
    if (z.avail_in == 0 && fed < file.size()) {
      const std::size_t part = std::min(kStep, file.size() - fed);
      z.next_in = const_cast<Byte*>(file.data() + fed);
      z.avail_in = static_cast<uInt>(part);
      fed += part;
    }
    z.next_out = step.data();
    z.avail_out = static_cast<uInt>(step.size());
    state = ::inflate(&z, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
      return bad("its gzip data are damaged after " + std::to_string(out.size()) + " bytes");
    }
    const std::size_t got = step.size() - z.avail_out;
    if (out.size() + got > most) {
      return bad("inflates to more than " + std::to_string(most) + " bytes");
    }
    out.insert(out.end(), step.begin(), step.begin() + static_cast<std::ptrdiff_t>(got));
    const bool fed_all = z.avail_in == 0 && fed == file.size();
    if (state == Z_STREAM_END) {
      if (fed_all) return out;
      if (::inflateReset(&z) != Z_OK) return bad("its gzip data are damaged");
    } else if (got == 0 && fed_all) {
      return bad("is cut short: its gzip data do not end");
    }
  }
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
  Inflater inflater(kRawWindow);
  if (!inflater.ready()) return fail(Code::kIo, "no memory to inflate " + std::string(what));
  secret::Buffer plain(std::max<std::size_t>(size, 1));
  z_stream& z = inflater.stream();
  z.next_in = const_cast<Byte*>(block.data() + shape.data);
  z.avail_in = static_cast<uInt>(block.size() - shape.data - kTailBytes);
  z.next_out = plain.bytes().data();
  z.avail_out = static_cast<uInt>(plain.size());
  const int state = ::inflate(&z, Z_FINISH);
  if (state != Z_STREAM_END || z.total_out != size) return bad("a BGZF block is damaged");
  plain.shrink(size);
  const auto crc = ::crc32(0, plain.bytes().data(), size);
  if (static_cast<std::uint32_t>(crc) != le32(block.subspan(block.size() - kTailBytes))) {
    return bad("a BGZF block does not match its CRC");
  }
  return plain;
}

secret::Buffer deflate_block(ByteView plain) {
  WARIFU_CHECK(plain.size() <= kBgzfFillBytes);
  secret::Buffer block(kMaxBgzfBlock);
  z_stream z{};
  // Level 1: such blocks are read once. Incompressible bytes still fit: 65,280 and a little.
  WARIFU_CHECK(::deflateInit2(&z, 1, Z_DEFLATED, kRawWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  z.next_in = const_cast<Byte*>(plain.data());
  z.avail_in = static_cast<uInt>(plain.size());
  z.next_out = block.bytes().data() + kBgzfHeadBytes;
  z.avail_out = static_cast<uInt>(block.size() - kBgzfHeadBytes - kTailBytes);
  const int state = ::deflate(&z, Z_FINISH);
  const std::size_t deflated = z.total_out;
  (void)::deflateEnd(&z);
  WARIFU_CHECK(state == Z_STREAM_END);
  const std::size_t bytes = kBgzfHeadBytes + deflated + kTailBytes;
  copy_bytes(block.bytes(), ByteView(kBgzfEnd).first(kBgzfHeadBytes));
  block.bytes()[16] = static_cast<Byte>((bytes - 1) & 0xffU);
  block.bytes()[17] = static_cast<Byte>((bytes - 1) >> 8U);
  const auto crc = ::crc32(0, plain.data(), static_cast<uInt>(plain.size()));
  put32(block.bytes().subspan(bytes - kTailBytes), static_cast<std::uint32_t>(crc));
  put32(block.bytes().subspan(bytes - 4), static_cast<std::uint32_t>(plain.size()));
  block.shrink(bytes);
  return block;
}

}  // namespace warifu::genome
