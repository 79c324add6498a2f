// Who may gather what: shares of the cuts above one's own and nothing else, from and for whoever
// may hold them.
#include "control/gather.h"

#include <gtest/gtest.h>

namespace warifu::control {
namespace {

SiteName site(const std::string& name) {
  return *SiteName::parse(name);
}

sharing::SharePath path(const std::string& name) {
  return *sharing::SharePath::parse(name);
}

ShareId id(const std::string& name) {
  ShareId share;
  std::ranges::copy(name, share.bytes.begin());
  return share;
}

class Gatherings : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, label] : {std::pair{"tommo", ""},
                                      {"lsa", ""},
                                      {"tuh", "gate"},
                                      {"cloud1", "cloud"},
                                      {"cloud2", "cloud"},
                                      {"hub", "hub"},
                                      {"edge1", "edge"},
                                      {"edge2", "edge"},
                                      {"edge3", "edge"}}) {
      config_.sites.push_back({site(name), static_cast<std::uint8_t>(config_.sites.size() + 1)});
      if (*label != 0) config_.sites.back().labels = {label};
    }
    config_.controller = site("tommo");
  }
  // A share of the policy at that site, with siblings at those.
  store::ShareHeader hold(const std::string& name, const std::string& at,
                          const std::vector<std::string>& siblings) {
    config_.name = site(at);
    store::ShareHeader held;
    held.share = id(name);
    held.path = path(name);
    held.policy =
        "2 of (origin, lsa, 2 of (cloud, cloud, 2 of (edge, edge, edge) via hub) via gate)";
    for (std::size_t i = 0; i < siblings.size(); ++i) {
      held.siblings.push_back(
          {static_cast<std::uint8_t>(i), id(held.path.parent().part(i).text()), site(siblings[i])});
    }
    return held;
  }
  Gathered part(const std::string& name, const std::string& at, Gathering gathering = {}) const {
    return {.site = site(at),
            .share = id(name),
            .path = path(name),
            .evidence = {},
            .route = {site(at), config_.name},
            .gathering = std::move(gathering)};
  }
  bool allows(const store::ShareHeader& held, Gathering gathering) const {
    const CombineRequest request{.own = {}, .path = held.path, .gathering = std::move(gathering)};
    return check_gathering(config_, held, request).has_value();
  }

  config::SiteConfig config_;
};

TEST_F(Gatherings, JoinWhatStandsBesideOnesOwnShareOnEveryLevel) {
  const auto edge = hold("C3a", "edge1", {"edge1", "edge2", "edge3"});
  EXPECT_TRUE(allows(edge, {{part("C3b", "edge2")}}));
  EXPECT_TRUE(allows(edge, {{part("C3c", "edge3")}, {part("C1", "cloud2")}}));
  EXPECT_FALSE(allows(edge, {{part("C3b", "edge3")}}));  // its header knows better
  EXPECT_FALSE(allows(edge, {{part("C3a", "edge1")}}));
  EXPECT_FALSE(allows(edge, {{part("C1", "cloud1")}}));
  EXPECT_FALSE(allows(edge, {{part("C3b", "edge2")}, {part("C1", "edge3")}}));  // no cloud
  EXPECT_FALSE(allows(edge, {{part("C3b", "edge2")}, {part("A", "tommo")}}));
  EXPECT_FALSE(allows(edge, {{part("C3b", "edge2")}, {part("C3c", "edge3")}}));
  EXPECT_FALSE(allows(edge, {{part("C3b", "edge2")}, {part("C1", "cloud1")}, {part("B", "lsa")}}));
  Gathered astray = part("C3b", "edge2");
  astray.route = {site("edge2"), site("cloud1")};
  EXPECT_FALSE(allows(edge, {{astray}}));

  const auto cloud = hold("C1", "cloud1", {"cloud1", "cloud2", "hub"});
  EXPECT_TRUE(allows(cloud, {{part("C2", "cloud2")}}));
  EXPECT_TRUE(allows(cloud, {{part("C3b", "edge2", {{part("C3a", "edge1")}})}}));
  EXPECT_FALSE(allows(cloud, {{part("C3b", "lsa", {{part("C3a", "edge1")}})}}));
  EXPECT_FALSE(allows(cloud, {{part("C3", "hub")}}));  // was cut again
  const auto top = hold("B", "lsa", {"tommo", "lsa", "tuh"});
  EXPECT_FALSE(allows(top, {{part("A", "tommo")}}));  // that would be the object
}

TEST_F(Gatherings, SharesGoToWhoJoinsThemOnly) {
  const auto cloud = hold("C1", "cloud1", {"cloud1", "cloud2", "hub"});
  const auto joins = [&](const store::ShareHeader& held, const char* given, const char* at) {
    return may_join(config_, held, path(given), site(at));
  };
  for (const char* at : {"cloud2", "edge1", "edge3"}) EXPECT_TRUE(joins(cloud, "C1", at)) << at;
  for (const char* at : {"cloud1", "hub", "lsa", "tommo", "tuh"})
    EXPECT_FALSE(joins(cloud, "C1", at)) << at;
  const auto edge = hold("C3a", "edge1", {"edge1", "edge2", "edge3"});
  EXPECT_TRUE(joins(edge, "C3a", "edge2"));
  EXPECT_FALSE(joins(edge, "C3a", "cloud1"));  // it joins C3, not its parts
  EXPECT_TRUE(joins(edge, "C3", "cloud1"));
  EXPECT_FALSE(joins(edge, "C3", "edge2"));
  EXPECT_FALSE(joins(edge, "C", "lsa"));  // a share of the object goes to the destination alone
  const auto top = hold("B", "lsa", {"tommo", "lsa", "tuh"});
  EXPECT_FALSE(joins(top, "B", "tommo"));
}

}  // namespace
}  // namespace warifu::control
