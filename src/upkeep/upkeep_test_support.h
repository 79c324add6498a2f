// For the tests of upkeep only: shares by their letter, and every set of holders that can repair
// one, enumerated in the plainest way.
#pragma once

#include <algorithm>
#include <vector>

#include "planner/restore_plan.h"
#include "planner/snapshot_test_support.h"

namespace warifu::upkeep {

using planner::site;

inline sharing::SharePath path_of(const std::string& letter) {
  return *sharing::SharePath::parse(letter);
}

// "C2" at "cloud2".
inline planner::ShareLocation share_at(const std::string& letter, const std::string& holder) {
  planner::ShareLocation share{.path = path_of(letter), .share = {}, .site = site(holder)};
  share.share.bytes[15] = 1;
  for (std::size_t i = 0; i < share.path.size(); ++i) {
    share.share.bytes[i] = static_cast<Byte>(share.path.step(i) + 1);
  }
  return share;
}

// The letters of all shares of a policy once everything that is cut again has been.
inline std::vector<std::string> letters_of(const planner::PolicyNode& policy) {
  std::vector<std::string> letters;
  for (const sharing::SharePath& path : planner::leaf_paths(policy)) letters.push_back(path.text());
  return letters;
}

template <typename Item>
std::vector<std::vector<Item>> subsets(const std::vector<Item>& items, std::size_t size) {
  std::vector<std::vector<Item>> found;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << items.size(); ++bits) {
    std::vector<Item> set;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (((bits >> i) & 1U) != 0) set.push_back(items[i]);
    }
    if (set.size() == size) found.push_back(std::move(set));
  }
  return found;
}

using HelperSet = std::vector<planner::ShareLocation>;

// Every way to have the share at that path out of `shares`.
inline std::vector<HelperSet> every_way(const planner::PolicyNode& policy,
                                        const std::vector<planner::ShareLocation>& shares,
                                        const sharing::SharePath& path);

// Every way to have any `k` of the shares of that cut but `without`.
inline std::vector<HelperSet> every_way_to_some(const planner::PolicyNode& policy,
                                                const std::vector<planner::ShareLocation>& shares,
                                                const sharing::SharePath& cut, std::size_t k,
                                                const sharing::SharePath& without = {}) {
  std::vector<sharing::SharePath> places;
  for (std::size_t i = 0; i < policy.find(cut)->children.size(); ++i) {
    if (cut.part(i) != without) places.push_back(cut.part(i));
  }
  std::vector<HelperSet> all;
  for (const auto& chosen : subsets(places, k)) {
    std::vector<HelperSet> sets = {{}};
    for (const sharing::SharePath& place : chosen) {
      std::vector<HelperSet> longer;
      for (const HelperSet& way : every_way(policy, shares, place)) {
        for (HelperSet set : sets) {
          set.insert(set.end(), way.begin(), way.end());
          longer.push_back(std::move(set));
        }
      }
      sets = std::move(longer);
    }
    all.insert(all.end(), sets.begin(), sets.end());
  }
  return all;
}

inline std::vector<HelperSet> every_way(const planner::PolicyNode& policy,
                                        const std::vector<planner::ShareLocation>& shares,
                                        const sharing::SharePath& path) {
  const planner::PolicyNode& node = *policy.find(path);
  if (!node.is_leaf()) return every_way_to_some(policy, shares, path, node.scheme.threshold);
  for (const auto& share : shares) {
    if (share.path == path) return {{share}};
  }
  return {};
}

// Every set of holders whose parts can sum up to `lost`.
inline std::vector<HelperSet> every_helper_set(const planner::PolicyNode& policy,
                                               const std::vector<planner::ShareLocation>& shares,
                                               const planner::ShareLocation& lost) {
  const sharing::SharePath cut = lost.path.parent();
  return every_way_to_some(policy, shares, cut, policy.find(cut)->scheme.threshold, lost.path);
}

}  // namespace warifu::upkeep
