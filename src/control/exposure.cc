// Views of sites and the rule over them.
#include "control/exposure.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::control {
namespace {

// Shares of the top cut that `seen` gives, a cut share when `enough` parts of it are there.
template <typename Enough>
std::size_t count_shares(const PolicyNode& policy, const Seen& seen, const Enough& enough) {
  std::set<std::size_t> known = seen.shares;
  for (const auto& [share, parts] : seen.parts) {
    if (share < policy.children.size() && enough(policy.children[share].scheme, parts.size())) {
      known.insert(share);
    }
  }
  return known.size();
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
  return count_shares(policy, seen, [](const sharing::Scheme& scheme, std::size_t parts) {
           return parts >= scheme.threshold;
         }) >= policy.scheme.threshold;
}

bool tells_nothing(const PolicyNode& policy, const Seen& seen) {
  return count_shares(policy, seen, [](const sharing::Scheme& scheme, std::size_t parts) {
           return parts > scheme.privacy();
         }) <= policy.scheme.privacy();
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
  std::set<std::size_t> touched = seen.shares;
  for (const auto& [top, parts] : seen.parts) touched.insert(top);
  touched.insert(share);
  return touched.size() <= policy.scheme.privacy();
}

bool may_see_part(const PolicyNode& policy, const Seen& seen, std::size_t share, std::size_t part) {
  if (!may_see_share(policy, seen, share)) return false;
  if (seen.shares.contains(share)) return true;
  const auto known = seen.parts.find(share);
  std::set<std::size_t> parts = known == seen.parts.end() ? std::set<std::size_t>{} : known->second;
  parts.insert(part);
  return parts.size() <= policy.children[share].scheme.privacy();
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
