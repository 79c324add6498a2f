// A holder's record as its term in a sum over shares: through the share above when it is a part of
// one, and with its weight in the share that the sum makes. Repairs and audits both are such sums.
//
// Every step is linear, so terms may be summed in any order. Values only; one thread at a time;
// constant time.
#pragma once

#include <optional>
#include <set>

#include "secret/secret.h"
#include "sharing/repair.h"

namespace warifu::upkeep {

class LinearTerm {
 public:
  // First: the record is part `own` of those `parts` of a share that this scheme cut. Errors:
  // kInvalidArgument when they do not restore it.
  [[nodiscard]] Result<> join(const sharing::Scheme& scheme, const std::set<std::uint8_t>& parts,
                              std::uint8_t own);
  // Then: what share `own` of `helpers` weighs in share `made`. Errors: kInvalidArgument.
  [[nodiscard]] Result<> weigh(const sharing::Scheme& scheme, std::uint8_t made,
                               const std::set<std::uint8_t>& helpers, std::uint8_t own);

  // The term is the record itself.
  [[nodiscard]] bool is_plain() const { return !joiner_ && !repairer_; }
  // `cut_bytes` is the length of the record that was cut. What is joined comes padded as the
  // scheme pads.
  [[nodiscard]] secret::Buffer of(secret::Buffer record, std::size_t cut_bytes) const;

 private:
  std::optional<sharing::Joiner> joiner_;
  std::size_t own_part_ = 0;
  std::optional<sharing::Repairer> repairer_;
  std::size_t own_helper_ = 0;
};

}  // namespace warifu::upkeep
