// Refreshes: zero shares of whole policies keep every record of random objects and never mix with
// the old generation; plans show nobody more than the rules allow, and say whose old copies die;
// orders survive coding and are refused when they do not fit.
#include <gtest/gtest.h>

#include "upkeep/cut_object_test_support.h"
#include "upkeep/refresh_job.h"
#include "upkeep/refresh_scheduler.h"
#include "upkeep/zero_cut.h"

namespace warifu::upkeep {
namespace {

using planner::Seen;
using planner::ShareLocation;
using Records = std::map<std::string, Bytes>;  // one record of every share, by letter

Bytes join_last(const sharing::Scheme& scheme, std::size_t length,
                const std::vector<std::pair<std::size_t, Bytes>>& shares) {
  std::vector<sharing::ShareIndex> from;
  std::vector<ByteView> views;
  for (std::size_t i = shares.size() - scheme.threshold; i < shares.size(); ++i) {
    from.push_back(static_cast<sharing::ShareIndex>(shares[i].first));
    views.emplace_back(shares[i].second);
  }
  Bytes secret(scheme.padded(length));
  sharing::Joiner::make(scheme, from)->join(views, secret);
  secret.resize(length);
  return secret;
}

// The record at that path out of the last threshold-many shares everywhere below.
Bytes restore(const planner::PolicyNode& policy, const sharing::RecordLayout& object,
              ChunkIndex index, const Records& records, const sharing::SharePath& path = {}) {
  const planner::PolicyNode& node = *policy.find(path);
  if (node.is_leaf()) return records.at(path.text());
  std::vector<std::pair<std::size_t, Bytes>> shares;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    shares.emplace_back(i, restore(policy, object, index, records, path.part(i)));
  }
  const auto layout = planner::records_at(policy, object, path);
  return join_last(node.scheme, layout.length(index), shares);
}

class Zeros : public testing::Test {
 protected:
  ZeroCut::Random random() {
    return [this](MutableBytes out) -> Result<> {
      for (Byte& b : out) b = static_cast<Byte>(generator_());
      return {};
    };
  }
  // Zero shares of one record; drawn ones come as they would from a link.
  std::vector<secret::Buffer> deal(const ZeroCut& cut, const std::vector<bool>& drawn,
                                   const planner::PolicyNode& policy,
                                   const sharing::RecordLayout& object, ChunkIndex index) {
    std::vector<secret::Buffer> zeros(drawn.size());
    const auto places = planner::leaf_paths(policy);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (!drawn[i]) continue;
      zeros[i] = secret::Buffer(planner::records_at(policy, object, places[i]).length(index));
      (void)random()(zeros[i].bytes());
    }
    EXPECT_TRUE(cut.cut(index, zeros, random()));
    return zeros;
  }
  std::mt19937_64 generator_{31};
};

TEST_F(Zeros, KeepEveryRecordUnderRandomPoliciesAndNeverMix) {
  for (int run = 0; run < 60; ++run) {
    const CutObject object(random_cut(generator_, 1 + static_cast<std::size_t>(run) % 3),
                           generator_() % 500 + 1, generator_);
    const planner::PolicyNode& policy = object.policy();
    const auto places = planner::leaf_paths(policy);
    ASSERT_EQ(places.size(), object.shares().size());
    std::vector<bool> drawn(places.size());
    // The first leaf may be key of a link in any scheme.
    if (run % 2 == 0) drawn[0] = true;
    const std::uint64_t length = object.held(places[0].text()).header.object_length;
    const sharing::RecordLayout layout(sharing::Chunking{{length}, kChunkBytes});
    const auto cut = ZeroCut::make(policy, layout, drawn);
    ASSERT_TRUE(cut) << cut.error().message;
    for (std::uint64_t chunk = 0; chunk < layout.count(); ++chunk) {
      const auto zeros = deal(*cut, drawn, policy, layout, {chunk});
      Records old, fresh;
      for (std::size_t i = 0; i < places.size(); ++i) {
        const std::string letter = places[i].text();
        old[letter] = fresh[letter] = object.held(letter).records[chunk];
        ASSERT_EQ(zeros[i].size(), old[letter].size());
        for (std::size_t b = 0; b < zeros[i].size(); ++b) fresh[letter][b] ^= zeros[i].bytes()[b];
      }
      const Bytes secret = restore(policy, layout, {chunk}, old);
      EXPECT_EQ(restore(policy, layout, {chunk}, fresh), secret) << policy.text();
      // The last share stands in every sum here: of another generation it spoils it.
      Records mixed = fresh;
      const std::string last = places.back().text();
      mixed[last] = old[last];
      EXPECT_NE(restore(policy, layout, {chunk}, mixed), secret) << policy.text();
    }
  }
}

TEST_F(Zeros, MoreDrawnSharesThanACutMayHaveAreRefused) {
  const auto policy = *planner::parse_policy("2 of (a, b, 2 of (c, d, e) via g)");
  const sharing::RecordLayout layout(sharing::Chunking{{100}, kChunkBytes});
  EXPECT_TRUE(ZeroCut::make(policy, layout, {true, false, false, true, false}));
  EXPECT_FALSE(ZeroCut::make(policy, layout, {true, true, false, false, false}));
  EXPECT_FALSE(ZeroCut::make(policy, layout, {false, false, true, true, false}));
}

// ---- Plans ----

class RefreshPlans : public testing::Test {
 protected:
  void SetUp() override {
    policy_ = *planner::parse_policy(planner::kReferencePolicy);
    snapshot_ = planner::reference_network();
    shares_ = {share_at("A", "tommo"), share_at("B", "lsa"), share_at("C1", "cloud1"),
               share_at("C2", "cloud2"), share_at("C3", "cloud3")};
    for (const ShareLocation& share : shares_) see(share.site.text(), share.letter());
    see("tuh", "C");
  }
  void see(const std::string& at, const std::string& letter) {
    seen_[site(at)].insert(path_of(letter));
  }
  Result<RefreshPlan> plan(const std::optional<SiteName>& dealer = {},
                           const std::set<SiteName>& used = {}) {
    return plan_refresh({.policy = policy_,
                         .shares = shares_,
                         .snapshot = snapshot_,
                         .records = sharing::RecordLayout(sharing::Chunking{{100'000}}),
                         .seen = seen_},
                        dealer, used);
  }
  std::map<SiteName, Seen> after(const RefreshPlan& plan) {
    return still_seen(policy_, shares_, seen_, zero_views(policy_, plan.dealer, plan.ways));
  }

  planner::PolicyNode policy_;
  planner::Snapshot snapshot_;
  std::vector<ShareLocation> shares_;
  std::map<SiteName, Seen> seen_;
};

TEST_F(RefreshPlans, WhereTheGatewayRelaysEveryPartItsOldCopyStaysUsable) {
  const auto found = plan();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->dealer, site("tommo"));
  EXPECT_EQ(keepers(shares_, after(*found)), std::set{site("tuh")});
}

TEST_F(RefreshPlans, WithOtherWaysTheGatewaysOldCopyIsWorthless) {
  planner::link(snapshot_, "tommo", "cloud1");
  planner::link(snapshot_, "tommo", "cloud2");
  planner::link(snapshot_, "tommo", "cloud3");
  const auto found = plan();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->dealer, site("tommo"));
  EXPECT_TRUE(keepers(shares_, after(*found)).empty());
  EXPECT_FALSE(after(*found).contains(site("tuh")));
  for (const ZeroWay& way : found->ways) EXPECT_LE(way.route.size(), 2u) << way.at.letter();
  // One share of key for each of the others: B is key of the link, so is one of the parts.
  const sharing::RecordLayout top =
      sharing::RecordLayout(sharing::Chunking{{100'000}}).below(policy_.scheme);
  EXPECT_EQ(found->key_bytes(), 4 * top.lengths({0}, top.count()));
}

TEST_F(RefreshPlans, OneHiddenPartIsEnoughToRenewWhatTheGatewayKept) {
  planner::link(snapshot_, "tommo", "cloud1");
  planner::link(snapshot_, "tommo", "cloud2");
  const auto found = plan(site("tommo"));
  ASSERT_TRUE(found) << found.error().message;
  // C3's zero share passes tuh, the others do not: it knows one part, and so not how C changed.
  EXPECT_EQ(found->ways[4].route.size(), 3u);
  EXPECT_TRUE(keepers(shares_, after(*found)).empty());
}

TEST_F(RefreshPlans, NoHolderOfAPartComesToKnowTheDifference) {
  // The only way from tommo to the hospital's side leads over cloud1.
  std::erase_if(snapshot_.edges, [](const planner::EdgeState& edge) {
    return edge.from == site("tuh") || edge.to == site("tuh");
  });
  planner::link(snapshot_, "tommo", "cloud1");
  const auto found = plan();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kRefused);
  EXPECT_NE(found.error().message.find("no way"), std::string::npos) << found.error().message;
  // Negative control: the rule itself names who would know too much.
  std::vector<ZeroWay> ways = {{shares_[0], {site("tommo")}},
                               {shares_[1], {site("tommo"), site("lsa")}},
                               {shares_[2], {site("tommo"), site("cloud1")}},
                               {shares_[3], {site("tommo"), site("cloud1"), site("cloud2")}},
                               {shares_[4], {site("tommo"), site("tuh"), site("cloud3")}}};
  const auto checked = check_zero_views(policy_, site("tommo"), ways);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("cloud1 holds a part"), std::string::npos);
  ways[3].route = {site("tommo"), site("tuh"), site("cloud2")};
  EXPECT_TRUE(check_zero_views(policy_, site("tommo"), ways));
  ways[1].knowing = {site("cloud3")};
  EXPECT_FALSE(check_zero_views(policy_, site("tommo"), ways));
}

TEST_F(RefreshPlans, WhereTwoSharesTellNothingNobodyButTheDealerKnowsAll) {
  policy_ = *planner::parse_policy("3 of (origin, vault, tuh, cloud1)");
  shares_ = {share_at("A", "tommo"), share_at("B", "lsa"), share_at("C", "tuh"),
             share_at("D", "cloud1")};
  seen_.clear();
  for (const ShareLocation& share : shares_) see(share.site.text(), share.letter());
  EXPECT_EQ(dealers_needed(policy_), 3u);
  // D's zero share would have to pass tuh, or tommo's and tuh's: two of them determine all.
  ASSERT_FALSE(plan());
  for (const char* from : {"tommo", "lsa", "tuh"}) planner::link(snapshot_, from, "cloud1");
  planner::link(snapshot_, "lsa", "tuh");
  std::set<SiteName> used;
  for (int round = 0; round < 3; ++round) {
    const auto found = plan({}, used);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(used.insert(found->dealer).second);
    for (const auto& [who, shown] : zero_views(policy_, found->dealer, found->ways)) {
      EXPECT_TRUE(who == found->dealer || known_zeros(policy_, shown).size() == 1);
    }
  }
}

TEST_F(RefreshPlans, NothingIsDealtByWhoHoldsAPart) {
  EXPECT_FALSE(plan(site("cloud1")));
  EXPECT_FALSE(plan({}, {site("tommo"), site("lsa")}));
}

// ---- Orders and checks ----

TEST(RefreshOrders, SurviveCodingAndAreStrict) {
  DealOrder order{.session = {}, .first_chunk = 7, .targets = {}};
  order.session.bytes.fill(3);
  order.targets.push_back({path_of("A"), site("tommo"), ShareId{}, {site("tommo")}});
  order.targets.push_back(
      {path_of("C2"), site("cloud2"), ShareId{}, {site("tommo"), site("cloud2")}});
  const Bytes body = encode(order);
  const auto read = decode_deal(body);
  ASSERT_TRUE(read);
  EXPECT_EQ(encode(*read), body);
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_deal(ByteView(body).first(size)));
  }
  order.targets[1].route = {site("tommo"), site("tuh")};
  EXPECT_FALSE(decode_deal(encode(order)));
  const ZeroHead head{order.session, ShareId{}, 9};
  EXPECT_EQ(encode(*decode_zero_head(encode(head))), encode(head));
}

TEST(RefreshOrders, AShareIsFollowedByItselfOnly) {
  std::mt19937_64 generator(5);
  const CutObject object("2 of (a, b, 2 of (c, d, e) via g)", 300, generator);
  const store::ShareHeader& held = object.held("C2").header;
  control::ShareSpec fresh{.object = held.object,
                           .parent = ShareId{},
                           .path = path_of("C2"),
                           .scheme = held.scheme,
                           .generation = 2,
                           .owner = held.owner,
                           .object_length = 300,
                           .chunk_bytes = held.chunk_bytes,
                           .records = store::records_of(held),
                           .policy = held.policy};
  fresh.share.bytes.fill(0x77);
  EXPECT_TRUE(check_next_generation(held, fresh));
  const auto refused = [&](auto change) {
    control::ShareSpec other = fresh;
    change(other);
    return !check_next_generation(held, other);
  };
  EXPECT_TRUE(refused([](auto& spec) { spec.generation = 1; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.generation = 3; }));
  EXPECT_TRUE(refused([&](auto& spec) { spec.share = held.share; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.path = path_of("C1"); }));
  EXPECT_TRUE(refused([](auto& spec) { spec.path = path_of("B2"); }));
  EXPECT_TRUE(refused([](auto& spec) { spec.path = path_of("C2a"); }));
  EXPECT_TRUE(refused([](auto& spec) { spec.object.bytes[0] ^= 1; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.owner.bytes[0] ^= 1; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.object_length = 301; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.policy = "2 of (a, b, c)"; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.drawn = true; }));
}

TEST(RefreshOrders, ADealerDealsToEveryPlaceOfThePolicy) {
  std::mt19937_64 generator(6);
  const CutObject object("2 of (a, b, 2 of (c1, c2, c) via g)", 300, generator);
  config::SiteConfig config;
  config.name = site("a");
  for (const char* name : {"a", "b", "c1", "c2", "x"}) config.sites.push_back({site(name), 0, {}});
  config.sites.push_back({site("c3"), 0, {"c"}});
  const auto target = [](const char* name, const char* at) {
    ZeroTarget made{path_of(name), site(at), ShareId{}, {site("a")}};
    if (made.site != site("a")) made.route.push_back(made.site);
    return made;
  };
  const DealOrder good{.session = {},
                       .first_chunk = 0,
                       .targets = {target("A", "a"), target("B", "b"), target("C1", "c1"),
                                   target("C2", "c2"), target("C3", "c3")}};
  const store::ShareHeader& held = object.held("A").header;
  ASSERT_TRUE(check_deal(config, held, good)) << check_deal(config, held, good).error().message;
  const auto refused = [&](auto change) {
    DealOrder order = good;
    change(order.targets);
    return !check_deal(config, held, order);
  };
  EXPECT_TRUE(refused([](auto& to) { to.pop_back(); }));
  EXPECT_TRUE(refused([](auto& to) { std::swap(to[3], to[4]); }));
  EXPECT_TRUE(refused([](auto& to) { to[4].site = to[3].site; }));
  const auto at_x = [](ZeroTarget& to) {
    to.site = site("x");
    to.route = {site("a"), site("x")};
  };
  EXPECT_TRUE(refused([&](auto& to) { at_x(to[1]); }));
  EXPECT_TRUE(refused([&](auto& to) { at_x(to[4]); }));
  EXPECT_TRUE(refused([](auto& to) { to[1].route = {site("b")}; }));
  EXPECT_TRUE(refused([](auto& to) { to[3].route = {site("a"), site("c1"), site("c2")}; }));
  config.name = site("c1");
  EXPECT_FALSE(check_deal(config, object.held("C1").header, good));
}

TEST(RefreshState, SurvivesTheCatalog) {
  RefreshState state;
  state.dealers = 2;
  state.key_after = os::UnixMs{1'795'000'000'000};
  state.generation = 4;
  state.used = {site("lsa")};
  state.dealer = site("tommo");
  ShareId old, fresh;
  old.bytes.fill(1);
  fresh.bytes.fill(2);
  state.fresh[old] = fresh;
  state.shown[site("tuh")] = {path_of("C1"), path_of("C3"), path_of("C2a")};
  state.shown[site("lsa")] = {path_of("A"), path_of("B")};
  state.entropy = 6;
  state.check = "in part";
  state.keepers = {site("tuh")};
  const auto read = RefreshState::parse(state.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text(), state.text());
  for (const char* bad : {"", "{}", "[1]", R"({"dealers": 1})"}) {
    EXPECT_FALSE(RefreshState::parse(bad));
  }
}

// Two links: 3 and 1 bytes of key for each byte of the object.
RefreshPreview preview_of(std::uint64_t object_bytes) {
  RefreshPreview preview;
  preview.plan.dealer = site("lsa");
  preview.plan.bytes_by_edge[{site("lsa"), site("tommo")}] = 3 * object_bytes;
  preview.plan.bytes_by_edge[{site("lsa"), site("tuh")}] = object_bytes;
  for (const auto& [ends, bytes] : preview.plan.bytes_by_edge) {
    planner::EdgeState edge{.from = ends.first, .to = ends.second};
    edge.residual_bytes = 10 * object_bytes;
    edge.inflow_bits_per_second = 8000;
    preview.room.emplace(ends, edge);
  }
  return preview;
}

TEST(RefreshScheduling, AnEpochIsAsLongAsItsSlowestLink) {
  RefreshPreview preview = preview_of(100);
  RefreshOutlay outlay = outlay_of(preview, 100, 50'000);
  EXPECT_EQ(outlay.key_bytes, 200'000u);
  EXPECT_EQ(outlay.slowest_link, "lsa > tommo");
  EXPECT_DOUBLE_EQ(outlay.epoch_seconds.value(), 150.0);
  preview.dealers = 2;
  EXPECT_DOUBLE_EQ(outlay_of(preview, 100, 50'000).epoch_seconds.value(), 300.0);
  // Nothing comes in for one of them, or its end has not reported.
  preview.room.at({site("lsa"), site("tuh")}).inflow_bits_per_second = 0;
  outlay = outlay_of(preview, 100, 50'000);
  EXPECT_FALSE(outlay.epoch_seconds);
  EXPECT_EQ(outlay.slowest_link, "lsa > tuh");
  preview.room.clear();
  EXPECT_FALSE(outlay_of(preview, 100, 50'000).epoch_seconds);
  EXPECT_EQ(outlay_of(preview, 0, 0).key_bytes, 0u);
}

TEST(RefreshScheduling, OnlySurplusIsSpent) {
  RefreshPreview preview = preview_of(1000);
  EXPECT_FALSE(short_link(preview, 7000));
  const auto lacking = short_link(preview, 7001);
  ASSERT_TRUE(lacking);
  EXPECT_NE(lacking->find("lsa > tommo has 10.0 kB to spare"), std::string::npos) << *lacking;
  preview.dealers = 3;
  EXPECT_FALSE(short_link(preview, 1000));
  EXPECT_TRUE(short_link(preview, 1001));
  preview.dealers = 4;
  EXPECT_TRUE(short_link(preview, 0));
  preview.dealers = 1;
  preview.room.erase({site("lsa"), site("tuh")});
  EXPECT_TRUE(short_link(preview, 0)) << "its sending end has not reported";
}

}  // namespace
}  // namespace warifu::upkeep
