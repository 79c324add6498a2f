// Zero-sharings, in pieces of the size of one block of zeros, and their addition.
#include "sharing/refresh.h"

#include <algorithm>
#include <array>

#include "kernels/kernels.h"

namespace warifu::sharing {
namespace {

constexpr std::size_t kPieceBytes = 4096;
// The ramp's secret is twice as long as its shares.
alignas(64) constexpr std::array<Byte, 2 * kPieceBytes> kZeros{};

}  // namespace

void share_zero(const Splitter& splitter, std::span<const ByteView> given,
                std::span<const MutableBytes> made) {
  const std::size_t bytes = given.empty() ? 0 : given[0].size();
  const auto fits = [&](const auto& share) { return share.size() == bytes; };
  WARIFU_CHECK(given.size() == splitter.given().size() && made.size() == splitter.made().size() &&
               bytes % kWordBytes == 0 && std::ranges::all_of(given, fits) &&
               std::ranges::all_of(made, fits));
  std::array<ByteView, kMaxShares> from;
  std::array<MutableBytes, kMaxShares> to;
  const std::size_t ratio = splitter.scheme().granule() / kWordBytes;
  for (std::size_t at = 0; at < bytes; at += kPieceBytes) {
    const std::size_t piece = std::min(kPieceBytes, bytes - at);
    for (std::size_t i = 0; i < given.size(); ++i) from[i] = given[i].subspan(at, piece);
    for (std::size_t i = 0; i < made.size(); ++i) to[i] = made[i].subspan(at, piece);
    splitter.split(ByteView(kZeros).first(piece * ratio), std::span(from).first(given.size()),
                   std::span(to).first(made.size()));
  }
}

Result<> refresh(const Scheme& scheme, ShareIndex index, MutableBytes share, ByteView zero_share) {
  if (!scheme.sane() || static_cast<std::size_t>(index) >= scheme.shares ||
      share.size() != zero_share.size() || share.size() % kWordBytes != 0) {
    return fail(Code::kInvalidArgument, "a share of a " + scheme.text() +
                                            " scheme is refreshed by a zero share of its own "
                                            "index and length");
  }
  kernels::best().xor_bytes(
      {.x = share.data(), .y = zero_share.data(), .out = share.data(), .bytes = share.size()});
  return {};
}

}  // namespace warifu::sharing
