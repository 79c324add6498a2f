// A holder's record as its term in a sum over shares of one cut: through the shares above when it
// is a part of one, level by level, and with its weight in the share that the sum makes. Repairs
// and audits both are such sums.
//
// Every step is linear, so terms may be summed in any order. Values only; one thread at a time;
// constant time.
#pragma once

#include <optional>
#include <vector>

#include "planner/policy.h"
#include "secret/secret.h"
#include "sharing/repair.h"

namespace warifu::upkeep {

class LinearTerm {
 public:
  // The term of the share at `own` when those at `places` together, it among them, make shares of
  // the cut at `cut`: what it weighs in share `made` of that cut, or it as it comes when it is, or
  // is part of, that share itself. `object` are the records of the object. Errors:
  // kInvalidArgument when they do not make shares of that cut.
  [[nodiscard]] static Result<LinearTerm> make(const planner::PolicyNode& policy,
                                               const sharing::RecordLayout& object,
                                               const sharing::SharePath& cut, std::uint8_t made,
                                               const std::vector<sharing::SharePath>& places,
                                               const sharing::SharePath& own);

  // The term is the record itself.
  [[nodiscard]] bool is_plain() const { return joins_.empty() && !repairer_; }
  // What is joined comes padded as the last scheme pads.
  [[nodiscard]] secret::Buffer of(ChunkIndex index, secret::Buffer record) const;

 private:
  // The record is one of those that the joiner takes.
  struct Join {
    sharing::Joiner joiner;
    std::size_t own = 0;
    sharing::RecordLayout records;  // of what was cut
  };
  std::vector<Join> joins_;  // from the cut that made the share upwards
  std::optional<sharing::Repairer> repairer_;
  std::size_t own_helper_ = 0;
};

}  // namespace warifu::upkeep
