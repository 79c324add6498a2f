// CRAM's integers, container heads and blocks.
#include "genome/cram_parts.h"

#include <string>

#include "base/gzip.h"

namespace warifu::genome {
namespace {
constexpr std::size_t kMaxLandmarks = 1U << 16U;
}

std::uint64_t take_itf8(wire::Reader& in) {
  const std::uint32_t first = in.u8();
  if (first < 0x80) return first;
  if (first < 0xc0) return (first & 0x3fU) << 8U | in.u8();
  std::uint32_t value = first < 0xe0 ? first & 0x1fU : first & 0x0fU;
  const int more = first < 0xe0 ? 2 : 3;
  for (int i = 0; i < more; ++i) value = value << 8U | in.u8();
  return first < 0xf0 ? value : value << 4U | (in.u8() & 0x0fU);
}

std::int32_t take_signed_itf8(wire::Reader& in) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(take_itf8(in)));
}

void skip_ltf8(wire::Reader& in) {
  const std::uint32_t first = in.u8();
  std::size_t more = 0;
  for (std::uint32_t bit = 0x80; bit != 0 && (first & bit) != 0; bit >>= 1U) ++more;
  (void)in.raw(more);
}

Result<std::uint64_t> skip_container(wire::Reader& in, unsigned major, std::uint32_t& length) {
  const std::size_t before = in.remaining();
  length = in.u32();
  for (int i = 0; i < 4; ++i) (void)take_itf8(in);  // reference, start, span, records
  major >= 3 ? skip_ltf8(in) : static_cast<void>(take_itf8(in));
  skip_ltf8(in);        // bases
  (void)take_itf8(in);  // blocks
  const std::uint64_t landmarks = take_itf8(in);
  if (landmarks > kMaxLandmarks) in.reject("an impossible number of landmarks");
  for (std::uint64_t i = 0; i < landmarks && in.good(); ++i) (void)take_itf8(in);
  if (major >= 3) (void)in.u32();
  TRY(in.check());
  return before - in.remaining();
}

Result<CramBlock> take_block(wire::Reader& in, unsigned major, std::uint64_t most,
                             std::string_view what) {
  const auto bad = [&](const char* why) {
    return fail(Code::kCorrupt, std::string(what) + ": " + why);
  };
  CramBlock block;
  const unsigned method = in.u8();
  block.type = in.u8();
  (void)take_itf8(in);  // content id
  const std::uint64_t packed = take_itf8(in);
  const std::uint64_t plain = take_itf8(in);
  if (!in.good() || packed > in.remaining()) return bad("a block is cut short");
  if (method > 1) return bad("a header block is neither raw nor gzip");
  if (plain > most) return bad("a header block is too long");
  const ByteView bytes = in.raw(packed);
  if (method == 1) {
    TRY_ASSIGN(block.plain, gunzip(bytes, plain, what));
  } else {
    block.plain.assign(bytes.begin(), bytes.end());
  }
  if (major >= 3) (void)in.u32();
  return block;
}

}  // namespace warifu::genome
