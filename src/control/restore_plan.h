// Which shares to restore from: every legal set, cheapest first by key price.
//
// Two of the top shares are needed. A top share that was cut again is one source per pair of its
// nested shares and gathering point: the two meet at one of their holders, which combines them and
// learns no more than that one top share. Pure functions over a snapshot.
#pragma once

#include <set>

#include "control/placement.h"
#include "sharing/form_q.h"

namespace warifu::control {

// A durable share and its holder.
struct ShareLocation {
  std::string letter;                                 // "A", "B", "C", "C1", ...
  sharing::ShareIndex top = sharing::ShareIndex::kA;  // the top share that it is, or is part of
  bool nested = false;
  ShareId share;
  SiteName site;
};

// One way to get the records of one top share.
struct RestoreSource {
  sharing::ShareIndex top = sharing::ShareIndex::kA;
  ShareLocation at;                    // held, or gathered, here
  std::optional<ShareLocation> other;  // the nested share that travels to the gathering point
  std::vector<std::string> letters;    // "B", or "C1", "C2"
  Route route;                         // from `at` to the destination
  double price = 0;
};

struct RestorePlan {
  RestoreSource first, second;
  [[nodiscard]] double price() const { return first.price + second.price; }
  [[nodiscard]] std::vector<std::string> letters() const;
};

struct RestoreWishes {
  std::set<std::string> using_letters;  // empty: any
  std::optional<SiteName> gather;       // combine nested shares only here
};

// Parses "A,C1,C2". Errors: kInvalidArgument.
[[nodiscard]] Result<std::set<std::string>> parse_letters(const std::string& text);

// Sources that can be reached, cheapest first. `bytes`: length of one share.
[[nodiscard]] std::vector<RestoreSource> find_sources(
    const std::vector<ShareLocation>& shares, const Snapshot& snapshot, const SiteConfig& config,
    const SiteName& destination, std::uint64_t bytes, const RestoreWishes& wishes);

// Pairs of sources of different top shares, cheapest first, that fit the wishes.
[[nodiscard]] std::vector<RestorePlan> find_plans(const std::vector<RestoreSource>& sources,
                                                  const RestoreWishes& wishes);

}  // namespace warifu::control
