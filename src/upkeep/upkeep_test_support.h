// For the tests of upkeep only: shares by their letter, and every set of holders that can repair
// one, enumerated in the plainest way.
#pragma once

#include <algorithm>
#include <vector>

#include "control/restore_plan.h"
#include "control/share_letters.h"
#include "control/snapshot_test_support.h"

namespace warifu::upkeep {

using control::site;

// "C2" at "cloud2".
inline control::ShareLocation share_at(const std::string& letter, const std::string& holder) {
  const auto name = control::parse_share_name(letter);
  WARIFU_CHECK(name.has_value());
  control::ShareLocation share{.letter = letter, .top = name->top, .share = {}, .site = {}};
  share.nested = name->nested.has_value();
  share.part = share.nested ? static_cast<std::size_t>(*name->nested) : 0;
  share.site = site(holder);
  share.share.bytes.fill(static_cast<Byte>(static_cast<std::size_t>(name->top) + 1));
  share.share.bytes[0] = static_cast<Byte>(share.nested ? share.part + 1 : 0);
  return share;
}

// The letters of all shares of a policy once everything that is cut again has been.
inline std::vector<std::string> letters_of(const control::PolicyNode& policy) {
  std::vector<std::string> letters;
  for (std::size_t i = 0; i < policy.children.size(); ++i) {
    const auto top = static_cast<sharing::ShareIndex>(i);
    if (policy.children[i].is_leaf()) letters.push_back(control::top_letter(top));
    for (std::size_t j = 0; j < policy.children[i].children.size(); ++j) {
      letters.push_back(control::nested_letter(top, static_cast<sharing::ShareIndex>(j)));
    }
  }
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

using HelperSet = std::vector<control::ShareLocation>;

// Every set of holders whose parts can sum up to `lost`: siblings within its cut, or for a top
// share threshold-many others, each whole or as threshold-many parts.
inline std::vector<HelperSet> every_helper_set(const control::PolicyNode& policy,
                                               const std::vector<control::ShareLocation>& shares,
                                               const control::ShareLocation& lost) {
  const auto below = [&](std::size_t top) {
    HelperSet found;
    for (const auto& share : shares) {
      if (static_cast<std::size_t>(share.top) == top && share.letter != lost.letter) {
        found.push_back(share);
      }
    }
    return found;
  };
  const auto lost_top = static_cast<std::size_t>(lost.top);
  if (lost.nested) return subsets(below(lost_top), policy.children[lost_top].scheme.threshold);
  std::vector<std::size_t> tops;
  for (std::size_t top = 0; top < policy.children.size(); ++top) {
    if (top != lost_top) tops.push_back(top);
  }
  std::vector<HelperSet> all;
  for (const auto& chosen : subsets(tops, policy.scheme.threshold)) {
    std::vector<HelperSet> sets = {{}};
    for (const std::size_t top : chosen) {
      const control::PolicyNode& child = policy.children[top];
      std::vector<HelperSet> longer;
      for (const HelperSet& way :
           subsets(below(top), child.is_leaf() ? 1 : child.scheme.threshold)) {
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

}  // namespace warifu::upkeep
