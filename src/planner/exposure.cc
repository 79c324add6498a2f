// Views of sites and the rule over them.
#include "planner/exposure.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/reason.h"

namespace warifu::planner {
namespace {

// What is no share of this policy tells nothing; an unknown part counts as the share above it.
NodeSet nodes_of(const PolicyNode& policy, const Seen& seen) {
  NodeSet nodes;
  for (const sharing::SharePath& path : seen) {
    const PolicyNode* node = &policy;
    for (const std::uint8_t step : path.steps()) {
      if (step >= node->children.size()) break;
      node = &node->children[step];
    }
    if (node != &policy) nodes.set(node->number);
  }
  return nodes;
}

Result<> check_holders(const std::vector<ShareTarget>& shares, std::set<SiteName>& holders) {
  for (const ShareTarget& share : shares) {
    if (!holders.insert(share.site).second) {
      return fail(Code::kRefused, share.site.text() + " would hold two shares of one object",
                  Reason::kExposure);
    }
    TRY(check_holders(share.nested, holders));
  }
  return {};
}

// Whoever it passes in clear, and whoever knows the key that it passes under.
std::set<SiteName> seers_of(const ShareTarget& target) {
  std::set<SiteName> sites = target.knowing;
  sites.insert(target.route.begin(), target.route.end());
  return sites;
}

}  // namespace

bool satisfies(const PolicyNode& policy, const Seen& seen) {
  return gives(policy, nodes_of(policy, seen));
}

bool tells_nothing(const PolicyNode& policy, const Seen& seen) {
  return !tells(policy, nodes_of(policy, seen));
}

namespace {

void add_views(const std::vector<ShareTarget>& shares, const sharing::SharePath& cut,
               std::map<SiteName, Seen>& views) {
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const sharing::SharePath path = cut.part(i);
    for (const SiteName& site : seers_of(shares[i])) views[site].insert(path);
    add_views(shares[i].nested, path, views);
  }
}

bool touches(const ShareTarget& share, const SiteName& site) {
  return seers_of(share).contains(site) ||
         std::ranges::any_of(share.nested,
                             [&](const ShareTarget& part) { return touches(part, site); });
}

// The rule for one site and the cut that made these shares elsewhere, and for all cuts below it.
Result<> check_cut(const sharing::Scheme& scheme, const std::vector<ShareTarget>& shares,
                   const SiteName& site) {
  const auto seen = static_cast<std::size_t>(std::ranges::count_if(
      shares, [&](const ShareTarget& share) { return touches(share, site); }));
  for (const ShareTarget& share : shares) {
    if (!share.nested.empty() && share.site != site) {
      TRY(check_cut(share.cut, share.nested, site));
    }
  }
  if (seen <= scheme.privacy()) return {};
  return fail(Code::kRefused,
              fmt::format("{} would hold or relay {} shares of one '{}' cut, which keeps its "
                          "secret from {} only",
                          site.text(), seen, scheme.text(), scheme.privacy()),
              Reason::kExposure);
}

}  // namespace

std::map<SiteName, Seen> views_of(const std::vector<ShareTarget>& shares,
                                  const sharing::SharePath& cut) {
  std::map<SiteName, Seen> views;
  add_views(shares, cut, views);
  return views;
}

bool may_see(const PolicyNode& policy, const Seen& seen, const sharing::SharePath& share) {
  const PolicyNode* node = policy.find(share);
  WARIFU_CHECK(node != nullptr);
  return may_see(policy, nodes_of(policy, seen), node->number);
}

bool may_touch(const PolicyNode& policy, const Seen& seen, const sharing::SharePath& share) {
  for (std::size_t depth = 0; depth < share.size(); ++depth) {
    const sharing::SharePath cut = share.above(depth);
    std::set<std::uint8_t> touched = {share.step(depth)};
    for (const sharing::SharePath& one : seen) {
      if (one.size() > depth && one.is_within(cut)) touched.insert(one.step(depth));
    }
    if (touched.size() > policy.find(cut)->scheme.privacy()) return false;
  }
  return true;
}

Result<> check_exposure(const sharing::Scheme& scheme, const std::vector<ShareTarget>& shares,
                        const SiteName& origin) {
  std::set<SiteName> holders;
  TRY(check_holders(shares, holders));
  for (const auto& [site, seen] : views_of(shares)) {
    if (site != origin) {
      TRY(check_cut(scheme, shares, site));
    } else if (!std::ranges::all_of(seen, &sharing::SharePath::is_top)) {
      return fail(Code::kRefused, site.text() + " cut the object and would see parts of it again",
                  Reason::kExposure);
    }
  }
  return {};
}

}  // namespace warifu::planner
