// Networks for tests of planners: the reference network of six sites with plenty of key, and links
// to change it.
#pragma once

#include <string>

#include "planner/placement.h"

namespace warifu::planner {

inline constexpr std::uint64_t kGigabyte = 1'000'000'000;
inline constexpr const char* kReferencePolicy =
    "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";

inline SiteName site(const std::string& name) {
  return *SiteName::parse(name);
}

// Both directions.
inline void link(Snapshot& snapshot, const std::string& a, const std::string& b,
                 kme::LinkClass link_class = kme::LinkClass::kQkd,
                 std::uint64_t residual_bytes = 9 * kGigabyte) {
  snapshot.edges.push_back({site(a), site(b), link_class, residual_bytes, 0});
  snapshot.edges.push_back({site(b), site(a), link_class, residual_bytes, 0});
}

inline Snapshot reference_network() {
  Snapshot snapshot;
  snapshot.origin = site("tommo");
  snapshot.sites = {{site("tommo"), 1, {"origin"}},         {site("lsa"), 2, {"vault"}},
                    {site("tuh"), 3, {"gateway", "vault"}}, {site("cloud1"), 4, {"cloud"}},
                    {site("cloud2"), 5, {"cloud"}},         {site("cloud3"), 6, {"cloud"}}};
  const auto add = [&](const char* a, const char* b, kme::LinkClass link_class) {
    link(snapshot, a, b, link_class, 20 * kGigabyte);
  };
  add("tommo", "lsa", kme::LinkClass::kQkd);
  add("tommo", "tuh", kme::LinkClass::kQkd);
  for (const char* cloud : {"cloud1", "cloud2", "cloud3"}) {
    add("tuh", cloud, kme::LinkClass::kPreshared);
  }
  add("cloud1", "cloud2", kme::LinkClass::kPreshared);
  add("cloud2", "cloud3", kme::LinkClass::kPreshared);
  add("cloud1", "cloud3", kme::LinkClass::kPreshared);
  return snapshot;
}

}  // namespace warifu::planner
