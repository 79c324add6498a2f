// One run: persons arrive, their objects are placed and paid with key, pools fill and overflow.
//
// Steps of ten minutes. In each one pools yield, persons arrive, sites that wait try in a random
// order: at most four objects each, the oldest first; a site that could not place one tries again
// an hour later. Persons who arrive in the counted window (ten days after the beginning to ten days
// before the end) say whether the rate was sustained. Deterministic by seed. One thread; runs share
// nothing and may go side by side.
#pragma once

#include <functional>
#include <string>

#include "simulate/placers.h"

namespace warifu::simulate {

// What a run is made of, besides network, rates and placer.
struct Setting {
  double persons_per_day = 10;
  double days = 500;
  double failures = 0;  // the share of links that is down, drawn anew every day
  double restores = 0;  // the share of stored objects that is restored on a day
  std::uint64_t seed = 1;
  Directions directions = Directions::kOwnHalf;
};

// Before the counted window and behind it.
inline constexpr double kUncountedDays = 10;
// What "sustained" means.
inline constexpr double kStoredShare = 0.985;       // of all persons counted
inline constexpr double kStoredShareAtSite = 0.97;  // at every site
inline constexpr std::size_t kSiteArrivals = 5;     // of a site whose share counts

struct Outcome {
  std::size_t arrived = 0, stored = 0;  // in the counted window
  double worst_site = 1;                // the least share stored at a site that counts
  bool given_up = false;    // more waited than could still be made good: ended before its time
  std::size_t placed = 0;   // in the whole run
  std::size_t hops = 0;     // of their shares
  std::size_t exposed = 0;  // placed objects that another site than the origin could restore
  std::size_t restored = 0, restores_waiting = 0;
  double generated_bytes = 0, wasted_bytes = 0, paid_bytes = 0;
  std::vector<double> wasted_share;  // by link, of what it generated
  std::vector<double> mean_level;    // by link: mean share of its pools that was full

  [[nodiscard]] bool sustained() const;
  [[nodiscard]] double hops_per_person() const;
  [[nodiscard]] double exposed_share() const;
  [[nodiscard]] double wasted() const;
};

// `rates` by link. With `stop_when_lost` a run ends as soon as it cannot be sustained.
[[nodiscard]] Outcome simulate(const ModelNetwork& network, const std::vector<double>& rates,
                               Placer& placer, std::uint64_t share_bytes, const Setting& setting,
                               bool stop_when_lost);

// The largest rate that is sustained: doubled from a quarter of a person per day until it is not,
// then halved `kBisections` times. `tell` hears of every run: done and total of what is expected.
struct Sustained {
  double persons_per_day = 0;
  Outcome outcome;  // at that rate
};
inline constexpr std::size_t kBisections = 7;
using Tell = std::function<void(const std::string& what)>;
[[nodiscard]] Sustained sustained_rate(const ModelNetwork& network,
                                       const std::vector<double>& rates, Policy policy,
                                       const ModelPlanner& planner, const Setting& setting,
                                       const Tell& tell);

}  // namespace warifu::simulate
