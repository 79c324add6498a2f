// Choosing, from the leaves up.
#include "upkeep/share_sets.h"

#include <algorithm>

namespace warifu::upkeep {

std::vector<ShareList> ShareSets::of(const sharing::SharePath& path) const {
  const auto whole = std::ranges::find(shares_, path, &planner::ShareLocation::path);
  if (whole != shares_.end()) return {{&*whole}};
  const planner::PolicyNode* node = policy_.find(path);
  if (node == nullptr || node->is_leaf()) return {};
  std::vector<sharing::SharePath> parts;
  for (std::size_t i = 0; i < node->children.size(); ++i) parts.push_back(path.part(i));
  return of_any(parts, node->scheme.threshold);
}

std::vector<ShareList> ShareSets::of_all(const std::vector<sharing::SharePath>& paths) const {
  return of_any(paths, paths.size());
}

std::vector<ShareList> ShareSets::of_any(const std::vector<sharing::SharePath>& paths,
                                         std::size_t k) const {
  std::vector<std::vector<ShareList>> ways;
  for (const sharing::SharePath& path : paths) {
    auto own = of(path);
    if (!own.empty()) ways.push_back(std::move(own));
  }
  std::vector<ShareList> sets;
  choose(ways, 0, k, {}, sets);
  return sets;
}

void ShareSets::choose(const std::vector<std::vector<ShareList>>& ways, std::size_t from,
                       std::size_t k, const ShareList& chosen, std::vector<ShareList>& sets) const {
  if (k == 0) return sets.push_back(chosen);
  for (std::size_t i = from; i + k <= ways.size(); ++i) {
    for (const ShareList& way : ways[i]) {
      if (sets.size() >= most_) return;
      ShareList more = chosen;
      more.insert(more.end(), way.begin(), way.end());
      choose(ways, i + 1, k - 1, more, sets);
    }
  }
}

std::vector<sharing::SharePath> ShareSets::there(const sharing::SharePath& cut) const {
  std::vector<sharing::SharePath> paths;
  const planner::PolicyNode* node = policy_.find(cut);
  for (std::size_t i = 0; node != nullptr && i < node->children.size(); ++i) {
    if (!of(cut.part(i)).empty()) paths.push_back(cut.part(i));
  }
  return paths;
}

}  // namespace warifu::upkeep
