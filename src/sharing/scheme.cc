// Schemes and their coefficients; the loops are the kernels'.
#include "sharing/scheme.h"

#include <algorithm>
#include <array>
#include <set>

#include "kernels/kernels.h"
#include "sharing/lagrange.h"

namespace warifu::sharing {
namespace {

Result<std::vector<ShareIndex>> checked(const Scheme& scheme, std::span<const ShareIndex> indices,
                                        std::size_t wanted) {
  const std::set<ShareIndex> different(indices.begin(), indices.end());
  const bool known = std::ranges::all_of(
      indices, [&](ShareIndex index) { return static_cast<std::size_t>(index) < scheme.shares; });
  if (!scheme.sane() || !known || different.size() != wanted || indices.size() != wanted) {
    return fail(Code::kInvalidArgument, "a " + scheme.text() + " scheme needs " +
                                            std::to_string(wanted) +
                                            " different shares of its own here");
  }
  return std::vector<ShareIndex>(indices.begin(), indices.end());
}

std::vector<Byte> points_of(std::span<const ShareIndex> indices) {
  std::vector<Byte> points;
  for (const ShareIndex index : indices) points.push_back(static_cast<Byte>(index));
  return points;
}

// f(x) = S g(x) + sum y_i l_i(x), with g vanishing and l_i Lagrange over the given points.
template <typename Field>
std::vector<Byte> split_rows(const std::vector<Byte>& given, const std::vector<Byte>& made) {
  std::vector<Byte> rows;
  for (const Byte x : made) {
    rows.push_back(vanishing<Field>(x, given));
    for (std::size_t i = 0; i < given.size(); ++i) {
      rows.push_back(value_weight<Field>(x, given, i));
    }
  }
  return rows;
}

// f(x) = y + s1 (x - x_given) + s2 (x^2 - x_given^2). None of the factors is ever zero.
std::vector<Byte> ramp_split_rows(Byte given, const std::vector<Byte>& made) {
  std::vector<Byte> rows;
  for (const Byte x : made) {
    const auto difference = static_cast<Byte>(x ^ given);
    rows.insert(rows.end(), {difference, Gf4::multiply(difference, difference), Byte{1}});
  }
  return rows;
}

// s1 = sum over i of y_i (x_j + x_k) / prod, s2 = sum y_i / prod: two rows.
std::vector<Byte> ramp_join_rows(const std::vector<Byte>& points) {
  std::vector<Byte> rows(2 * points.size());
  const auto all = static_cast<Byte>(points[0] ^ points[1] ^ points[2]);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Byte weight = leading_weight<Gf4>(points, i);
    rows[i] = Gf4::multiply(static_cast<Byte>(all ^ points[i]), weight);
    rows[points.size() + i] = weight;
  }
  return rows;
}

// out = c_0 x + c_1 y + c_2 z over GF(4); out overlaps none of them.
void add_three(const Byte* coefficients, const std::array<ByteView, 3>& from, MutableBytes out) {
  const kernels::Kernels& best = kernels::best();
  best.scale_add({.factor_x = factor_of(coefficients[0]),
                  .factor_y = factor_of(coefficients[1]),
                  .x = from[0].data(),
                  .y = from[1].data(),
                  .out = out.data(),
                  .bytes = out.size()});
  best.scale_add({.factor_x = kernels::Factor::kOne,
                  .factor_y = factor_of(coefficients[2]),
                  .x = out.data(),
                  .y = from[2].data(),
                  .out = out.data(),
                  .bytes = out.size()});
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
  const std::vector<Byte> at = points_of(given);
  const std::vector<Byte> made = points_of(splitter.made_);
  switch (scheme.kind) {
    case SchemeKind::kFormQ: splitter.coefficients_ = split_rows<Gf4>(at, made); break;
    case SchemeKind::kShamir: splitter.coefficients_ = split_rows<Gf256>(at, made); break;
    case SchemeKind::kRamp: splitter.coefficients_ = ramp_split_rows(at[0], made); break;
  }
  return splitter;
}

void Splitter::split(ByteView secret, std::span<const ByteView> given,
                     std::span<const MutableBytes> made) const {
  const std::size_t bytes = scheme_.share_bytes(secret.size());
  const auto fits = [&](const auto& share) { return share.size() == bytes; };
  WARIFU_CHECK(secret.size() == scheme_.padded(secret.size()) && given.size() == given_.size() &&
               made.size() == made_.size() && std::ranges::all_of(given, fits) &&
               std::ranges::all_of(made, fits));
  switch (scheme_.kind) {
    case SchemeKind::kFormQ: split_form_q(secret, given[0], made); break;
    case SchemeKind::kShamir: {
      std::array<const Byte*, kMaxShares> sources{secret.data()};
      std::ranges::transform(given, sources.begin() + 1, &ByteView::data);
      std::array<Byte*, kMaxShares> outputs{};
      std::ranges::transform(made, outputs.begin(), &MutableBytes::data);
      kernels::best().gf256_combine({.coefficients = coefficients_.data(),
                                     .sources = sources.data(),
                                     .source_count = 1 + given.size(),
                                     .outputs = outputs.data(),
                                     .rows = made.size(),
                                     .bytes = bytes});
      break;
    }
    case SchemeKind::kRamp:
      for (std::size_t row = 0; row < made.size(); ++row) {
        add_three(&coefficients_[3 * row], {secret.first(bytes), secret.last(bytes), given[0]},
                  made[row]);
      }
      break;
  }
}

void Splitter::split_form_q(ByteView secret, ByteView given,
                            std::span<const MutableBytes> made) const {
  if (given_[0] == ShareIndex::kA) return sharing::split(secret, given, made[0], made[1]);
  for (std::size_t row = 0; row < made.size(); ++row) {
    kernels::best().scale_add({.factor_x = factor_of(coefficients_[2 * row]),
                               .factor_y = factor_of(coefficients_[2 * row + 1]),
                               .x = secret.data(),
                               .y = given.data(),
                               .out = made[row].data(),
                               .bytes = secret.size()});
  }
}

Result<Joiner> Joiner::make(const Scheme& scheme, std::span<const ShareIndex> from) {
  Joiner joiner;
  joiner.scheme_ = scheme;
  TRY_ASSIGN(joiner.from_, checked(scheme, from, scheme.threshold));
  const std::vector<Byte> points = points_of(from);
  switch (scheme.kind) {
    case SchemeKind::kFormQ: break;  // combine() knows them
    case SchemeKind::kShamir:
      for (std::size_t i = 0; i < points.size(); ++i) {
        joiner.coefficients_.push_back(leading_weight<Gf256>(points, i));
      }
      break;
    case SchemeKind::kRamp: joiner.coefficients_ = ramp_join_rows(points); break;
  }
  return joiner;
}

void Joiner::join(std::span<const ByteView> shares, MutableBytes secret) const {
  const std::size_t bytes = scheme_.share_bytes(secret.size());
  WARIFU_CHECK(secret.size() == scheme_.padded(secret.size()) && shares.size() == from_.size() &&
               std::ranges::all_of(shares, [&](ByteView share) { return share.size() == bytes; }));
  switch (scheme_.kind) {
    case SchemeKind::kFormQ: combine(from_[0], shares[0], from_[1], shares[1], secret); break;
    case SchemeKind::kShamir: {
      std::array<const Byte*, kMaxShares> sources{};
      std::ranges::transform(shares, sources.begin(), &ByteView::data);
      Byte* const output = secret.data();
      kernels::best().gf256_combine({.coefficients = coefficients_.data(),
                                     .sources = sources.data(),
                                     .source_count = shares.size(),
                                     .outputs = &output,
                                     .rows = 1,
                                     .bytes = bytes});
      break;
    }
    case SchemeKind::kRamp: {
      const std::array<ByteView, 3> from = {shares[0], shares[1], shares[2]};
      add_three(&coefficients_[0], from, secret.first(bytes));
      add_three(&coefficients_[3], from, secret.last(bytes));
      break;
    }
  }
}

}  // namespace warifu::sharing
