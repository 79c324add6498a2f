// The planner that stores use, asked about a simulated network.
//
// Nothing here decides: a snapshot is made as sites would report it, control::plan_placement()
// answers, and its routes are turned into link directions. The rule "at least one share outside the
// origin's region" is an ordinary policy over labels. To see what the exposure rule is worth, the
// same planner is asked for a policy of threshold 3: its rule then lets a site see two shares. The
// origin's demand is never known to it. The network must outlive it. One thread.
#pragma once

#include <map>
#include <optional>

#include "planner/placement.h"
#include "simulate/key_pools.h"

namespace warifu::simulate {

enum class ExposureRule : std::uint8_t { kOn, kOff };

// The label that every site carries.
inline constexpr const char* kAnywhere = "place:any";

// Where the shares of one object go. Share A stays at the origin.
struct Placed {
  std::vector<planner::ShareTarget> shares;
  // The directions that shares travel over, by share; a direction may stand in several ways.
  std::vector<std::vector<std::uint32_t>> ways;

  [[nodiscard]] std::vector<std::uint32_t> directions() const;
};

class ModelPlanner {
 public:
  ModelPlanner(const ModelNetwork& network, ExposureRule rule, std::uint64_t object_bytes);

  // Bytes of one share, which is what it costs on every hop.
  [[nodiscard]] std::uint64_t share_bytes() const { return share_bytes_; }
  [[nodiscard]] std::uint64_t object_bytes() const { return object_bytes_; }
  [[nodiscard]] ExposureRule rule() const { return rule_; }
  // 2 of (origin, a share outside the region, a share anywhere), or what stands for it while the
  // rule is off.
  [[nodiscard]] const planner::PolicyNode& policy_of(std::size_t origin) const;
  // The same for two named sites.
  [[nodiscard]] planner::PolicyNode policy_to(std::size_t first, std::size_t second) const;

  // One direction as its sending end reports it.
  [[nodiscard]] planner::EdgeState edge(std::size_t direction, std::uint64_t residual_bytes,
                                        double bits_per_second) const;
  // A snapshot without any key yet: everything but its edges.
  [[nodiscard]] planner::Snapshot empty_snapshot(std::size_t origin) const;
  // What the sites report now. A link that is down does not report.
  [[nodiscard]] planner::Snapshot snapshot(std::size_t origin, const KeyPools& pools) const;
  // Places an object that can be paid with what the pools hold now: directions that cannot are left
  // out, as those of a site that does not answer. None: it has to wait.
  [[nodiscard]] std::optional<Placed> place(std::size_t origin, const KeyPools& pools) const {
    return place(policy_of(origin), origin, pools);
  }
  // The same under another policy, whose first share stays at the origin.
  [[nodiscard]] std::optional<Placed> place(const planner::PolicyNode& policy, std::size_t origin,
                                            const KeyPools& pools) const;
  [[nodiscard]] const sharing::RecordLayout& records() const { return records_; }
  // The plan that the planner makes of this snapshot. Errors: as plan_placement().
  [[nodiscard]] Result<Placed> plan(const planner::PolicyNode& policy,
                                    const planner::Snapshot& snapshot) const;

  [[nodiscard]] std::size_t site(const SiteName& name) const { return numbers_.at(name); }
  [[nodiscard]] const ModelNetwork& network() const { return network_; }
  // The direction between two neighbours.
  [[nodiscard]] std::uint32_t direction(std::size_t from, std::size_t to) const {
    return directions_.at({from, to});
  }

 private:
  // The directions for which `reports` holds.
  template <typename Reports>
  [[nodiscard]] planner::Snapshot snapshot_of(std::size_t origin, const KeyPools& pools,
                                              const Reports& reports) const;

  const ModelNetwork& network_;
  ExposureRule rule_;
  std::uint64_t object_bytes_;
  sharing::RecordLayout records_;
  std::uint64_t share_bytes_;
  std::vector<config::SiteEntry> sites_;
  std::vector<planner::PolicyNode> policies_;  // by region
  std::map<SiteName, std::size_t> numbers_;
  std::map<std::pair<std::size_t, std::size_t>, std::uint32_t> directions_;
  std::vector<std::vector<std::uint32_t>> from_;  // directions that leave each site
};

// How many sites other than the origin could restore an object of threshold 2 from what they saw.
[[nodiscard]] std::size_t sites_that_could_restore(const std::vector<planner::ShareTarget>& shares,
                                                   const SiteName& origin);

}  // namespace warifu::simulate
