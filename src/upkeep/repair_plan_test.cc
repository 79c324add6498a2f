// Plans of repairs: legal by what the views say, whole, and none cheaper; against trying everything
// on small networks, and on the reference network by hand.
#include "upkeep/repair_plan.h"

#include <gtest/gtest.h>

#include <random>

#include "planner/key_graph.h"
#include "upkeep/relocation_job.h"
#include "upkeep/upkeep_test_support.h"

namespace warifu::upkeep {
namespace {

using planner::EdgeState;
using planner::ShareLocation;

constexpr std::uint64_t kObjectBytes = 1'000'000;

// An object whose shares lie at sites of a network.
struct World {
  planner::PolicyNode policy;
  planner::Snapshot snapshot;
  std::vector<ShareLocation> shares;
  std::map<SiteName, planner::Seen> seen;

  void put(const std::string& letter, const std::string& at) {
    const ShareLocation share = share_at(letter, at);
    shares.push_back(share);
    seen[share.site].insert(share.path);
  }
  [[nodiscard]] ShareLocation share(const std::string& letter) const {
    return *std::ranges::find(shares, letter, &ShareLocation::letter);
  }
  void lose(const std::string& letter) {
    std::erase_if(shares, [&](const ShareLocation& share) { return share.letter() == letter; });
  }
  [[nodiscard]] RepairField field() const {
    return {.policy = policy,
            .shares = shares,
            .snapshot = snapshot,
            .records = sharing::RecordLayout(sharing::Chunking{{kObjectBytes}}),
            .seen = seen};
  }
  [[nodiscard]] std::uint64_t share_bytes(const ShareLocation& share) const {
    const auto records = planner::records_at(policy, field().records, share.path);
    return records.lengths({0}, records.count());
  }
};

// ---- Everything, tried ----

using EdgeOf = std::map<std::pair<SiteName, SiteName>, const EdgeState*>;

EdgeOf edges_of(const planner::Snapshot& snapshot) {
  EdgeOf edges;
  for (const EdgeState& edge : snapshot.edges) edges[{edge.from, edge.to}] = &edge;
  return edges;
}

void extend(const EdgeOf& edges, const SiteName& to, planner::Route& route,
            std::vector<planner::Route>& found) {
  if (route.back() == to) return found.push_back(route);
  const SiteName from = route.back();
  for (const auto& [ends, edge] : edges) {
    if (ends.first != from || std::ranges::find(route, ends.second) != route.end()) continue;
    route.push_back(ends.second);
    extend(edges, to, route, found);
    route.pop_back();
  }
}

std::vector<planner::Route> simple_ways(const EdgeOf& edges, const SiteName& from,
                                        const SiteName& to) {
  std::vector<planner::Route> found;
  planner::Route route = {from};
  extend(edges, to, route, found);
  return found;
}

// Fills in who may know key of the ways and masks. Returns the price, none when a link is missing.
std::optional<double> complete(SumOfParts& sum, const EdgeOf& edges, std::uint64_t bytes) {
  double price = 0;
  for (std::size_t i = 0; i < sum.parts.size(); ++i) {
    PartWay& part = sum.parts[i];
    part.knowing.clear();
    for (std::size_t hop = 0; hop + 1 < part.route.size(); ++hop) {
      const auto edge = edges.find({part.route[hop], part.route[hop + 1]});
      if (edge == edges.end()) return std::nullopt;
      price += planner::edge_price(*edge->second, bytes);
      for (const SiteName& knowing : edge->second->knowing) {
        if (std::ranges::find(part.route, knowing) == part.route.end())
          part.knowing.insert(knowing);
      }
    }
    if (i + 1 == sum.parts.size()) continue;
    const auto mask = edges.find({part.at.site, sum.parts[i + 1].at.site});
    if (mask == edges.end()) return std::nullopt;
    price += planner::edge_price(*mask->second, bytes);
    part.mask_knowing = mask->second->knowing;
  }
  return price;
}

// Whether somebody who knows a mask of a part sees it, which its giver would refuse.
bool partner_sees(const SumOfParts& sum) {
  for (std::size_t i = 0; i < sum.parts.size(); ++i) {
    std::set<SiteName> partners;
    if (i > 0) {
      partners = sum.parts[i - 1].mask_knowing;
      partners.insert(sum.parts[i - 1].at.site);
    }
    if (i + 1 < sum.parts.size()) {
      partners.insert(sum.parts[i + 1].at.site);
      partners.insert(sum.parts[i].mask_knowing.begin(), sum.parts[i].mask_knowing.end());
    }
    for (const SiteName& partner : partners) {
      const planner::Route& route = sum.parts[i].route;
      if (sum.parts[i].knowing.contains(partner)) return true;
      if (std::ranges::find(route, partner) != route.end()) return true;
    }
  }
  return false;
}

class Everything {
 public:
  Everything(const World& world, const ShareLocation& made)
      : world_(world),
        edges_(edges_of(world.snapshot)),
        bytes_(world.share_bytes(made)),
        sum_{.made = made, .parts = {}} {}

  // The price of the cheapest legal plan, over all helper sets, chains and simple ways.
  std::optional<double> cheapest(const std::vector<HelperSet>& sets) {
    for (HelperSet helpers : sets) {
      std::ranges::sort(helpers, {}, &ShareLocation::site);
      do {
        sum_.parts.clear();
        for (const ShareLocation& helper : helpers) {
          sum_.parts.push_back({.at = helper, .route = {}});
        }
        if (has_masks()) try_ways(0);
      } while (std::ranges::next_permutation(helpers, {}, &ShareLocation::site).found);
    }
    return best_;
  }

 private:
  [[nodiscard]] bool has_masks() const {
    for (std::size_t i = 0; i + 1 < sum_.parts.size(); ++i) {
      if (!edges_.contains({sum_.parts[i].at.site, sum_.parts[i + 1].at.site})) return false;
    }
    return true;
  }
  void try_ways(std::size_t part) {
    if (part < sum_.parts.size()) {
      for (auto& way : simple_ways(edges_, sum_.parts[part].at.site, sum_.made.site)) {
        sum_.parts[part].route = std::move(way);
        try_ways(part + 1);
      }
      return;
    }
    const auto price = complete(sum_, edges_, bytes_);
    if (!price || (best_ && *best_ <= *price)) return;
    if (partner_sees(sum_)) return;
    if (!who_sees_too_much(world_.policy, world_.seen, views_of(sum_))) best_ = price;
  }

  const World& world_;
  EdgeOf edges_;
  std::uint64_t bytes_;
  SumOfParts sum_;
  std::optional<double> best_;
};

// ---- Random networks ----

// The first ones are small enough to try every plan.
constexpr std::size_t kSmallPolicies = 4;
const std::vector<std::string> kPolicies = {
    "2 of (origin, v, v)",       "2 of (origin, v, 2 of (c, c, c) via g)",
    "3 of (origin, v, v, v)",    "ramp 3 of (origin, v, v, v)",
    "3 of (origin, v, v, v, v)", "3 of (origin, v, v, 2 of (c, c, c) via g)"};

World random_world(std::mt19937_64& generator, std::size_t sites, std::size_t policies,
                   unsigned one_link_of) {
  World world{.policy = *planner::parse_policy(kPolicies[generator() % policies]),
              .snapshot = {},
              .shares = {},
              .seen = {}};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < sites; ++i) {
    names.push_back("s" + std::to_string(i));
    const SiteName name = site(names.back());
    world.snapshot.sites.push_back({name, static_cast<std::uint8_t>(i), {"v", "c", "g"}});
    world.snapshot.free_bytes[name] = 10 * kObjectBytes;
  }
  world.snapshot.origin = site(names[generator() % sites]);
  for (std::size_t i = 0; i < sites; ++i) {
    for (std::size_t j = i + 1; j < sites; ++j) {
      // A line of sites, and some of the other links.
      if (generator() % one_link_of != 0 && j != i + 1) continue;
      planner::link(world.snapshot, names[i], names[j], kme::LinkClass::kPreshared,
                    generator() % (6 * kObjectBytes));
      if (generator() % 6 != 0) continue;
      const SiteName relay = site(names[generator() % sites]);
      if (relay == site(names[i]) || relay == site(names[j])) continue;
      world.snapshot.edges[world.snapshot.edges.size() - 1].knowing.insert(relay);
      world.snapshot.edges[world.snapshot.edges.size() - 2].knowing.insert(relay);
    }
  }
  std::ranges::shuffle(names, generator);
  const std::vector<std::string> letters = letters_of(world.policy);
  WARIFU_CHECK(letters.size() <= sites);
  for (std::size_t i = 0; i < letters.size(); ++i) world.put(letters[i], names[i]);
  // Somebody has relayed a share before.
  if (generator() % 3 == 0) {
    const std::string& name = names[generator() % sites];
    world.seen[site(name)].insert(
        sharing::SharePath().part(generator() % world.policy.children.size()));
  }
  return world;
}

// By the letters alone.
std::multiset<std::string> letters_in(const HelperSet& set) {
  std::multiset<std::string> letters;
  for (const ShareLocation& share : set) letters.insert(share.letter());
  return letters;
}

// Whether a plan holds what it promises: helpers that suffice, ways and masks over links that are
// there, whoever may know their key counted in, price and bytes added up, nobody sees too much.
void check_plan(const World& world, const RepairPlan& plan, const std::vector<HelperSet>& sets) {
  const EdgeOf edges = edges_of(world.snapshot);
  const std::uint64_t bytes = world.share_bytes(plan.sum.made);
  HelperSet helpers;
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> carried;
  for (std::size_t i = 0; i < plan.sum.parts.size(); ++i) {
    const PartWay& part = plan.sum.parts[i];
    helpers.push_back(part.at);
    ASSERT_FALSE(part.route.empty());
    EXPECT_EQ(part.route.front(), part.at.site);
    EXPECT_EQ(part.route.back(), plan.sum.made.site);
    for (std::size_t hop = 0; hop + 1 < part.route.size(); ++hop) {
      carried[{part.route[hop], part.route[hop + 1]}] += bytes;
    }
    if (i + 1 < plan.sum.parts.size()) {
      carried[{part.at.site, plan.sum.parts[i + 1].at.site}] += bytes;
    }
  }
  EXPECT_TRUE(std::ranges::any_of(
      sets, [&](const HelperSet& set) { return letters_in(set) == letters_in(helpers); }));
  SumOfParts again = plan.sum;
  const auto price = complete(again, edges, bytes);
  ASSERT_TRUE(price) << "a way or mask over no link";
  EXPECT_NEAR(*price, plan.price, 1e-9 * *price);
  for (std::size_t i = 0; i < again.parts.size(); ++i) {
    EXPECT_EQ(again.parts[i].knowing, plan.sum.parts[i].knowing);
    EXPECT_EQ(again.parts[i].mask_knowing, plan.sum.parts[i].mask_knowing);
  }
  EXPECT_EQ(plan.bytes_by_edge, carried);
  EXPECT_FALSE(who_sees_too_much(world.policy, world.seen, views_of(again)));
  EXPECT_FALSE(partner_sees(again));
  for (const ShareLocation& other : world.shares) EXPECT_NE(other.site, plan.sum.made.site);
}

struct Tally {
  int planned = 0, refused = 0;
};

// Every share of `world`, lost or moved, at every place: as cheap as anything that is legal.
void try_all(const World& before, bool repair, bool brute_force, Tally& tally) {
  for (const ShareLocation& share : before.shares) {
    World world = before;
    world.lose(share.letter());
    const auto sets = repair ? every_helper_set(world.policy, world.shares, share)
                             : std::vector<HelperSet>{{share}};
    for (const SiteName& place : resting_places(world.field(), share)) {
      if (!repair && place == share.site) continue;
      const auto plan = repair ? plan_repair(world.field(), share, place)
                               : plan_move(world.field(), share, place);
      ++(plan ? tally.planned : tally.refused);
      if (plan) check_plan(world, *plan, sets);
      if (!plan) {
        EXPECT_EQ(plan.error().code, Code::kRefused);
      }
      if (!brute_force) continue;
      ShareLocation made = share;
      made.site = place;
      const auto best = Everything(world, made).cheapest(sets);
      ASSERT_EQ(best.has_value(), plan.has_value())
          << share.letter() << " at " << place.text()
          << (plan ? " planned for " + std::to_string(plan->price) : ": " + plan.error().message)
          << (best ? ", possible for " + std::to_string(*best) : ", not possible");
      if (best) {
        EXPECT_NEAR(*best, plan->price, 1e-9 * *best);
      }
    }
  }
}

TEST(RepairPlan, IsLegalAndWhole) {
  std::mt19937_64 generator(41);
  Tally repairs, moves;
  for (int round = 0; round < 40; ++round) {
    const World world = random_world(generator, generator() % 3 + 6, kPolicies.size(), 2);
    try_all(world, true, false, repairs);
    try_all(world, false, false, moves);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(repairs.planned, 50);
  EXPECT_GT(repairs.refused, 50);
  EXPECT_GT(moves.planned, 50);
}

TEST(RepairPlan, NoCheaperOneIsMissed) {
  std::mt19937_64 generator(42);
  Tally repairs, moves;
  for (int round = 0; round < 15; ++round) {
    const World world = random_world(generator, 6, kSmallPolicies, 4);
    try_all(world, true, true, repairs);
    try_all(world, false, true, moves);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(repairs.planned, 15);
  EXPECT_GT(repairs.refused, 15);
}

// ---- By hand ----

World reference_world() {
  World world{.policy = *planner::parse_policy(planner::kReferencePolicy),
              .snapshot = planner::reference_network(),
              .shares = {},
              .seen = {}};
  for (const auto& entry : world.snapshot.sites) {
    world.snapshot.free_bytes[entry.name] = planner::kGigabyte;
  }
  world.put("A", "tommo");
  world.put("B", "lsa");
  for (const char* number : {"1", "2", "3"}) {
    world.put(std::string("C") + number, std::string("cloud") + number);
  }
  world.seen[site("tuh")].insert(path_of("C"));  // made the cut
  return world;
}

bool refuses(const Result<RepairPlan>& plan, const std::string& why) {
  return !plan && plan.error().code == Code::kRefused &&
         plan.error().message.find(why) != std::string::npos;
}

TEST(RepairPlan, APartOfTheReferenceNetworkCostsThreeShares) {
  World world = reference_world();
  const ShareLocation lost = world.share("C2");
  world.lose("C2");
  EXPECT_EQ(resting_places(world.field(), lost), std::vector{site("cloud2")});
  const auto plan = plan_repair(world.field(), lost, site("cloud2"));
  ASSERT_TRUE(plan) << plan.error().message;
  check_plan(world, *plan, {{world.share("C1"), world.share("C3")}});
  EXPECT_EQ(plan->key_bytes(), 3 * world.share_bytes(lost));
  EXPECT_EQ(plan->bytes_by_edge.size(), 3u);
  for (const PartWay& part : plan->sum.parts) EXPECT_EQ(part.route.size(), 2u);
}

TEST(RepairPlan, ATopShareOfTheReferenceNetworkHasNoHelpersWithLinks) {
  World world = reference_world();
  const ShareLocation lost = world.share("B");
  world.lose("B");
  EXPECT_EQ(resting_places(world.field(), lost), std::vector{site("lsa")});
  const auto plan = plan_repair(world.field(), lost, site("lsa"));
  EXPECT_TRUE(refuses(plan, "have no link to draw a mask from")) << plan.error().message;
  // With one, the messages of the clouds pass the hospital, which may see C; but tommo, which holds
  // A, would pass them too.
  planner::link(world.snapshot, "tommo", "cloud1");
  const auto tapped = plan_repair(world.field(), lost, site("lsa"));
  EXPECT_TRUE(refuses(tapped, "but over sites that would see too much")) << tapped.error().message;
  // And past it there must be a way.
  planner::link(world.snapshot, "lsa", "cloud1");
  planner::link(world.snapshot, "lsa", "cloud2");
  const auto direct = plan_repair(world.field(), lost, site("lsa"));
  ASSERT_TRUE(direct) << direct.error().message;
  check_plan(world, *direct, every_helper_set(world.policy, world.shares, lost));
  EXPECT_EQ(direct->key_bytes(), 5 * world.share_bytes(lost));
}

TEST(RepairPlan, TooFewOthers) {
  World world = reference_world();
  const ShareLocation lost = world.share("C2");
  world.lose("C2");
  world.lose("C1");
  EXPECT_TRUE(refuses(plan_repair(world.field(), lost, site("cloud2")), "too few"));
}

TEST(RepairPlan, OneOfTwoMessagesTakesTheDearerWay) {
  // r has seen A. It may pass one masked message, but not both: their sum is B.
  World world{
      .policy = *planner::parse_policy("2 of (v, v, v)"), .snapshot = {}, .shares = {}, .seen = {}};
  for (const char* name : {"a", "c", "r", "q", "t"}) {
    world.snapshot.sites.push_back({site(name), 1, {"v"}});
    world.snapshot.free_bytes[site(name)] = planner::kGigabyte;
  }
  world.snapshot.origin = site("t");
  for (const auto& [from, to] : {std::pair{"a", "r"}, {"c", "r"}, {"r", "t"}, {"a", "c"}}) {
    planner::link(world.snapshot, from, to);
  }
  world.put("A", "a");
  world.put("C", "c");
  world.seen[site("r")].insert(path_of("A"));
  const ShareLocation lost = share_at("B", "t");
  EXPECT_TRUE(refuses(plan_repair(world.field(), lost, site("t")), "r would see too much"));
  planner::link(world.snapshot, "a", "q", kme::LinkClass::kPreshared, 0);
  planner::link(world.snapshot, "q", "t", kme::LinkClass::kPreshared, 0);
  const auto plan = plan_repair(world.field(), lost, site("t"));
  ASSERT_TRUE(plan) << plan.error().message;
  for (const PartWay& part : plan->sum.parts) {
    EXPECT_EQ(part.route[1], site(part.at.letter() == "A" ? "q" : "r"));
  }
}

TEST(RestingPlaces, FailureDomainsCloseAllButThePresentSite) {
  World world = reference_world();
  world.snapshot.sites.push_back({site("vault2"), 7, {"vault"}});
  world.snapshot.free_bytes[site("vault2")] = planner::kGigabyte;
  const ShareLocation lost = world.share("B");
  world.lose("B");
  EXPECT_EQ(resting_places(world.field(), lost), (std::vector{site("lsa"), site("vault2")}));
  world.snapshot.domains[site("tommo")] = {"power:sendai"};
  world.snapshot.domains[site("vault2")] = {"power:sendai"};
  world.snapshot.domains[site("lsa")] = {"power:sendai"};  // named after the store
  std::vector<std::string> closed;
  EXPECT_EQ(resting_places(world.field(), lost, &closed), std::vector{site("lsa")});
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_NE(closed[0].find("vault2: failure domain 'power:sendai' (tommo, vault2): its loss"),
            std::string::npos)
      << closed[0];
  world.policy = *planner::parse_policy(std::string("fragile ") + planner::kReferencePolicy);
  EXPECT_EQ(resting_places(world.field(), lost).size(), 2u);
}

TEST(RestingPlaces, HoldersLabelsSpaceAndWhatWasSeenCount) {
  World world = reference_world();
  const auto add = [&](const std::string& name, const std::string& label) {
    world.snapshot.sites.push_back({site(name), 9, {label}});
    world.snapshot.free_bytes[site(name)] = planner::kGigabyte;
  };
  add("cloud4", "cloud");
  add("cloud5", "cloud");
  add("cloud6", "cloud");
  add("vault2", "vault");
  world.snapshot.free_bytes[site("cloud5")] = 10;
  world.seen[site("cloud6")].insert(path_of("C1"));
  const ShareLocation lost = world.share("C2");
  world.lose("C2");
  EXPECT_EQ(resting_places(world.field(), lost), (std::vector{site("cloud2"), site("cloud4")}));
  // Who does not answer is no place, not even where the share was.
  std::erase_if(world.snapshot.sites, [](const auto& s) { return s.name == site("cloud2"); });
  EXPECT_EQ(resting_places(world.field(), lost), std::vector{site("cloud4")});
  std::ranges::find(world.snapshot.sites, site("cloud4"), &config::SiteEntry::name)
      ->accepts_shares = false;
  EXPECT_TRUE(resting_places(world.field(), lost).empty());
}

// The ledger forgets at a refresh, holders do not: whom they refuse is passed over.
TEST(RepairOutlook, ASiteThatHoldersRefuseIsNoPlace) {
  World world{
      .policy = *planner::parse_policy("2 of (v, v, v)"), .snapshot = {}, .shares = {}, .seen = {}};
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    world.snapshot.sites.push_back({site(name), 1, {"v"}});
    world.snapshot.free_bytes[site(name)] = planner::kGigabyte;
    if (name[0] > 'c') planner::link(world.snapshot, "b", name);
  }
  for (const auto& [letter, at] : {std::pair{"A", "a"}, {"B", "b"}, {"C", "c"}}) {
    world.put(letter, at);
  }
  RepairOutlook outlook;
  outlook.tree.policy = world.policy;
  outlook.tree.object.length = kObjectBytes;
  outlook.share = world.share("B");
  world.lose("B");
  outlook.others = world.shares;
  outlook.view.snapshot = world.snapshot;
  outlook.seen = world.seen;
  const Relocation move{.old_share = {}, .new_share = {}, .target = {}, .repair = false};
  std::set<SiteName> places;
  for (int i = 0; i < 2; ++i) {
    const auto plan = outlook.plan(move);
    ASSERT_TRUE(plan) << plan.error().message;
    places.insert(plan->sum.made.site);
    outlook.refused.insert(plan->sum.made.site);
  }
  EXPECT_EQ(places, (std::set{site("d"), site("e")}));
  EXPECT_TRUE(refuses(outlook.plan(move), "d had another share of the object"));
}

}  // namespace
}  // namespace warifu::upkeep
