// Names and sums of what a cluster run counts.
#include "testing/cluster_rules.h"

#include <algorithm>

namespace warifu::sim {
namespace {

using C = ClusterCounts;
constexpr CountKind kViolations[] = {{"lost", &C::lost},           {"wrong", &C::wrong},
                                     {"exposed", &C::exposed},     {"reused", &C::reused},
                                     {"missing", &C::missing},     {"orphans", &C::orphans},
                                     {"forgotten", &C::forgotten}, {"unhealed", &C::unhealed},
                                     {"refused", &C::refused},     {"blamed", &C::blamed}};
constexpr CountKind kFaults[] = {{"crashes", &C::crashes},
                                 {"kills", &C::kills},
                                 {"boot_crashes", &C::boot_crashes},
                                 {"splits", &C::splits},
                                 {"one_way", &C::one_way},
                                 {"cuts", &C::cuts},
                                 {"attacks", &C::attacks},
                                 {"slow", &C::slow},
                                 {"rotten", &C::rotten},
                                 {"astray", &C::astray},
                                 {"full", &C::full},
                                 {"burnt", &C::burnt},
                                 {"control_burnt", &C::control_burnt}};
constexpr CountKind kWork[] = {{"stored", &C::stored},           {"not_stored", &C::not_stored},
                               {"restored", &C::restored},       {"not_restored", &C::not_restored},
                               {"repaired", &C::repaired},       {"moved", &C::moved},
                               {"refreshed", &C::refreshed},     {"deleted", &C::deleted},
                               {"audited", &C::audited},         {"from_copy", &C::from_copy},
                               {"from_shares", &C::from_shares}, {"spare", &C::spare},
                               {"recut", &C::recut, true},       {"couriers", &C::couriers},
                               {"checked", &C::checked},         {"shares_seen", &C::shares_seen},
                               {"frames", &C::frames},           {"turns", &C::turns}};

}  // namespace

std::span<const CountKind> cluster_violations() {
  return kViolations;
}
std::span<const CountKind> cluster_faults() {
  return kFaults;
}
std::span<const CountKind> cluster_work() {
  return kWork;
}

std::uint64_t ClusterCounts::violations() const {
  std::uint64_t sum = 0;
  for (const CountKind& kind : kViolations) sum += this->*kind.count;
  return sum;
}

ClusterCounts& ClusterCounts::operator+=(const ClusterCounts& other) {
  for (const auto kinds : {cluster_violations(), cluster_faults(), cluster_work()}) {
    for (const CountKind& kind : kinds) this->*kind.count += other.*kind.count;
  }
  return *this;
}

std::string counts_text(const ClusterCounts& counts, std::span<const CountKind> kinds) {
  std::string text;
  for (const CountKind& kind : kinds) {
    if (counts.*kind.count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts.*kind.count) + " " +
            std::string(kind.name);
  }
  return text.empty() ? "none" : text;
}

}  // namespace warifu::sim
