// Intake between two ends in process: equal key is synced at the same place, different key is
// quarantined, lost messages and restarts leave both ends in step; leases; preshared files.
#include "kme/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/limits.h"
#include "kme/link_ends_test_support.h"
#include "kme/preshare.h"
#include "kme/reconcile.h"

namespace warifu::kme {
namespace {

namespace fs = std::filesystem;

// Both ends of a pair of devices: what one end draws fresh, the other can fetch by id, once.
struct DevicePair {
  std::mt19937_64 generator{1};
  std::map<std::string, Bytes> waiting;
  std::size_t key_bytes = 1000;
  bool differ = false;  // a broken pair hands out different key
  bool empty = false;
  bool shorten = false;  // the far end misses the last byte, which is zero

  struct End final : KeyDevice {
    explicit End(DevicePair& of) : pair(of) {}
    Result<std::vector<DeviceKey>> fresh(std::size_t most) override {
      if (pair.empty) return fail(Code::kOutOfKey, "no key now");
      std::vector<DeviceKey> keys;
      for (std::size_t i = 0; i < 3 && (i + 1) * pair.key_bytes <= most; ++i) {
        DeviceKey key{"id-" + std::to_string(pair.generator()), secret::Buffer(pair.key_bytes)};
        for (auto& b : key.bytes.bytes()) b = static_cast<Byte>(pair.generator());
        if (pair.shorten) key.bytes.bytes().back() = 0;
        pair.waiting[key.id] = Bytes(key.bytes.bytes().begin(), key.bytes.bytes().end());
        keys.push_back(std::move(key));
      }
      return keys;
    }
    Result<std::vector<DeviceKey>> by_ids(const std::vector<std::string>& ids) override {
      std::vector<DeviceKey> keys;
      for (const std::string& id : ids) {
        const auto it = pair.waiting.find(id);
        if (it == pair.waiting.end()) return fail(Code::kNotFound, "key " + id + " is not here");
        keys.push_back({id, secret::Buffer::copy_of(it->second)});
        if (pair.differ) keys.back().bytes.bytes()[0] ^= 1;
        pair.waiting.erase(it);
      }
      if (pair.shorten) {
        secret::Buffer& last = keys.back().bytes;
        last = secret::Buffer::copy_of(ByteView(last.bytes()).first(last.size() - 1));
      }
      return keys;
    }
    keypool::Origin origin() const override { return keypool::Origin::kRateModel; }
    DevicePair& pair;
  };
};

class IntakeTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    ends_.open();
    lead_ = std::make_unique<Intake>(system_, left_link(), left_device_, 100'000);
    follow_ = std::make_unique<Intake>(system_, right_link(), right_device_, 100'000);
  }
  Link& left_link() { return ends_.left_link(); }
  Link& right_link() { return ends_.right_link(); }

  // The way to the far end; `lose` says which message or which answer is lost.
  AskPeer peer(std::function<bool(IntakeMethod, bool answer)> lose = {}) {
    return [this, lose](IntakeMethod method, Bytes body) -> Result<Bytes> {
      if (lose && lose(method, false)) return fail(Code::kUnavailable, "lost on the way");
      auto answer = follow_->answer(method, body);
      if (lose && lose(method, true)) return fail(Code::kUnavailable, "answer lost");
      return answer;
    };
  }
  AskPeer ask_reconcile() {
    return [this](IntakeMethod, Bytes body) { return answer_reconcile(right_link(), body); };
  }
  // The files of one end; both ends restart.
  void back_up(const std::string& end) {
    close();
    fs::copy(end, end + ".backup", fs::copy_options::recursive);
    open();
  }
  void restore(const std::string& end) {
    close();
    fs::remove_all(end);
    fs::copy(end + ".backup", end, fs::copy_options::recursive);
    open();
  }
  void close() {
    lead_.reset();
    follow_.reset();
    ends_.close();
  }
  std::uint64_t left_end() { return left_link().send().status().synced_end.value; }
  std::uint64_t right_end() { return right_link().receive().status().synced_end.value; }
  // Takes everything at both ends and compares.
  void expect_equal_bytes() {
    const std::uint64_t size = right_link().receive().status().available_bytes;
    auto granted = right_link().receive().reserve({size}, keypool::Purpose::kControl);
    ASSERT_TRUE(granted);
    auto accepted = left_link().send().accept(granted->begin(), {size});
    ASSERT_TRUE(accepted) << accepted.error().message;
    const auto a = granted->take(size);
    const auto b = accepted->take(size);
    EXPECT_TRUE(std::ranges::equal(a->bytes(), b->bytes()));
  }

  os::System system_ = os::real_system();
  LinkEnds ends_{system_, LinkClass::kQkd, "left", "right"};
  DevicePair pair_;
  DevicePair::End left_device_{pair_}, right_device_{pair_};
  std::unique_ptr<Intake> lead_, follow_;
};

TEST_F(IntakeTest, EqualKeyIsSyncedAtBothEndsUpToTheHighWaterMark) {
  std::uint64_t taken = 0;
  for (int i = 0; i < 40; ++i) {
    const auto round = lead_->round(peer());
    ASSERT_TRUE(round) << round.error().message;
    taken += *round;
  }
  EXPECT_EQ(taken, 102'000u);  // 3,000 a round, until 100,000 are reached
  EXPECT_EQ(left_end(), taken);
  EXPECT_EQ(right_end(), taken);
  expect_equal_bytes();
}

TEST_F(IntakeTest, DifferentKeyIsQuarantinedAndNeverUsed) {
  pair_.differ = true;
  ASSERT_TRUE(lead_->round(peer()));
  EXPECT_EQ(left_end(), 0u);
  EXPECT_EQ(left_link().send().status().quarantined_bytes, 3000u);
  EXPECT_EQ(right_link().receive().status().quarantined_bytes, 3000u);
  pair_.differ = false;
  ASSERT_TRUE(lead_->round(peer()));
  expect_equal_bytes();
}

TEST_F(IntakeTest, KeyOfAnotherLengthIsQuarantinedThoughOnlyZerosAreMissing) {
  pair_.shorten = true;
  ASSERT_TRUE(lead_->round(peer()));
  EXPECT_EQ(left_end(), 0u);
  EXPECT_EQ(right_end(), 0u);
  EXPECT_EQ(left_link().send().status().quarantined_bytes, 3000u);
  EXPECT_EQ(right_link().receive().status().quarantined_bytes, 2999u);
}

TEST_F(IntakeTest, AnyLostMessageOrAnswerLeavesTheEndsInStep) {
  for (const auto method : {IntakeMethod::kOffer, IntakeMethod::kCommit}) {
    for (const bool answer : {false, true}) {
      for (const bool restart : {false, true}) {
        const auto failed =
            lead_->round(peer([&](IntakeMethod m, bool a) { return m == method && a == answer; }));
        EXPECT_FALSE(failed);
        if (restart) open();
        const auto round = lead_->round(peer());
        ASSERT_TRUE(round) << round.error().message;
        EXPECT_EQ(left_end(), right_end());
        // Offers that were given up are dropped at both ends.
        EXPECT_EQ(left_link().send().status().ingested_bytes, 0u);
        EXPECT_EQ(right_link().receive().status().ingested_bytes, 0u);
        EXPECT_GT(*round + left_link().send().status().available_bytes, 0u);
      }
    }
  }
  expect_equal_bytes();
}

// A backup of the leading end, older than what was taken in: the far end holds key where this end's
// stream would go on. All segments are of one length, so only the bytes would tell them apart.
TEST_F(IntakeTest, ARestoredLeadingEndTakesNothingInBeforeItIsReconciled) {
  ASSERT_TRUE(lead_->round(peer()));
  back_up(ends_.left_dir());
  ASSERT_TRUE(lead_->round(peer()));
  restore(ends_.left_dir());
  for (int i = 0; i < 4; ++i) {
    const auto refused = lead_->round(peer());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kRefused);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("warifu keys reconcile"));
  }
  EXPECT_EQ(left_end(), 3000u);
  EXPECT_EQ(right_end(), 6000u);
  EXPECT_EQ(left_link().send().status().ingested_bytes, 0u);
  EXPECT_EQ(right_link().receive().status().ingested_bytes, 0u);
  ASSERT_TRUE(reconcile(left_link(), ask_reconcile(), true));
  EXPECT_EQ(left_end(), 3000u);
  EXPECT_EQ(right_end(), 3000u);
  ASSERT_TRUE(lead_->round(peer()));
  EXPECT_EQ(left_end(), 6000u);
  expect_equal_bytes();
}

TEST_F(IntakeTest, ARestoredFollowingEndIsOfferedNothingItWouldPutElsewhere) {
  ASSERT_TRUE(lead_->round(peer()));
  back_up(ends_.right_dir());
  ASSERT_TRUE(lead_->round(peer()));
  // It comes back while the leading end runs on, which has nothing to confirm.
  follow_.reset();
  const std::string dir = ends_.right_dir();
  ends_.right.reset();
  fs::remove_all(dir);
  fs::copy(dir + ".backup", dir, fs::copy_options::recursive);
  ends_.right = *KeyManager::open(system_, dir, {ends_.right_config}, RandomFrom::kKernel);
  follow_ = std::make_unique<Intake>(system_, right_link(), right_device_, 100'000);
  EXPECT_EQ(lead_->round(peer()).error().code, Code::kRefused);
  EXPECT_EQ(left_end(), 6000u);
  ASSERT_TRUE(reconcile(left_link(), ask_reconcile(), true));
  ASSERT_TRUE(lead_->round(peer()));
  EXPECT_EQ(left_end(), 6000u);
  expect_equal_bytes();
}

TEST_F(IntakeTest, ADeviceWithoutKeyIsWaitedFor) {
  pair_.empty = true;
  EXPECT_EQ(lead_->round(peer()).error().code, Code::kOutOfKey);
  pair_.empty = false;
  EXPECT_TRUE(lead_->round(peer()));
}

TEST_F(IntakeTest, MalformedOffersAreRefused) {
  std::mt19937_64 generator(3);
  for (int i = 0; i < 2000; ++i) {
    Bytes body(generator() % 80);
    for (auto& b : body) b = static_cast<Byte>(generator());
    EXPECT_FALSE(follow_->answer(IntakeMethod::kOffer, body));
    EXPECT_FALSE(follow_->answer(IntakeMethod::kCommit, body));
  }
  EXPECT_EQ(right_end(), 0u);
}

TEST_F(IntakeTest, LeasesServeTheOldestJobFirst) {
  const auto feed = [&](std::size_t size) {
    auto& pool = left_link().send();
    const auto number = pool.next_segment();
    ASSERT_TRUE(pool.ingest(number, keypool::Origin::kPreshared, Bytes(size)));
    ASSERT_TRUE(pool.mark_synced(number, pool.status().synced_end));
  };
  feed(limits::kControlFloorBytes + 1000);
  const JobId first = JobId::from_view(Bytes(16, 1));
  const JobId second = JobId::from_view(Bytes(16, 2));
  Link& link = left_link();
  EXPECT_EQ(link.drawable(first), 1000u);
  link.lease(first, {700});
  EXPECT_EQ(link.status().residual_bytes, 300u);
  EXPECT_EQ(link.drawable(first), 1000u);
  EXPECT_EQ(link.drawable(second), 300u);
  link.lease(second, {500});
  EXPECT_EQ(link.status().residual_bytes, 0u);
  EXPECT_FALSE(link.wait_drawable(second, {400}, std::chrono::milliseconds(1)));
  link.draw(first, {600});
  EXPECT_EQ(link.drawable(second), 900u);
  link.release(first);
  EXPECT_EQ(link.drawable(second), 1000u);
  EXPECT_TRUE(link.wait_drawable(second, {1000}, std::chrono::milliseconds(1)));
  // The most urgent first, whatever its age; then the oldest.
  link.lease(second, {600});
  link.lease(first, {500}, 2);
  EXPECT_EQ(link.drawable(first), 1000u);
  EXPECT_EQ(link.drawable(second), 500u);
  link.lease(first, {500}, 0);
  EXPECT_EQ(link.drawable(first), 400u);
  EXPECT_EQ(link.drawable(second), 1000u);
  link.lease(first, {500}, 1);
  EXPECT_EQ(link.drawable(first), 400u) << "behind the older one";
}

TEST_F(IntakeTest, APresharedFileFeedsBothEndsAndDamageIsFound) {
  const std::string a = ends_.dir + "/set.left";
  const std::string b = ends_.dir + "/set.right";
  const SiteName left = ends_.left_name;
  const SiteName right = ends_.right_name;
  ASSERT_TRUE(make_preshare(system_, {*ends_.left_config.id, left, right, {}, {}, 100'000, 50'000},
                            a, b, {}));
  EXPECT_EQ(make_preshare(system_, {*ends_.left_config.id, left, right, {}, {}, 1, 1}, a, b, {})
                .error()
                .code,
            Code::kAlreadyExists);
  Bytes damaged = *os::read_file(system_.files, b, 1 << 20);
  damaged[60'000] ^= 1;
  ASSERT_TRUE(os::replace_file(system_.files, ends_.dir + "/damaged", damaged));
  const auto import = [&](const std::string& path, const SiteName& self, Link& link) {
    return import_preshare(system_, path, self, link.send(), link.receive(), {});
  };
  EXPECT_EQ(import(ends_.dir + "/damaged", right, right_link()).error().code, Code::kCorrupt);
  EXPECT_EQ(import(a, *SiteName::parse("other"), left_link()).error().code, Code::kInvalidArgument);
  ASSERT_TRUE(import(a, left, left_link()));
  ASSERT_TRUE(import(b, right, right_link()));
  ASSERT_TRUE(import(b, right, right_link()));  // again: nothing is taken in twice
  EXPECT_EQ(right_end(), 100'000u);
  EXPECT_EQ(left_link().receive().status().synced_end.value, 50'000u);
  expect_equal_bytes();
  ASSERT_TRUE(wipe_preshare(system_, a));
  EXPECT_FALSE(std::filesystem::exists(a));
}

}  // namespace
}  // namespace warifu::kme
