// Repair by Lagrange interpolation at the lost share's point.
#include "sharing/repair.h"

#include <algorithm>
#include <array>

#include "kernels/kernels.h"
#include "sharing/lagrange.h"

namespace warifu::sharing {
namespace {

// out = sum of `parts`; out may be one of them.
void sum_of(std::span<const ByteView> parts, MutableBytes out) {
  WARIFU_CHECK(!parts.empty() && parts.size() <= kMaxShares);
  std::array<const Byte*, kMaxShares> sources{};
  std::array<Byte, kMaxShares> ones{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    WARIFU_CHECK(parts[i].size() == out.size());
    sources[i] = parts[i].data();
    ones[i] = 1;
  }
  Byte* const output = out.data();
  kernels::best().gf256_combine({.coefficients = ones.data(),
                                 .sources = sources.data(),
                                 .source_count = parts.size(),
                                 .outputs = &output,
                                 .rows = 1,
                                 .bytes = out.size()});
}

}  // namespace

Result<Repairer> Repairer::make(const Scheme& scheme, ShareIndex lost,
                                std::span<const ShareIndex> helpers) {
  // A joiner of these shares exists exactly when they are threshold() different ones.
  TRY(Joiner::make(scheme, helpers));
  if (static_cast<std::size_t>(lost) >= scheme.shares ||
      std::ranges::find(helpers, lost) != helpers.end()) {
    return fail(Code::kInvalidArgument,
                "the lost share of a " + scheme.text() + " scheme cannot be its own helper");
  }
  Repairer repairer;
  repairer.scheme_ = scheme;
  repairer.lost_ = lost;
  repairer.helpers_.assign(helpers.begin(), helpers.end());
  std::vector<Byte> points;
  for (const ShareIndex helper : helpers) points.push_back(static_cast<Byte>(helper));
  const auto x = static_cast<Byte>(lost);
  for (std::size_t i = 0; i < points.size(); ++i) {
    repairer.weights_.push_back(scheme.kind == SchemeKind::kShamir
                                    ? value_weight<Gf256>(x, points, i)
                                    : value_weight<Gf4>(x, points, i));
  }
  return repairer;
}

void Repairer::part(std::size_t helper, ByteView share, ByteView mask, MutableBytes out) const {
  WARIFU_CHECK(helper < weights_.size() && share.size() % kWordBytes == 0 &&
               mask.size() == share.size() && out.size() == share.size());
  if (scheme_.kind != SchemeKind::kShamir) {
    kernels::best().scale_add({.factor_x = factor_of(weights_[helper]),
                               .factor_y = kernels::Factor::kOne,
                               .x = share.data(),
                               .y = mask.data(),
                               .out = out.data(),
                               .bytes = out.size()});
    return;
  }
  const std::array<const Byte*, 2> sources = {share.data(), mask.data()};
  const std::array<Byte, 2> coefficients = {weights_[helper], 1};
  Byte* const output = out.data();
  kernels::best().gf256_combine({.coefficients = coefficients.data(),
                                 .sources = sources.data(),
                                 .source_count = sources.size(),
                                 .outputs = &output,
                                 .rows = 1,
                                 .bytes = out.size()});
}

void Repairer::join(std::span<const ByteView> parts, MutableBytes out) const {
  WARIFU_CHECK(parts.size() == helpers_.size());
  sum_of(parts, out);
}

void repair_mask(std::span<const ByteView> pair_keys, MutableBytes out) {
  sum_of(pair_keys, out);
}

}  // namespace warifu::sharing
