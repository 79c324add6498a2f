// Parts sum up to the lost share byte for byte: random objects under random policies, every lost
// share, every set of helpers, with the orders that share control would send and chain masks on
// top. Orders that do not fit the share that is held are refused.
#include "upkeep/part_maker.h"

#include <gtest/gtest.h>

#include <functional>

#include "upkeep/cut_object_test_support.h"
#include "upkeep/relocation_job.h"

namespace warifu::upkeep {
namespace {

void add_into(MutableBytes sum, ByteView term) {
  ASSERT_EQ(sum.size(), term.size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = static_cast<Byte>(sum[i] ^ term[i]);
}

SumOfParts sum_of(const planner::ShareLocation& made, const HelperSet& helpers,
                  const std::string& target) {
  SumOfParts sum{.made = made, .parts = {}};
  sum.made.site = site(target);
  for (const auto& helper : helpers) sum.parts.push_back({.at = helper, .route = {}});
  return sum;
}

std::vector<PartOrder> orders_for(const SumOfParts& sum) {
  std::vector<PartOrder> received;
  for (const PartOrder& order : orders_of(sum, JobId{}, 0)) {
    received.push_back(*decode_order(encode(order)));
  }
  return received;
}

// The records that arrive at the new holder, summed up. Every mask is added at both of its ends,
// and they are as many as the masks that the orders speak of.
std::vector<Bytes> taken(const CutObject& object, const SumOfParts& sum,
                         const sharing::RecordLayout& layout, std::mt19937_64& generator) {
  const std::vector<PartOrder> orders = orders_for(sum);
  std::vector<std::optional<PartMaker>> makers;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const auto maker = PartMaker::make(object.held(sum.parts[i].at.letter()).header, orders[i]);
    EXPECT_TRUE(maker) << sum.parts[i].at.letter() << ": " << maker.error().message;
    if (!maker) return {};
    EXPECT_EQ(maker->records(), layout);
    EXPECT_EQ(orders[i].before() != nullptr, i > 0);
    EXPECT_EQ(orders[i].after() != nullptr, i + 1 < orders.size());
    makers.emplace_back(*maker);
  }
  std::vector<Bytes> records;
  for (std::uint64_t chunk = 0; chunk < layout.count(); ++chunk) {
    const ChunkIndex index{chunk};
    Bytes total(layout.length(index)), mask(total.size());
    for (std::size_t i = 0; i < makers.size(); ++i) {
      const Bytes& record = object.held(sum.parts[i].at.letter()).records[chunk];
      secret::Buffer message = makers[i]->part(index, secret::Buffer::copy_of(record));
      if (orders[i].before() != nullptr) add_into(message.bytes(), mask);
      if (orders[i].after() != nullptr) {
        mask = sharing::random_bytes(generator, total.size());
        add_into(message.bytes(), mask);
      }
      add_into(total, message.bytes());
    }
    records.push_back(std::move(total));
  }
  return records;
}

// Every lost share out of `most` helper sets at most, in random chains. Returns how many there
// were.
std::size_t repair_everything(const CutObject& object, std::mt19937_64& generator,
                              std::size_t most) {
  std::size_t repaired = 0;
  for (const auto& lost : object.shares()) {
    const Held& held = object.held(lost.letter());
    auto sets = every_helper_set(object.policy(), object.shares(), lost);
    std::ranges::shuffle(sets, generator);
    if (sets.size() > most) sets.resize(most);
    for (HelperSet& helpers : sets) {
      std::ranges::shuffle(helpers, generator);
      const SumOfParts sum = sum_of(lost, helpers, "fresh");
      EXPECT_EQ(taken(object, sum, store::records_of(held.header), generator), held.records)
          << lost.letter() << " under " << object.policy().text();
      ++repaired;
    }
  }
  return repaired;
}

TEST(PartMaker, EveryLostShareOutOfEverySetOfHelpers) {
  std::mt19937_64 generator(31);
  // Policy, and how many sets there are over all lost shares.
  const std::vector<std::pair<std::string, std::size_t>> cases = {
      {"2 of (origin, v, v)", 3},
      {"2 of (origin, v, 2 of (c, c, c) via g)", 3 + 3 + 3},
      {"3 of (origin, v, v, v, v)", 5 * 4},
      {"2 of (origin, v, v, v)", 4 * 3},
      {"3 of (origin, v, 3 of (c, c, c, c) via g, v)", 3 * 4 + 4},
      {"2 of (2 of (c, c, c) via g, 3 of (d, d, d, d) via g, origin)", 3 + 4 + 12},
      {"ramp 3 of (origin, v, v, v)", 4},
      {"ramp 3 of (origin, v, v, ramp 3 of (c, c, c, c) via g)", 3 * 4 + 4},
      {"2 of (origin, v, ramp 3 of (c, c, c, c) via g)", 2 * 4 + 4},
      {"ramp 3 of (origin, 2 of (c, c, c) via g, 2 of (d, d) via g, v)", 2 * 3 + 3},
      // A lost share on each level: others of its cut, whole or out of their parts.
      {"2 of (origin, v, 2 of (c, c, 2 of (x, x, x) via h) via g)", 7 + 7 + 3 + 3 + 3},
      {"2 of (2 of (a, ramp 3 of (b, b, b, b) via h, 3 of (d, d, d) via h) via g, v, origin)",
       4 + 4 + 9 + 9},
      {"2 of (origin, v)", 0}};
  for (const auto& [policy, sets] : cases) {
    for (const std::uint64_t length : {1u, 96u, 225u, 384u, 1000u}) {
      const CutObject object(policy, length, generator);
      EXPECT_EQ(repair_everything(object, generator, 100), sets) << policy;
    }
  }
}

TEST(PartMaker, RandomPolicies) {
  std::mt19937_64 generator(32);
  std::size_t repaired = 0;
  for (int round = 0; round < 60; ++round) {
    const CutObject object(random_cut(generator, 1 + static_cast<std::size_t>(round) % 3),
                           generator() % 600 + 1, generator);
    repaired += repair_everything(object, generator, 6);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(repaired, 800u);
}

// A share that is still to be cut comes back out of others, and others out of it.
TEST(PartMaker, SharesThatAreStillToBeCut) {
  std::mt19937_64 generator(35);
  for (const char* policy : {"2 of (origin, v, 2 of (c, c, c) via g)",
                             "ramp 3 of (origin, v, v, ramp 3 of (c, c, c, c) via g)",
                             "2 of (origin, v, 2 of (c, c, 2 of (x, x, x) via h) via g)"}) {
    const CutObject object(policy, 700, generator);
    for (const auto& whole : object.before_cuts()) {
      std::vector<planner::ShareLocation> shares = object.shares();
      std::erase_if(shares, [&](const auto& part) { return part.path.is_within(whole.path); });
      const auto repair = [&](const planner::ShareLocation& lost, const HelperSet& helpers) {
        const Held& held = object.held(lost.letter());
        EXPECT_EQ(taken(object, sum_of(lost, helpers, "fresh"), store::records_of(held.header),
                        generator),
                  held.records)
            << lost.letter() << " under " << policy;
      };
      const auto sets = every_helper_set(object.policy(), shares, whole);
      EXPECT_FALSE(sets.empty());
      for (const HelperSet& helpers : sets) repair(whole, helpers);
      const std::size_t threshold = object.held(whole.letter()).header.scheme.threshold;
      HelperSet beside;
      for (const auto& other : shares) {
        if (other.path.same_cut(whole.path)) beside.push_back(other);
      }
      const planner::ShareLocation lost = beside.back();
      beside.resize(threshold - 1);
      beside.push_back(whole);
      repair(lost, beside);
    }
  }
}

TEST(PartMaker, AMoveGivesTheRecordsThemselves) {
  std::mt19937_64 generator(33);
  const CutObject object("ramp 3 of (origin, v, 2 of (c, c, c) via g, v)", 500, generator);
  for (const auto& share : object.shares()) {
    const Held& held = object.held(share.letter());
    const PartOrder order = orders_for(sum_of(share, {share}, "fresh")).front();
    EXPECT_TRUE(order.making.is_move());
    const auto maker = PartMaker::make(held.header, order);
    ASSERT_TRUE(maker) << maker.error().message;
    EXPECT_EQ(maker->records(), store::records_of(held.header));
    for (std::uint64_t i = 0; i < held.records.size(); ++i) {
      const secret::Buffer part = maker->part({i}, secret::Buffer::copy_of(held.records[i]));
      EXPECT_EQ(Bytes(part.bytes().begin(), part.bytes().end()), held.records[i]);
    }
  }
}

class Refusals : public testing::Test {
 protected:
  // Whether the holder of `letter` takes its order for the repair of `lost` out of `helpers` at
  // `target` once `change` has been at it.
  bool takes(
      const std::string& letter, const std::string& lost, const std::vector<std::string>& helpers,
      const std::function<void(PartOrder&)>& change = [](PartOrder&) {},
      const std::string& target = "fresh") {
    HelperSet set;
    for (const std::string& helper : helpers) set.push_back(location(helper));
    const auto at = std::ranges::find(helpers, letter) - helpers.begin();
    PartOrder order = orders_for(sum_of(location(lost), set, target))[static_cast<std::size_t>(at)];
    change(order);
    const auto maker = PartMaker::make(object_.held(letter).header, order);
    EXPECT_TRUE(maker || maker.error().code == Code::kRefused ||
                maker.error().code == Code::kInvalidArgument);
    return maker.has_value();
  }
  planner::ShareLocation location(const std::string& letter) {
    return *std::ranges::find(object_.shares(), letter, &planner::ShareLocation::letter);
  }

  std::mt19937_64 generator_{34};
  CutObject object_{"2 of (origin, v, 2 of (c, c, c) via g)", 500, generator_};
};

TEST_F(Refusals, AnotherShare) {
  const auto other = [](PartOrder& o) { o.share.bytes[5] ^= 1; };
  EXPECT_TRUE(takes("C1", "A", {"B", "C1", "C2"}));
  EXPECT_FALSE(takes("C1", "A", {"B", "C1", "C2"}, other));
  EXPECT_FALSE(takes("C1", "C2", {"C1", "C3"}, other));
  EXPECT_FALSE(takes("B", "B", {"B"}, other));
}

TEST_F(Refusals, AnotherPlaceInTheChainOrAChainThatMakesSomethingElse) {
  const auto c1 = [&](const std::function<void(PartOrder&)>& change) {
    return takes("C1", "A", {"B", "C1", "C2"}, change);
  };
  EXPECT_TRUE(c1([](PartOrder&) {}));
  EXPECT_FALSE(c1([](PartOrder& o) { o.own = 0; }));
  EXPECT_FALSE(c1([](PartOrder& o) { o.own = 2; }));
  EXPECT_FALSE(c1([](PartOrder& o) { o.making.chain.erase(o.making.chain.begin()); }));
  EXPECT_FALSE(c1([](PartOrder& o) { o.making.chain.pop_back(); }));
  EXPECT_FALSE(c1([](PartOrder& o) { o.making.made = path_of("B"); }));
  EXPECT_FALSE(c1([](PartOrder& o) { o.making.made = path_of("C3"); }));
  EXPECT_FALSE(c1([](PartOrder& o) { o.making.chain[2].place = path_of("C1"); }));
}

TEST_F(Refusals, TheNewSiteHoldsASibling) {
  const auto nothing = [](PartOrder&) {};
  // Where the share was, it may come to be again; at a sibling's holder it may not.
  EXPECT_TRUE(takes("B", "A", {"B", "C1", "C2"}, nothing, "a"));
  EXPECT_FALSE(takes("B", "A", {"B", "C1", "C2"}, nothing, "b"));
  EXPECT_FALSE(takes("C1", "A", {"B", "C1", "C2"}, nothing, "c1"));
  EXPECT_FALSE(takes("C1", "A", {"B", "C1", "C2"}, nothing, "c3"));
  EXPECT_TRUE(takes("C1", "C2", {"C1", "C3"}, nothing, "c2"));
  EXPECT_FALSE(takes("C1", "C2", {"C1", "C3"}, nothing, "c3"));
  EXPECT_FALSE(takes("B", "B", {"B"}, nothing, "b"));  // it is there
  EXPECT_FALSE(takes("B", "B", {"B"}, nothing, "a"));
  EXPECT_FALSE(takes("C1", "C1", {"C1"}, nothing, "c2"));
}

}  // namespace
}  // namespace warifu::upkeep
