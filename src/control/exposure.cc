// Views of sites and the rule over them.
#include "control/exposure.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::control {
namespace {

// What is no share of this policy tells nothing; an unknown part counts as its whole share.
NodeSet nodes_of(const PolicyNode& policy, const Seen& seen) {
  NodeSet nodes;
  for (const std::size_t share : seen.shares) {
    if (share < policy.children.size()) nodes.set(policy.children[share].number);
  }
  for (const auto& [share, parts] : seen.parts) {
    if (share >= policy.children.size()) continue;
    const PolicyNode& cut = policy.children[share];
    for (const std::size_t part : parts) {
      nodes.set(part < cut.children.size() ? cut.children[part].number : cut.number);
    }
  }
  return nodes;
}

Result<> check_holders(const std::vector<ShareTarget>& shares) {
  std::set<SiteName> holders;
  const auto add = [&](const SiteName& site) -> Result<> {
    if (holders.insert(site).second) return {};
    return fail(Code::kRefused, site.text() + " would hold two shares of one object");
  };
  for (const ShareTarget& share : shares) {
    TRY(add(share.site));
    for (const ShareTarget& part : share.nested) TRY(add(part.site));
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

std::map<SiteName, Seen> views_of(const std::vector<ShareTarget>& shares) {
  std::map<SiteName, Seen> views;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    for (const SiteName& site : seers_of(shares[i])) views[site].shares.insert(i);
    for (std::size_t j = 0; j < shares[i].nested.size(); ++j) {
      for (const SiteName& site : seers_of(shares[i].nested[j])) views[site].parts[i].insert(j);
    }
  }
  return views;
}

bool may_see_share(const PolicyNode& policy, const Seen& seen, std::size_t share) {
  return may_see(policy, nodes_of(policy, seen), policy.children.at(share).number);
}

bool may_see_part(const PolicyNode& policy, const Seen& seen, std::size_t share, std::size_t part) {
  return may_see(policy, nodes_of(policy, seen),
                 policy.children.at(share).children.at(part).number);
}

Result<> check_exposure(const sharing::Scheme& scheme, const std::vector<ShareTarget>& shares,
                        const SiteName& origin) {
  TRY(check_holders(shares));
  const auto too_much = [](const SiteName& site, std::size_t seen, const sharing::Scheme& cut) {
    return fail(Code::kRefused,
                fmt::format("{} would hold or relay {} shares of one '{}' cut, which keeps its "
                            "secret from {} only",
                            site.text(), seen, cut.text(), cut.privacy()));
  };
  for (const auto& [site, seen] : views_of(shares)) {
    std::set<std::size_t> touched = seen.shares;
    for (const auto& [share, parts] : seen.parts) {
      const ShareTarget& target = shares[share];
      touched.insert(share);
      if (site == origin) {
        return fail(Code::kRefused,
                    site.text() + " cut the object and would see parts of it again");
      }
      if (site != target.site && parts.size() > target.cut.privacy()) {
        return too_much(site, parts.size(), target.cut);
      }
    }
    if (site != origin && touched.size() > scheme.privacy()) {
      return too_much(site, touched.size(), scheme);
    }
  }
  return {};
}

}  // namespace warifu::control
