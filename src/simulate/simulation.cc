// The loop over steps, and the search for the sustained rate.
#include "simulate/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include "simulate/traffic.h"

namespace warifu::simulate {
namespace {

constexpr double kStepSeconds = 600;
constexpr double kRetrySeconds = 3600;
constexpr std::size_t kStartsPerStep = 4;
// Streams of random numbers besides those of the sites.
constexpr std::uint64_t kOrderStream = 1'000'001;
constexpr std::uint64_t kFailureStream = 1'000'002;
constexpr std::uint64_t kRestoreStream = 1'000'003;
// More of the persons to be counted wait at once than may be left over, several times over.
constexpr double kLostShare = 5 * (1 - kStoredShare);

class Run {
 public:
  Run(const ModelNetwork& network, const std::vector<double>& rates, Placer& placer,
      std::uint64_t share_bytes, const Setting& setting)
      : network_(network),
        placer_(placer),
        share_bytes_(static_cast<double>(share_bytes)),
        setting_(setting),
        pools_(rates, setting.directions),
        sites_(network.sites.size()),
        levels_(network.links.size()),
        order_(setting.seed, kOrderStream),
        failing_(setting.seed, kFailureStream),
        restoring_(setting.seed, kRestoreStream) {
    const auto demand = network.demand();
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      arrivals_.emplace_back(setting.seed, i, setting.persons_per_day * demand[i]);
    }
  }

  Outcome run(bool stop_when_lost) {
    const auto steps = static_cast<std::size_t>(setting_.days * kSecondsPerDay / kStepSeconds);
    const auto daily = static_cast<std::size_t>(kSecondsPerDay / kStepSeconds);
    const double most = std::max(20.0, kLostShare * setting_.persons_per_day * setting_.days);
    for (std::size_t step = 0; step < steps; ++step) {
      now_ = static_cast<double>(step) * kStepSeconds;
      if (step % daily == 0) begin_day();
      pools_.yield(kStepSeconds);
      arrive();
      store();
      restore();
      if (stop_when_lost && static_cast<double>(waiting_) > most) {
        outcome_.given_up = true;
        break;
      }
    }
    finish(std::max<std::size_t>(1, steps / daily));
    return std::move(outcome_);
  }

 private:
  struct Site {
    std::deque<double> queue;  // times of arrival
    double retry_at = 0;
    std::size_t arrived = 0, stored = 0;  // in the counted window
  };

  void begin_day() {
    for (std::size_t link = 0; link < network_.links.size(); ++link) {
      if (setting_.failures > 0) pools_.set_up(link, failing_.uniform() >= setting_.failures);
      for (const std::size_t direction : {2 * link, 2 * link + 1}) {
        levels_[link] += pools_.residual(direction) / pools_.capacity(direction) / 2;
      }
    }
    if (setting_.restores <= 0 || stored_.empty()) return;
    const double mean = setting_.restores * static_cast<double>(stored_.size());
    for (std::size_t left = restoring_.events(mean); left > 0; --left) {
      restores_.push_back(restoring_.below(stored_.size()));
    }
  }

  [[nodiscard]] bool counted(double arrival) const {
    return arrival >= kUncountedDays * kSecondsPerDay &&
           arrival < (setting_.days - kUncountedDays) * kSecondsPerDay;
  }

  void arrive() {
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      double at = 0;
      while (arrivals_[i].next_before(now_ + kStepSeconds, at)) {
        sites_[i].queue.push_back(at);
        ++waiting_;
        if (counted(at)) ++sites_[i].arrived;
      }
    }
  }

  void store() {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      if (!sites_[i].queue.empty() && sites_[i].retry_at <= now_) ready.push_back(i);
    }
    for (std::size_t left = ready.size(); left > 1; --left) {
      std::swap(ready[left - 1], ready[order_.below(left)]);
    }
    for (const std::size_t site : ready) store_at(site);
  }

  void store_at(std::size_t at) {
    Site& site = sites_[at];
    for (std::size_t start = 0; start < kStartsPerStep && !site.queue.empty(); ++start) {
      const auto placed = placer_.place(at, pools_);
      if (!placed) {
        site.retry_at = now_ + kRetrySeconds;
        return;
      }
      const auto directions = placed->directions();
      pools_.pay(directions, share_bytes_);
      outcome_.paid_bytes += share_bytes_ * static_cast<double>(directions.size());
      outcome_.hops += directions.size();
      ++outcome_.placed;
      if (sites_that_could_restore(placed->shares, network_.sites[at].name) > 0) ++outcome_.exposed;
      if (counted(site.queue.front())) ++site.stored;
      site.queue.pop_front();
      --waiting_;
      if (setting_.restores > 0) stored_.push_back({placed->ways[1], placed->ways[2]});
    }
  }

  // A restore at the origin needs one of the two shares back, over the way it came: whoever sees it
  // there has seen it before.
  void restore() {
    for (std::size_t left = restores_.size(); left > 0; --left) {
      const std::size_t object = restores_.front();
      restores_.pop_front();
      if (fetch(stored_[object].first) || fetch(stored_[object].second)) {
        ++outcome_.restored;
      } else {
        restores_.push_back(object);
      }
    }
  }

  bool fetch(const std::vector<std::uint32_t>& way) {
    std::vector<std::uint32_t> back;
    for (const std::uint32_t direction : way) back.push_back(direction ^ 1U);
    if (!pools_.can_pay(back, share_bytes_)) return false;
    pools_.pay(back, share_bytes_);
    outcome_.paid_bytes += share_bytes_ * static_cast<double>(back.size());
    return true;
  }

  void finish(std::size_t days) {
    for (const Site& site : sites_) {
      outcome_.arrived += site.arrived;
      outcome_.stored += site.stored;
      if (site.arrived < kSiteArrivals) continue;
      outcome_.worst_site = std::min(outcome_.worst_site, static_cast<double>(site.stored) /
                                                              static_cast<double>(site.arrived));
    }
    outcome_.restores_waiting = restores_.size();
    for (std::size_t link = 0; link < network_.links.size(); ++link) {
      const double generated = pools_.generated(link);
      outcome_.generated_bytes += generated;
      outcome_.wasted_bytes += pools_.wasted(link);
      outcome_.wasted_share.push_back(generated > 0 ? pools_.wasted(link) / generated : 0);
      outcome_.mean_level.push_back(levels_[link] / static_cast<double>(days));
    }
  }

  using Ways = std::pair<std::vector<std::uint32_t>, std::vector<std::uint32_t>>;

  const ModelNetwork& network_;
  Placer& placer_;
  double share_bytes_;
  const Setting& setting_;
  KeyPools pools_;
  std::vector<Site> sites_;
  std::vector<double> levels_;
  std::vector<Arrivals> arrivals_;
  Dice order_, failing_, restoring_;
  double now_ = 0;
  std::size_t waiting_ = 0;
  std::vector<Ways> stored_;
  std::deque<std::size_t> restores_;  // that wait, by object
  Outcome outcome_;
};

double share_of(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

bool Outcome::sustained() const {
  return !given_up && worst_site >= kStoredShareAtSite &&
         static_cast<double>(stored) >= kStoredShare * static_cast<double>(arrived);
}

double Outcome::hops_per_person() const {
  return share_of(static_cast<double>(hops), static_cast<double>(placed));
}

double Outcome::exposed_share() const {
  return share_of(static_cast<double>(exposed), static_cast<double>(placed));
}

double Outcome::wasted() const {
  return share_of(wasted_bytes, generated_bytes);
}

Outcome simulate(const ModelNetwork& network, const std::vector<double>& rates, Placer& placer,
                 std::uint64_t share_bytes, const Setting& setting, bool stop_when_lost) {
  return Run(network, rates, placer, share_bytes, setting).run(stop_when_lost);
}

Sustained sustained_rate(const ModelNetwork& network, const std::vector<double>& rates,
                         Policy policy, const ModelPlanner& planner, const Setting& setting,
                         const Tell& tell) {
  const auto placer = make_placer(policy, planner);
  Sustained best;
  const auto holds = [&](double rate) {
    tell(fmt::format("{} at {:.2f} persons per day", policy_name(policy), rate));
    Setting at = setting;
    at.persons_per_day = rate;
    Outcome outcome = simulate(network, rates, *placer, planner.share_bytes(), at, true);
    const bool sustained = outcome.sustained();
    if (sustained) best = {rate, std::move(outcome)};
    return sustained;
  };
  constexpr double kFirst = 0.25;
  constexpr double kMost = 1e6;
  double low = 0;
  double high = kFirst;
  while (high < kMost && holds(high)) {
    low = high;
    high *= 2;
  }
  for (std::size_t i = 0; i < kBisections; ++i) {
    const double middle = (low + high) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return best;
}

}  // namespace warifu::simulate
