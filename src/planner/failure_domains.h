// Failure domains: what may fail, or be searched, together, and how much of one object may lie in
// each.
//
// The rule, for every failure domain and at every moment of a store (a nested cut's share lies at
// the site that makes it until its parts lie where they belong):
//   - its loss never loses the object: what lies elsewhere still restores;
//   - what lies in it does not restore by itself.
// Only where shares rest counts, not the sites that relay them: those may be lost without loss, and
// what they may see exposure.h says. More shares in a domain never make a broken rule good again. A
// policy that says "fragile" is free of the rule. Pure functions, any thread.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "config/site_config.h"
#include "planner/policy_sets.h"

namespace warifu::planner {

// Names of the failure domains that a site lies in: its own list, and its region as "region:NAME".
[[nodiscard]] std::set<std::string> domains_of(const config::SiteEntry& site);

// By site, for all sites that are configured, whether they answer or not.
using DomainMap = std::map<SiteName, std::set<std::string>>;
[[nodiscard]] DomainMap domain_map(const std::vector<config::SiteEntry>& sites);

// A node of a policy and the site where its share rests.
struct Resting {
  std::size_t node = 0;  // PolicyNode::number
  SiteName site;
};

// Why a domain that holds these nodes breaks the rule, in words that follow its name; none: it
// keeps it.
[[nodiscard]] std::optional<std::string> domain_fault(const PolicyNode& policy,
                                                      const NodeSet& inside);

// Nodes by the domain that they rest in.
[[nodiscard]] std::map<std::string, NodeSet> nodes_by_domain(const DomainMap& domains,
                                                             const std::vector<Resting>& resting);

// The rule for shares that rest like this; with `only`, for the domains of that site alone. Errors:
// kRefused naming the domain, the sites and what the loss would leave.
[[nodiscard]] Result<> check_domains(const PolicyNode& policy, const DomainMap& domains,
                                     const std::vector<Resting>& resting,
                                     const std::optional<SiteName>& only = std::nullopt);

}  // namespace warifu::planner
