// Ways for relayed key: node-disjoint paths between two sites that have no link of their own.
//
// No site but the two ends stands on two of the paths, so a single relay knows one part of the key
// at most. The k paths chosen have the least sum of prices of all sets of k disjoint paths
// (min-cost flow over split nodes), by the same exponential key price as placement: plentiful key
// is cheap, scarce key dear. Pure functions: the same edges give the same paths.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace warifu::kme {

// One direction of a link on the way, as far as this site knows it.
struct RelayEdge {
  SiteName from, to;
  std::optional<std::uint64_t> residual_bytes;  // none: its sending end did not tell
  double inflow_bits_per_second = 0;
};

using RelayPath = std::vector<SiteName>;  // both ends included

// Sites on one path, both ends included: a longer one is not believed when it is told.
inline constexpr std::size_t kMaxRelayPath = 12;
inline constexpr unsigned kMaxRelayPaths = 4;

// `count` paths for a part of `bytes` each, cheapest sum first; none when there are not so many
// disjoint ones. An edge that says that it has fewer than `bytes` is left out; the edge from `from`
// to `to` itself is no relay.
[[nodiscard]] std::optional<std::vector<RelayPath>> disjoint_paths(
    const std::vector<RelayEdge>& edges, const SiteName& from, const SiteName& to, unsigned count,
    std::uint64_t bytes);

// True when every path leads from `from` to `to` over at least one relay and no relay stands twice.
[[nodiscard]] bool are_disjoint(const std::vector<RelayPath>& paths, const SiteName& from,
                                const SiteName& to);

// "lsa > tommo > tuh > cloud1".
[[nodiscard]] std::string relay_path_text(const RelayPath& path);

}  // namespace warifu::kme
