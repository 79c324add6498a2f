// Runs of the two simulated sites, seed after seed, with the count of what was violated; and the
// seeded bugs that they must catch.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "testing/two_sites.h"

namespace warifu::sim {

struct SiteTally {
  SiteViolations found;
  std::uint64_t runs = 0;
  std::uint64_t conversations = 0;
  std::uint64_t opened = 0;  // ends that came through the greeting
  std::uint64_t crashes = 0;
  std::uint64_t uses = 0;              // ranges of pad used
  std::uint64_t prepared_again = 0;    // see testing/two_sites.h
  std::vector<std::string> bad_seeds;  // the first ones: "446: 1 disagreements"
  std::string first_bad_error;

  SiteTally& operator+=(const SiteTally& other);
};
// ", bad seeds 446: 1 disagreements; 507: ...", or nothing.
[[nodiscard]] std::string bad_seeds_text(const SiteTally& tally);
std::ostream& operator<<(std::ostream& out, const SiteTally& tally);

// `runs` runs of rising seeds from rules.seed.
[[nodiscard]] SiteTally explore_sites(SiteRules rules, std::uint64_t runs);

struct SiteBug {
  std::string_view name;
  SiteRules rules;
  // What the runs must count.
  std::uint64_t SiteViolations::* due = &SiteViolations::overlaps;
};
[[nodiscard]] std::span<const SiteBug> site_bugs();
// Runs up to `runs` seeds, until the bug shows.
[[nodiscard]] bool is_caught(const SiteBug& bug, std::uint64_t runs);

}  // namespace warifu::sim
