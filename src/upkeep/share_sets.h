// Sets of shares out of which a share, or a sum of shares of one cut, can be made: each as it is,
// or out of threshold-many of its parts, on every level of the tree. Pure functions; pointers are
// into the list that is given.
#pragma once

#include "planner/restore_plan.h"

namespace warifu::upkeep {

using ShareList = std::vector<const planner::ShareLocation*>;

class ShareSets {
 public:
  // No more than `most` sets are given of anything.
  ShareSets(const planner::PolicyNode& policy, const std::vector<planner::ShareLocation>& shares,
            std::size_t most)
      : policy_(policy), shares_(shares), most_(most) {}

  // Ways to have the share at that path.
  [[nodiscard]] std::vector<ShareList> of(const sharing::SharePath& path) const;
  // Ways to have just these.
  [[nodiscard]] std::vector<ShareList> of_all(const std::vector<sharing::SharePath>& paths) const;
  // Ways to have any `k` of these, those of the first ones first.
  [[nodiscard]] std::vector<ShareList> of_any(const std::vector<sharing::SharePath>& paths,
                                              std::size_t k) const;
  // Shares of that cut that there is a way to have.
  [[nodiscard]] std::vector<sharing::SharePath> there(const sharing::SharePath& cut) const;

 private:
  void choose(const std::vector<std::vector<ShareList>>& ways, std::size_t from, std::size_t k,
              const ShareList& chosen, std::vector<ShareList>& sets) const;

  const planner::PolicyNode& policy_;
  const std::vector<planner::ShareLocation>& shares_;
  std::size_t most_;
};

}  // namespace warifu::upkeep
