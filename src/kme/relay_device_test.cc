// Relayed key between two ends in one process: parts over disjoint paths become the same key at
// both ends and no relay holds it; refusals, tampering and lost messages.
#include "kme/relay_device.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.h"
#include "kme/relay_test_support.h"
#include "testing/sim_clock.h"
#include "testing/temporary_folder.h"

namespace warifu::kme {
namespace {

constexpr std::uint32_t kPart = 8192;
constexpr std::uint64_t kKey = kPart - 32;  // hash key and mask become no key

class RelayTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [self, peer] : {std::pair{"a", "b"}, {"b", "a"}}) {
      ASSERT_TRUE(
          create_link_pools(system_, dir_ + "/" + self,
                            {site_of(peer), LinkClass::kRelayed, LinkId::from_view(Bytes(16, 5))}));
    }
    relays_.graph =
        both_ways({{"a", "x"}, {"x", "b"}, {"a", "y"}, {"y", "b"}, {"a", "z"}, {"z", "b"}});
    open(2, 2);
  }
  void open(unsigned paths_a, unsigned paths_b) {
    a_.reset();
    b_.reset();
    a_ = std::make_unique<RelayEnd>(system_, dir_ + "/a", "a", "b", paths_a, kPart, relays_);
    b_ = std::make_unique<RelayEnd>(system_, dir_ + "/b", "b", "a", paths_b, kPart, relays_);
    ASSERT_EQ(a_->problem + b_->problem, "");
    relays_.far = b_->device.get();
  }
  Result<std::uint64_t> round(std::function<bool(IntakeMethod, bool answer)> lose = {}) {
    return a_->intake->round([this, lose](IntakeMethod method, Bytes body) -> Result<Bytes> {
      if (lose && lose(method, false)) return fail(Code::kUnavailable, "lost on the way");
      auto answer = b_->intake->answer(method, body);
      if (lose && lose(method, true)) return fail(Code::kUnavailable, "answer lost");
      return answer;
    });
  }
  keypool::PoolStatus sent() { return a_->link().send().status(); }
  keypool::PoolStatus received() { return b_->link().receive().status(); }
  Bytes take_all() {
    const std::uint64_t size = received().available_bytes;
    auto granted = b_->link().receive().reserve({size}, keypool::Purpose::kControl);
    auto accepted = a_->link().send().accept(granted->begin(), {size});
    const auto x = granted->take(size);
    const auto y = accepted->take(size);
    EXPECT_TRUE(std::ranges::equal(x->bytes(), y->bytes()));
    return {x->bytes().begin(), x->bytes().end()};
  }
  static bool holds(const Bytes& whole, ByteView piece) {
    return !std::ranges::search(whole, piece).empty();
  }

  sim::SimClock clock_;
  os::System system_{os::real_files(), clock_, os::kernel_random()};
  sim::TemporaryFolder dir_;
  FakeRelays relays_;
  std::unique_ptr<RelayEnd> a_, b_;
};

TEST_F(RelayTest, PartsOverTwoPathsBecomeOneKeyThatNoRelayHolds) {
  const auto taken = round();
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(*taken, kKey);
  EXPECT_EQ(sent().synced_end, received().synced_end);
  const Bytes key = take_all();
  ASSERT_EQ(relays_.seen.size(), 2u);
  Bytes sum(kPart, 0);
  for (const auto& [relay, part] : relays_.seen) {
    EXPECT_FALSE(holds(part, ByteView(key).first(32))) << relay;
    for (std::size_t i = 0; i < kPart; ++i) sum[i] ^= part[i];
  }
  EXPECT_TRUE(std::ranges::equal(ByteView(sum).last(kKey), key)) << "together they know it";
}

TEST_F(RelayTest, OriginPartsAndRelaysAreRecordedAtBothEnds) {
  ASSERT_TRUE(round());
  const std::uint16_t expected = keypool::origin_bit(keypool::Origin::kRelayed) |
                                 keypool::origin_bit(keypool::Origin::kKernelGenerator);
  for (auto& [end, pool] :
       {std::pair{a_.get(), &a_->link().send()}, std::pair{b_.get(), &b_->link().receive()}}) {
    const auto segments = pool->segments();
    ASSERT_EQ(segments.size(), 1u);
    EXPECT_EQ(segments[0].origin, keypool::Origin::kRelayed);
    EXPECT_EQ(segments[0].parts, expected);
    const auto ways = end->link().relay_ways()->of(pool->direction(), segments[0].number);
    EXPECT_EQ(ways.size(), 2u);
    EXPECT_TRUE(are_disjoint(ways, site_of("a"), site_of("b")));
    EXPECT_EQ(end->link().status().relays, end->link().relay_ways()->relays());
    EXPECT_EQ(end->link().status().relays.size(), 2u);
  }
  (void)take_all();
  open(2, 2);  // the record outlives the key and the process
  EXPECT_EQ(a_->link().status().relays.size(), 2u);
  EXPECT_EQ(a_->link().report().ways.at(0).bytes, kKey);
}

TEST_F(RelayTest, AHopThatRefusesIsAvoidedAndTriedAgainLater) {
  relays_.refuses = {{"a", "x"}, {"x", "b"}};
  ASSERT_TRUE(round());
  EXPECT_FALSE(relays_.seen.contains("x"));
  relays_.refuses.insert({"y", "b"});
  const auto starved = round();
  ASSERT_FALSE(starved);
  EXPECT_EQ(starved.error().code, Code::kUnavailable);
  EXPECT_NE(starved.error().message.find("no 2 disjoint paths"), std::string::npos);
  EXPECT_NE(starved.error().message.find("y > b: too little key"), std::string::npos);
  relays_.refuses.clear();
  EXPECT_FALSE(round()) << "the refusals are remembered for some seconds";
  clock_.advance(std::chrono::seconds(6));
  EXPECT_TRUE(round());
}

TEST_F(RelayTest, ARelayThatDiesInTheMiddleCostsOneTransfer) {
  relays_.dies = "y";
  std::uint64_t failed = 0;
  for (int i = 0; i < 3; ++i) failed += round() ? 0U : 1U;
  EXPECT_LE(failed, 1u);
  EXPECT_GE(sent().available_bytes, 2 * kKey);
  EXPECT_EQ(sent().synced_end, received().synced_end);
  (void)take_all();
}

TEST_F(RelayTest, AChangedPartIsQuarantinedAtBothEndsAndNeverUsed) {
  for (const std::size_t place : {0U, 20U, 40U, kPart - 1}) {
    // Were both relays to change the same bit, the XOR would cancel it; so only one does.
    std::string liar;
    relays_.tamper = [&, place](const std::string& relay, MutableBytes part) {
      if (liar.empty()) liar = relay;
      if (relay == liar) part[place] ^= 1;
    };
    const auto taken = round();
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(*taken, 0u) << "byte " << place;
  }
  EXPECT_EQ(sent().quarantined_bytes, 4 * kKey);
  EXPECT_EQ(received().quarantined_bytes, 4 * kKey);
  EXPECT_EQ(received().available_bytes, 0u);
  relays_.tamper = {};
  EXPECT_EQ(*round(), kKey);
  (void)take_all();
}

TEST_F(RelayTest, ALiarWhoAlsoBendsTheAnswerIsCaught) {
  std::string liar;
  relays_.tamper = [&](const std::string& relay, MutableBytes part) {
    if (liar.empty()) liar = relay;
    if (relay == liar) part[100] ^= 1;
  };
  // It knows the difference of the key but not the hash key, so it cannot know what to add.
  const auto taken = a_->intake->round([this](IntakeMethod method, Bytes body) -> Result<Bytes> {
    auto answer = b_->intake->answer(method, body);
    if (answer && method == IntakeMethod::kOffer) (*answer)[3] ^= 1;
    return answer;
  });
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, 0u);
  EXPECT_EQ(sent().available_bytes, 0u);
}

TEST_F(RelayTest, MessagesHaveOtherPathsWhenTheOnesOfThePartsAreCut) {
  ASSERT_TRUE(round());
  const auto paths = a_->device->letter_paths();
  EXPECT_EQ(paths.size(), 3u) << "two that the parts went, and the third";
  open(2, 2);
  EXPECT_EQ(a_->device->letter_paths().size(), 3u) << "before the first transfer";
}

TEST_F(RelayTest, OnePathOnlyWhereItIsConfigured) {
  relays_.graph = both_ways({{"a", "x"}, {"x", "b"}});
  EXPECT_FALSE(round());
  open(1, 2);  // the far end did not agree to one path
  EXPECT_FALSE(round());
  EXPECT_EQ(received().ingested_bytes + received().available_bytes, 0u);
  open(1, 1);
  ASSERT_TRUE(round());
  const Bytes key = take_all();
  EXPECT_TRUE(holds(relays_.seen.at("x"), key)) << "a relay on the only path knows the key";
}

TEST_F(RelayTest, TheFarEndTakesOnlyPartsThatFit) {
  RelayDevice& far = *b_->device;
  const auto head = [&](std::uint8_t part, const std::string& relay, Byte id = 1) {
    return PartHead{.transfer = TransferId::from_view(Bytes(16, id)),
                    .part = part,
                    .parts = 2,
                    .bytes = kPart,
                    .path = {site_of("a"), site_of(relay), site_of("b")}};
  };
  const auto take = [&](const PartHead& of) { return far.take_part(of, secret::Buffer(kPart)); };
  ASSERT_TRUE(take(head(0, "x")));
  EXPECT_FALSE(take(head(0, "y"))) << "the same part twice";
  EXPECT_FALSE(take(head(1, "x"))) << "the same relay twice";
  EXPECT_FALSE(far.take_part(head(1, "y"), secret::Buffer(kPart - 1)));
  PartHead single = head(0, "y", 2);
  single.parts = 1;
  EXPECT_FALSE(take(single)) << "one path is not configured";
  PartHead foreign = head(1, "y");
  foreign.path.front() = site_of("z");
  EXPECT_FALSE(take(foreign));
  const std::string id = head(0, "x").transfer.text();
  EXPECT_EQ(far.by_ids({id}).error().code, Code::kNotFound) << "a part is missing";
  ASSERT_TRUE(take(head(1, "y")));
  EXPECT_FALSE(far.by_ids({id, id}));
  EXPECT_TRUE(far.by_ids({id}));
  EXPECT_FALSE(far.by_ids({id})) << "given once";
  ASSERT_TRUE(take(head(0, "x", 3)));
  ASSERT_TRUE(take(head(0, "x", 4))) << "a transfer that was given up makes room";
  EXPECT_FALSE(far.by_ids({head(0, "x", 3).transfer.text()}));
}

TEST_F(RelayTest, LostMessagesLeaveBothEndsInStep) {
  for (const IntakeMethod lost : {IntakeMethod::kOffer, IntakeMethod::kCommit}) {
    for (const bool answer : {false, true}) {
      (void)round([=](IntakeMethod method, bool back) { return method == lost && back == answer; });
      ASSERT_TRUE(round());
      EXPECT_EQ(sent().synced_end, received().synced_end);
    }
  }
  (void)take_all();
}

TEST_F(RelayTest, ADamagedRecordOfRelaysIsRefused) {
  ASSERT_TRUE(round());
  const std::string path = dir_ + "/a/pools/b/ways";
  const Bytes good = *os::read_file(os::real_files(), path, 1 << 20);
  const std::string bent_path = dir_ + "/bent";
  const auto opens = [&](const Bytes& bytes) {
    EXPECT_TRUE(os::replace_file(os::real_files(), bent_path, bytes));
    const auto ways = RelayWays::open(system_, bent_path);
    EXPECT_TRUE(ways || ways.error().code == Code::kCorrupt);
    return ways.has_value();
  };
  EXPECT_TRUE(opens(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bent = good;
    bent[i] ^= 0x40;
    EXPECT_FALSE(opens(bent)) << "byte " << i;
    EXPECT_FALSE(opens(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i)))) << i;
  }
}

TEST_F(RelayTest, RelayingLeavesFloorReserveEmergencyAndLeases) {
  Link& link = a_->link();
  keypool::Pool& pool = link.send();
  const Bytes bytes(8 << 20, 1);
  ASSERT_TRUE(pool.ingest({1}, keypool::Origin::kPreshared, bytes));
  ASSERT_TRUE(pool.mark_synced({1}, {}));
  constexpr std::uint64_t kLease = 3ULL << 20;
  const std::uint64_t reserve = KeyLimits{}.relay_reserve_bytes;
  EXPECT_EQ(link.relayable(), bytes.size() - limits::kControlFloorBytes - reserve);
  link.lease(JobId::from_view(Bytes(16, 1)), {kLease});
  EXPECT_EQ(link.relayable(), bytes.size() - limits::kControlFloorBytes - reserve - kLease);
  link.lease(JobId::from_view(Bytes(16, 2)), {8 << 20});
  EXPECT_EQ(link.relayable(), 0u);
}

}  // namespace
}  // namespace warifu::kme
