// Schemes and their coefficients; the loops are in form_q.cc.
#include "sharing/scheme.h"

#include <algorithm>
#include <set>

namespace warifu::sharing {
namespace {

Result<std::vector<ShareIndex>> checked(const Scheme& scheme, std::span<const ShareIndex> indices,
                                        std::size_t wanted) {
  const std::set<ShareIndex> different(indices.begin(), indices.end());
  const bool known = std::ranges::all_of(
      indices, [&](ShareIndex index) { return static_cast<std::size_t>(index) < scheme.shares; });
  if (!known || different.size() != wanted || indices.size() != wanted) {
    return fail(Code::kInvalidArgument, "a " + scheme.text() + " scheme needs " +
                                            std::to_string(wanted) +
                                            " different shares of its own here");
  }
  return std::vector<ShareIndex>(indices.begin(), indices.end());
}

}  // namespace

Result<Scheme> Scheme::threshold_of(unsigned k, unsigned n) {
  if (k < 2 || n < k || n > kMaxShares) {
    return fail(Code::kInvalidArgument, std::to_string(k) + " of " + std::to_string(n) +
                                            " is no threshold: 2 <= k <= n <= 32 is needed");
  }
  if (k == 2 && n == 3) return Scheme{};
  return Scheme{SchemeKind::kShamir, static_cast<std::uint8_t>(k), static_cast<std::uint8_t>(n)};
}

Result<Scheme> Scheme::from_numbers(std::uint16_t kind, std::uint8_t threshold,
                                    std::uint8_t shares) {
  const Scheme scheme{static_cast<SchemeKind>(kind), threshold, shares};
  if (scheme == ramp()) return scheme;
  TRY_ASSIGN(const Scheme known, threshold_of(threshold, shares));
  if (known != scheme) {
    return fail(Code::kInvalidArgument, "scheme " + std::to_string(kind) + " is not known");
  }
  return known;
}

std::string Scheme::text() const {
  return (kind == SchemeKind::kRamp ? "ramp " : "") + std::to_string(threshold) + " of " +
         std::to_string(shares);
}

Result<Splitter> Splitter::make(const Scheme& scheme, std::span<const ShareIndex> given) {
  Splitter splitter;
  splitter.scheme_ = scheme;
  TRY_ASSIGN(splitter.given_, checked(scheme, given, scheme.privacy()));
  for (std::size_t i = 0; i < scheme.shares; ++i) {
    const auto index = static_cast<ShareIndex>(i);
    if (std::ranges::find(given, index) == given.end()) splitter.made_.push_back(index);
  }
  return splitter;
}

void Splitter::split(ByteView secret, std::span<const ByteView> given,
                     std::span<const MutableBytes> made) const {
  WARIFU_CHECK(scheme_ == Scheme{} && given_.front() == ShareIndex::kA);
  sharing::split(secret, given[0], made[0], made[1]);
}

Result<Joiner> Joiner::make(const Scheme& scheme, std::span<const ShareIndex> from) {
  Joiner joiner;
  joiner.scheme_ = scheme;
  TRY_ASSIGN(joiner.from_, checked(scheme, from, scheme.threshold));
  return joiner;
}

void Joiner::join(std::span<const ByteView> shares, MutableBytes secret) const {
  WARIFU_CHECK(scheme_ == Scheme{});
  combine(from_[0], shares[0], from_[1], shares[1], secret);
}

}  // namespace warifu::sharing
