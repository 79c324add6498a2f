// Two sites that give keys to applications, with real pools and stores and a carrier in between
// that can fail, repeat itself, or find the far site restarted.
#include "kme/sae_keys.h"

#include <gtest/gtest.h>

#include <set>

#include "base/log.h"
#include "kme/link_ends_test_support.h"

namespace warifu::kme {
namespace {

const SiteName kA = *SiteName::parse("a");
const SiteName kB = *SiteName::parse("b");

// What the channel does, without a network.
class Wire final : public SaeCarrier {
 public:
  Result<secret::Buffer> draw(const SiteName& /*peer*/, const BlockHead& head,
                              std::size_t bytes) override {
    if (down) return fail(Code::kUnavailable, "b cannot be reached");
    ++draws;
    const ByteCount size{bytes + keypool::kShareHashKeyBytes};
    TRY_ASSIGN(auto theirs, far_pool->reserve(size, keypool::Purpose::kApplication));
    TRY_ASSIGN(auto ours, near_pool->accept(theirs.begin(), size, keypool::Purpose::kApplication));
    secret::Buffer there(bytes), here(bytes);
    for (auto [range, out] : {std::pair{&theirs, &there}, {&ours, &here}}) {
      TRY(range->take(keypool::kShareHashKeyBytes));
      TRY(range->draw(out->bytes()));
    }
    TRY(far->take_block(kA, head, std::move(there)));
    return here;
  }
  Result<> tell(const SiteName& /*peer*/, SaeMethod method, Bytes body,
                const secret::Buffer& keys) override {
    if (down) return fail(Code::kUnavailable, "b cannot be reached");
    ++tells;
    for (int i = 0; i < (twice ? 2 : 1); ++i) {
      if (method == SaeMethod::kVoid) {
        TRY_ASSIGN(const auto voids, decode_voids(body));
        TRY(far->take_voids(kA, voids));
        continue;
      }
      TRY_ASSIGN(const Assignment assignment, decode_assignment(body));
      TRY(far->take_assignment(kA, assignment, keys));
    }
    if (lose_answer) return fail(Code::kUnavailable, "the answer was lost");
    return {};
  }

  SaeKeys* far = nullptr;
  keypool::Pool* near_pool = nullptr;
  keypool::Pool* far_pool = nullptr;
  bool down = false, twice = false, lose_answer = false;
  std::atomic<int> draws = 0, tells = 0;
};

class SaeKeysTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(init_log("test", "", LogLevel::kError)); }
  void SetUp() override {
    ends_.preload(2'000'000);
    wire_.near_pool = &ends_.left_link().send();
    wire_.far_pool = &ends_.right_link().receive();
    a_ = open(ends_.left_dir(), kA, *ends_.left);
    start_b();
  }
  std::unique_ptr<SaeKeys> open(const std::string& dir, const SiteName& self, KeyManager& keys) {
    SaeSettings settings;
    settings.saes = {{"M", kA, "m"},
                     {"L", kA, "l"},
                     {"S", kB, "s"},
                     {"T", kB, "t"},
                     {"Far", *SiteName::parse("far"), ""},
                     {"Lost", kB, "lost"}};
    if (self == kB) settings.saes.pop_back();  // the two sites do not agree on this one
    auto saes = SaeKeys::open(system_, dir + "/sae-keys", self, settings, keys, wire_);
    WARIFU_CHECK(saes.has_value());
    return std::move(*saes);
  }
  void start_b() {
    b_.reset();
    b_ = open(ends_.right_dir(), kB, *ends_.right);
    wire_.far = b_.get();
  }
  Result<std::vector<DeviceKey>> order(std::size_t number, std::size_t bits = 256,
                                       const std::string& slave = "S",
                                       std::vector<std::string> more = {}) {
    return a_->take_new({"M", slave, std::move(more), number, bits});
  }
  static std::vector<std::string> ids(const std::vector<DeviceKey>& keys) {
    std::vector<std::string> all;
    for (const DeviceKey& key : keys) all.push_back(key.id);
    return all;
  }
  void expect_delivered(SaeKeys& site, const std::string& slave,
                        const std::vector<DeviceKey>& keys) {
    const auto got = site.take_by_id("M", slave, ids(keys));
    ASSERT_TRUE(got) << got.error().message;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_TRUE(secret::equal((*got)[i].bytes.bytes(), keys[i].bytes.bytes()));
    }
    EXPECT_FALSE(site.take_by_id("M", slave, ids(keys)));
  }

  os::System system_ = os::real_system();
  LinkEnds ends_{system_, LinkClass::kPreshared, "a", "b", RandomFrom::kKernel};
  Wire wire_;
  std::unique_ptr<SaeKeys> a_, b_;
};

TEST_F(SaeKeysTest, BothEndsGetTheSameKeysOfManySizes) {
  for (const std::size_t bits : {64u, 256u, 1000u, 65536u}) {
    const auto keys = order(100, bits);
    ASSERT_TRUE(keys) << keys.error().message;
    ASSERT_EQ(keys->size(), 100u);
    EXPECT_EQ(keys->front().bytes.size(), bits / 8);
    expect_delivered(*b_, "S", *keys);
  }
  EXPECT_GT(wire_.near_pool->status().mark.value, 800'000u);
}

TEST_F(SaeKeysTest, AnAssignmentThatIsToldTwiceIsTakenOnce) {
  wire_.twice = true;
  const auto keys = order(3);
  ASSERT_TRUE(keys);
  expect_delivered(*b_, "S", *keys);
}

TEST_F(SaeKeysTest, ARestartedFarEndKeepsKeysAndGetsNewBlocks) {
  const auto before = order(3);
  ASSERT_TRUE(before);
  start_b();
  const auto after = order(3);
  ASSERT_TRUE(after) << after.error().message;
  expect_delivered(*b_, "S", *before);
  expect_delivered(*b_, "S", *after);
  EXPECT_EQ(wire_.draws, 2);
}

TEST_F(SaeKeysTest, TroubleBetweenSitesIsNotTheApplicationsFault) {
  wire_.down = true;
  EXPECT_EQ(order(1).error().code, Code::kUnavailable);
  wire_.down = false;
  wire_.lose_answer = true;
  const auto lost = order(1);
  EXPECT_EQ(lost.error().code, Code::kUnavailable);
  wire_.lose_answer = false;
  // The far end does not know the slave that this end names: not a 401 for the master.
  EXPECT_EQ(order(1, 256, "Lost").error().code, Code::kUnavailable);
  const auto keys = order(1);
  ASSERT_TRUE(keys);
  expect_delivered(*b_, "S", *keys);
}

TEST_F(SaeKeysTest, SitesThatAreNotNeighboursAreRefused) {
  EXPECT_EQ(order(1, 256, "Far").error().code, Code::kInvalidArgument);
  EXPECT_EQ(order(1, 256, "S", {"Far"}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(order(1, 256, "Nobody").error().code, Code::kNotFound);
  EXPECT_EQ(a_->status("M", "Far").error().code, Code::kInvalidArgument);
  EXPECT_EQ(b_->take_assignment(*SiteName::parse("far"), {}, {}).error().code, Code::kRefused);
}

TEST_F(SaeKeysTest, AdditionalSlavesThereAndHere) {
  const auto keys = order(2, 256, "S", {"T", "L"});
  ASSERT_TRUE(keys) << keys.error().message;
  expect_delivered(*b_, "S", *keys);
  expect_delivered(*b_, "T", *keys);
  expect_delivered(*a_, "L", *keys);
  // The other way round: the main slave is here, the key is sent to the others.
  const auto local = order(2, 256, "L", {"S"});
  ASSERT_TRUE(local) << local.error().message;
  expect_delivered(*a_, "L", *local);
  expect_delivered(*b_, "S", *local);
}

TEST_F(SaeKeysTest, AMulticastThatFailsLeavesNothingBehind) {
  wire_.down = true;
  EXPECT_EQ(order(2, 256, "L", {"S"}).error().code, Code::kUnavailable);
  const auto counts = a_->counts();
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].waiting, 0u);
  EXPECT_EQ(counts[0].voided, 2u);
}

TEST_F(SaeKeysTest, AllOrNothingWhenTheLinkRunsOut) {
  std::size_t keys = 0;
  for (;;) {
    const auto made = order(50, 65536);
    if (!made) {
      EXPECT_EQ(made.error().code, Code::kOutOfKey);
      break;
    }
    keys += made->size();
  }
  EXPECT_GT(keys, 100u);
  const auto status = a_->status("M", "S");
  ASSERT_TRUE(status);
  EXPECT_LT(status->bits_available, 50u * 65536);
  // What status says can be had; a block's rest may hold no whole key.
  const auto left = static_cast<std::size_t>(status->bits_available / 65536) - 1;
  ASSERT_GT(left, 0u);
  const auto rest = order(left, 65536);
  ASSERT_TRUE(rest) << rest.error().message;
  expect_delivered(*b_, "S", *rest);
  EXPECT_GE(wire_.near_pool->status().available_bytes, limits::kControlFloorBytes);
}

TEST_F(SaeKeysTest, ManyOrdersShareMessages) {
  constexpr int kThreads = 16, kOrders = 40;
  std::mutex mutex;
  std::set<std::string> seen;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kOrders; ++i) {
          const auto keys = order(2);
          ASSERT_TRUE(keys) << keys.error().message;
          ASSERT_TRUE(b_->take_by_id("M", "S", ids(*keys)));
          const std::lock_guard lock(mutex);
          for (const DeviceKey& key : *keys) seen.insert(key.id);
        }
      });
    }
  }
  EXPECT_EQ(seen.size(), 2u * kThreads * kOrders);
  EXPECT_LT(wire_.tells, kThreads * kOrders);
  std::cout << kThreads * kOrders << " orders in " << wire_.tells << " messages\n";
}

TEST(SaeMessageTest, IdsAreUuidsOfVersionFourAndDiffer) {
  OrderId order;
  order.bytes[3] = 9;
  std::set<KeyId> all;
  for (const KeyId& id : key_ids(order, 1000)) {
    const std::string text = uuid_of(id);
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
    EXPECT_EQ(*parse_uuid(text), id);
    all.insert(id);
  }
  EXPECT_EQ(all.size(), 1000u);
}

TEST(SaeMessageTest, CutMessagesAreRefused) {
  const Assignment assignment{{}, {{{}, "M", {"S", "T"}, 32, 5, {{{}, 0, 2}, {{}, 64, 3}}}}};
  const Bytes whole = encode(assignment);
  ASSERT_TRUE(decode_assignment(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_assignment(ByteView(whole).first(size)));
  }
  Assignment odd = assignment;
  odd.orders[0].pieces[0].keys = 3;
  EXPECT_FALSE(decode_assignment(encode(odd)));
}

TEST(SaeSettingsTest, WhatCannotWorkIsTold) {
  SaeSettings good;
  good.saes = {{"M", kA, "m"}, {"S", kB, ""}};
  EXPECT_TRUE(good.check(kA));
  const auto refused = [&](auto change) {
    SaeSettings bad = good;
    change(bad);
    return !bad.check(kA);
  };
  EXPECT_TRUE(refused([](SaeSettings& s) { s.key_size = 32; }));
  EXPECT_TRUE(refused([](SaeSettings& s) { s.max_key_size = 1001; }));
  EXPECT_TRUE(refused([](SaeSettings& s) { s.max_key_size = kMaxSaeKeyBits; }));
  EXPECT_TRUE(refused([](SaeSettings& s) { s.saes[0].identity = ""; }));
  EXPECT_TRUE(refused([](SaeSettings& s) { s.saes[1].id = "M"; }));
  EXPECT_TRUE(refused([](SaeSettings& s) { s.saes[1].id = "a/b"; }));
}

}  // namespace
}  // namespace warifu::kme
