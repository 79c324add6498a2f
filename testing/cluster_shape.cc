// Sites, links and policies.
#include "testing/cluster_shape.h"

#include <algorithm>

#include "base/result.h"

namespace warifu::sim {

std::size_t ClusterShape::find(const std::string& wanted) const {
  const auto found = std::ranges::find(sites, wanted, &Site::name);
  WARIFU_CHECK(found != sites.end());
  return static_cast<std::size_t>(found - sites.begin());
}

const ClusterShape& direct_shape() {
  static const ClusterShape shape{
      .name = "direct",
      .sites = {{"tommo", "origin"}, {"lsa", "vault"}, {"tuh", "vault"}, {"aist", "vault"}},
      .links = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}},
      .policy = "2 of (origin, vault, vault)",
      .movable = {"B", "C"},
      .harmable = {0, 1, 2, 3},
      .copies = {1, 2, 3}};
  return shape;
}

const ClusterShape& nested_shape() {
  static const ClusterShape shape{
      .name = "nested",
      .sites = {{"tommo", "origin"},
                {"lsa", "vault"},
                {"tuh", "gateway"},
                {"cloud1", "cloud"},
                {"cloud2", "cloud"},
                {"cloud3", "cloud"}},
      .links = {{0, 1},
                {0, 2},
                {2, 3},
                {2, 4},
                {2, 5},
                {3, 4},
                {3, 5},
                {4, 5},
                {1, 5},
                {0, 3},
                {1, 3},
                {1, 2}},
      .policy = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)",
      .shares = 5,
      .movable = {},
      .harmable = {0, 1, 2, 3, 4, 5},
      .copies = {1, 2}};
  return shape;
}

const ClusterShape& relayed_shape() {
  static const ClusterShape shape{.name = "relayed",
                                  .sites = {{"tommo", "origin"},
                                            {"lsa", "vault"},
                                            {"tuh", "gateway"},
                                            {"cloud1", "cloud"},
                                            {"cloud2", "cloud"}},
                                  .links = {{0, 1}, {0, 2}, {1, 2}, {2, 3}, {2, 4}, {3, 4}},
                                  .policy = "2 of (origin, vault, cloud)",
                                  .movable = {"C"},
                                  // A and B cannot: clouds share masks with nobody outside.
                                  .harmable = {3, 4},
                                  .copies = {1, 2}};
  return shape;
}

const std::vector<const ClusterShape*>& cluster_shapes() {
  static const std::vector<const ClusterShape*> all = {&direct_shape(), &nested_shape(),
                                                       &relayed_shape()};
  return all;
}

const ClusterShape& shape_named(const std::string& name) {
  const auto& all = cluster_shapes();
  const auto found =
      std::ranges::find_if(all, [&](const ClusterShape* shape) { return shape->name == name; });
  WARIFU_CHECK(found != all.end());
  return **found;
}

const ClusterShape& shape_of(std::uint64_t seed) {
  switch (seed % 10) {
    case 3: return nested_shape();
    case 7: return relayed_shape();
    default: return direct_shape();
  }
}

}  // namespace warifu::sim
