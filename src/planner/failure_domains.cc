// The rule over sets of a policy's nodes.
#include "planner/failure_domains.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::planner {

std::set<std::string> domains_of(const config::SiteEntry& site) {
  std::set<std::string> domains(site.failure_domains.begin(), site.failure_domains.end());
  if (!site.region.empty()) domains.insert("region:" + site.region);
  return domains;
}

DomainMap domain_map(const std::vector<config::SiteEntry>& sites) {
  DomainMap map;
  for (const config::SiteEntry& site : sites) map[site.name] = domains_of(site);
  return map;
}

std::optional<std::string> domain_fault(const PolicyNode& policy, const NodeSet& inside) {
  if (policy.fragile) return std::nullopt;
  if (!survives(policy, inside)) {
    return fmt::format("its loss would leave {} of {} shares, and {} are needed",
                       surviving_children(policy, inside), policy.children.size(),
                       policy.scheme.threshold);
  }
  if (gives(policy, inside)) return "what lies there would restore the object by itself";
  return std::nullopt;
}

std::map<std::string, NodeSet> nodes_by_domain(const DomainMap& domains,
                                               const std::vector<Resting>& resting) {
  std::map<std::string, NodeSet> nodes;
  for (const Resting& share : resting) {
    const auto at = domains.find(share.site);
    if (at == domains.end()) continue;
    for (const std::string& domain : at->second) nodes[domain].set(share.node);
  }
  return nodes;
}

Result<> check_domains(const PolicyNode& policy, const DomainMap& domains,
                       const std::vector<Resting>& resting, const std::optional<SiteName>& only) {
  for (const auto& [domain, inside] : nodes_by_domain(domains, resting)) {
    const auto own = only ? domains.find(*only) : domains.end();
    if (only && (own == domains.end() || !own->second.contains(domain))) continue;
    const auto fault = domain_fault(policy, inside);
    if (!fault) continue;
    std::set<std::string> sites;
    for (const Resting& share : resting) {
      const auto at = domains.find(share.site);
      if (at != domains.end() && at->second.contains(domain)) sites.insert(share.site.text());
    }
    return fail(Code::kRefused, fmt::format("failure domain '{}' ({}): {}", domain,
                                            fmt::join(sites, ", "), *fault));
  }
  return {};
}

}  // namespace warifu::planner
