// The store of application keys on a disk that loses power: whatever was added and acknowledged is
// there until it is taken, and nothing that was given comes again. And its rules without crashes.
//
// Every run follows from its seed; a failure prints it.
#include "kme/sae_store.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"
#include "testing/temporary_folder.h"

namespace warifu::kme {
namespace {

using sim::Dice;
using sim::SimClock;
using sim::SimDisk;
using sim::SimRandom;

const std::string kDir = "/site/sae-keys";
const std::vector<std::string> kSlaves = {"B", "C"};

Bytes root_key() {
  return Bytes(32, 7);
}

// What the outside knows.
struct Ledger {
  struct Key {
    Bytes bytes;
    std::set<std::string> slaves;     // that may have it
    std::set<std::string> given;      // got it
    std::set<std::string> attempted;  // asked; the answer may have been lost
    bool dropped = false;
    std::int64_t expires = 0;
  };
  std::map<KeyId, Key> keys;  // acknowledged ones only
};

struct Tally {
  std::uint64_t states = 0, lost = 0, twice = 0, wrong = 0, not_opened = 0;
  [[nodiscard]] std::uint64_t total() const { return lost + twice + wrong + not_opened; }
};

class Run {
 public:
  Run(SimDisk& disk, std::uint64_t seed, Ledger& ledger)
      : disk_(disk), dice_(seed), random_(seed + 1000), ledger_(ledger) {}

  Result<std::unique_ptr<SaeStore>> open(os::FileSystem& files) {
    return SaeStore::open({files, clock_, random_}, kDir, root_key(),
                          {.life = std::chrono::milliseconds(2000),
                           .max_waiting = 1000,
                           .forgotten_bytes = 30'000,
                           .forget_after = std::chrono::milliseconds(500),
                           .step_bytes = 300});
  }

  // Ends with SimCrash where the disk was told to.
  void work(int steps) {
    auto store = open(disk_);
    if (!store) return;
    for (int i = 0; i < steps; ++i) {
      switch (dice_.below(8)) {
        case 0:
        case 1:
        case 2: add(**store); break;
        case 3:
        case 4:
        case 5: take(**store); break;
        case 6: drop(**store); break;
        default:
          clock_.advance(std::chrono::milliseconds(dice_.below(700)));
          (void)(*store)->sweep();
      }
      if (dice_.one_in(12)) {
        store->reset();
        store = open(disk_);
        if (!store) return;
      }
    }
  }

  // What is left on `files` against the ledger.
  void check(os::FileSystem& files, Tally& tally) {
    ++tally.states;
    auto store = open(files);
    if (!store) {
      ++tally.not_opened;
      return;
    }
    for (const auto& [id, key] : ledger_.keys) {
      for (const std::string& slave : key.slaves) {
        const auto got = (*store)->take("A", slave, {id});
        const bool may_be_gone =
            key.attempted.contains(slave) || key.dropped || key.expires <= clock_.now().value;
        if (got && key.given.contains(slave)) ++tally.twice;
        if (!got && !may_be_gone) ++tally.lost;
        if (got && !std::ranges::equal(got->front().bytes.bytes(), key.bytes)) ++tally.wrong;
      }
    }
  }

 private:
  void add(SaeStore& store) {
    std::vector<NewKeys> orders;
    std::map<KeyId, Ledger::Key> made;
    for (std::uint64_t n = dice_.between(1, 2); n > 0; --n) {
      OrderId order;
      dice_.fill(order.bytes);
      NewKeys keys{
          .master = "A", .slaves = {"B"}, .ids = key_ids(order, dice_.between(1, 3)), .bytes = {}};
      if (dice_.one_in(2)) keys.slaves.push_back("C");
      const std::size_t size = dice_.between(8, 40);
      keys.bytes = secret::Buffer(size * keys.ids.size());
      dice_.fill(keys.bytes.bytes());
      for (std::size_t i = 0; i < keys.ids.size(); ++i) {
        const ByteView part = ByteView(keys.bytes.bytes()).subspan(i * size, size);
        made[keys.ids[i]] = {.bytes = Bytes(part.begin(), part.end()),
                             .slaves = {keys.slaves.begin(), keys.slaves.end()},
                             .given = {},
                             .attempted = {},
                             .expires = clock_.now().value + 2000};
      }
      orders.push_back(std::move(keys));
    }
    if (store.add(std::move(orders))) ledger_.keys.merge(made);
  }

  void take(SaeStore& store) {
    if (ledger_.keys.empty()) return;
    auto at = ledger_.keys.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(dice_.below(ledger_.keys.size())));
    auto& [id, key] = *at;
    const std::string slave = kSlaves[dice_.below(2)];
    if (!key.slaves.contains(slave)) return;
    const bool first = key.attempted.insert(slave).second;
    const auto got = store.take("A", slave, {id});
    if (!got) return;
    EXPECT_TRUE(first) << "given twice without a crash";
    EXPECT_TRUE(std::ranges::equal(got->front().bytes.bytes(), key.bytes));
    key.given.insert(slave);
  }

  void drop(SaeStore& store) {
    if (ledger_.keys.empty() || !dice_.one_in(3)) return;
    auto& [id, key] = *ledger_.keys.rbegin();
    key.dropped = true;
    (void)store.drop({id}, [](const std::string& master) { return master == "A"; });
  }

  SimDisk& disk_;
  Dice dice_;
  SimClock clock_;
  SimRandom random_;
  Ledger& ledger_;
};

// Power goes at every changing operation of some workloads, and leaves several images each time.
Tally explore(std::uint64_t workloads, std::uint64_t images, sim::Lies lies) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= workloads; ++seed) {
    for (std::uint64_t crash = 1;; ++crash) {
      SimDisk disk;
      WARIFU_CHECK(disk.make_directories("/site").has_value());
      disk.sync_dir("/");
      disk.lie(lies);
      disk.crash_at(crash);
      Ledger ledger;
      Run run(disk, seed, ledger);
      bool died = false;
      try {
        run.work(30);
      } catch (const sim::SimCrash&) {
        died = true;
      }
      for (std::uint64_t image = 0; image < images; ++image) {
        Run after = run;  // the same clock; its ledger is only read
        const auto left = disk.crash_image(seed * 1000 + image);
        after.check(*left, tally);
      }
      if (!died) break;
    }
  }
  return tally;
}

TEST(SaeStoreCrashTest, NothingIsLostAndNothingIsGivenTwiceWhereverThePowerGoes) {
  const Tally tally = explore(12, 8, {});
  std::cout << tally.states << " states\n";
  EXPECT_EQ(tally.lost, 0u);
  EXPECT_EQ(tally.twice, 0u);
  EXPECT_EQ(tally.wrong, 0u);
  EXPECT_EQ(tally.not_opened, 0u);
  EXPECT_GT(tally.states, 5'000u);
}

TEST(SaeStoreCrashTest, SeededBugsAreCaught) {
  EXPECT_GT(explore(2, 8, {.sync_does_nothing = true}).total(), 0u);
  EXPECT_GT(explore(2, 8, {.sync_dir_does_nothing = true}).total(), 0u);
}

// --- without crashes ----------------------------------------------------------------------------

class SaeStoreTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open(SaeStoreOptions options = {}) {
    store_.reset();
    auto store = SaeStore::open({disk_, clock_, random_}, kDir, root_key(), options);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }
  std::vector<KeyId> add(std::size_t count, std::vector<std::string> slaves = {"B"}) {
    OrderId order;
    random_.fill(order.bytes);
    const auto ids = key_ids(order, count);
    std::vector<NewKeys> orders;
    orders.push_back({"A", std::move(slaves), ids, secret::Buffer(count * 32)});
    random_.fill(orders.front().bytes.bytes());
    added_ = store_->add(std::move(orders));
    return ids;
  }
  Code refusal(const std::string& master, const std::string& slave, std::vector<KeyId> ids) {
    const auto got = store_->take(master, slave, ids);
    EXPECT_FALSE(got);
    return got ? Code::kCancelled : got.error().code;
  }

  SimDisk disk_;
  SimClock clock_;
  SimRandom random_{5};
  std::unique_ptr<SaeStore> store_;
  Result<> added_;
};

TEST_F(SaeStoreTest, ABatchWithOneBadKeyBurnsNothing) {
  auto ids = add(2);
  EXPECT_EQ(refusal("A", "B", {ids[0], KeyId{}}), Code::kNotFound);
  EXPECT_EQ(refusal("A", "C", ids), Code::kRefused);
  EXPECT_EQ(refusal("X", "B", ids), Code::kRefused);
  // Who has no right is told that first.
  EXPECT_EQ(refusal("A", "C", {KeyId{}, ids[0]}), Code::kRefused);
  EXPECT_EQ(store_->take("A", "B", ids)->size(), 2u);
  EXPECT_EQ(refusal("A", "B", ids), Code::kNotFound);
  EXPECT_EQ(store_->waiting(), 0u);
}

TEST_F(SaeStoreTest, EachSlaveTakesAKeyOnce) {
  const auto ids = add(1, {"B", "C"});
  const auto b = store_->take("A", "B", ids);
  EXPECT_EQ(refusal("A", "B", ids), Code::kNotFound);
  open();
  EXPECT_EQ(refusal("A", "B", ids), Code::kNotFound);
  const auto c = store_->take("A", "C", ids);
  ASSERT_TRUE(b && c);
  EXPECT_TRUE(secret::equal(b->front().bytes.bytes(), c->front().bytes.bytes()));
  EXPECT_EQ(store_->waiting(), 0u);
}

TEST_F(SaeStoreTest, KeysExpireAlsoWhileTheSiteIsDown) {
  const auto ids = add(3);
  clock_.advance(std::chrono::hours(2));
  open();
  EXPECT_EQ(refusal("A", "B", ids), Code::kNotFound);
  const auto counts = store_->counts();
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].expired, 3u);
  EXPECT_EQ(counts[0].waiting, 0u);
}

// Keys that expired by a calendar that was wrong are lost and stay lost; none comes twice, and the
// store opens whatever the calendar says.
TEST_F(SaeStoreTest, ACalendarThatJumpsByYearsGivesNoKeyTwice) {
  const os::UnixMs now = clock_.now();
  constexpr std::int64_t kYear = 365LL * 24 * 3600 * 1000;
  std::vector<KeyId> given;
  for (const std::int64_t years : {0, 30, -40, -200, 100, 0}) {
    clock_.set_calendar({now.value + years * kYear});
    open();
    (void)store_->sweep();
    const auto ids = add(2);
    ASSERT_TRUE(added_) << years;
    ASSERT_TRUE(store_->take("A", "B", {ids[0]})) << years;
    given.push_back(ids[0]);
    for (const KeyId& id : given) EXPECT_EQ(refusal("A", "B", {id}), Code::kNotFound) << years;
  }
  const auto late = add(1);
  clock_.set_calendar({now.value + 30 * kYear});
  EXPECT_EQ(refusal("A", "B", late), Code::kNotFound);
  clock_.set_calendar(now);
  open();
  for (const KeyId& id : given) EXPECT_EQ(refusal("A", "B", {id}), Code::kNotFound);
}

TEST_F(SaeStoreTest, TooManyAreRefusedAndCountsSurvive) {
  open({.max_waiting = 4});
  const auto ids = add(3);
  ASSERT_TRUE(added_);
  (void)add(2);
  EXPECT_EQ(added_.error().code, Code::kBusy);
  ASSERT_TRUE(store_->take("A", "B", {ids[0]}));
  ASSERT_TRUE(store_->drop({ids[1]}, [](const std::string&) { return true; }));
  open();
  open();
  const auto counts = store_->counts();
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].delivered, 1u);
  EXPECT_EQ(counts[0].voided, 1u);
  EXPECT_EQ(counts[0].waiting, 1u);
}

TEST_F(SaeStoreTest, AFullDiskRefusesAndHarmsNothing) {
  const auto ids = add(2);
  disk_.fail_next(1, sim::Fault::kShort, false);
  (void)add(1);
  EXPECT_FALSE(added_);
  disk_.clear_faults();
  ASSERT_TRUE(store_->take("A", "B", {ids[0]}));
  const auto more = add(1);
  ASSERT_TRUE(added_);
  open();
  EXPECT_TRUE(store_->take("A", "B", {ids[1]}));
  EXPECT_TRUE(store_->take("A", "B", more));
  EXPECT_EQ(refusal("A", "B", {ids[0]}), Code::kNotFound);
}

TEST_F(SaeStoreTest, DamageBeforeTheEndIsNotTakenForATornEnd) {
  (void)add(1);
  (void)add(1);
  store_.reset();
  const std::string path = kDir + "/journal-0000000000000001";
  const auto file = disk_.open(path, os::OpenMode::kReadWrite);
  ASSERT_TRUE(file);
  Bytes byte(1);
  // Inside the first key's frame, which begins behind the blocks of the header and of "complete".
  ASSERT_TRUE((*file)->read_exact_at(8246, byte));
  byte[0] ^= 1;
  ASSERT_TRUE((*file)->write_at(8246, byte));
  (*file)->sync();
  const auto store = SaeStore::open({disk_, clock_, random_}, kDir, root_key(), {});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kCorrupt);
}

TEST_F(SaeStoreTest, ASecondOwnerStaysOut) {
  const auto second = SaeStore::open({disk_, clock_, random_}, kDir, root_key(), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kBusy);
}

TEST_F(SaeStoreTest, BurntKeysLeaveTheDisk) {
  open({.forgotten_bytes = 1000, .forget_after = std::chrono::milliseconds(1)});
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(store_->take("A", "B", add(4)));
  std::uint64_t bytes = 0;
  const std::vector<std::string> names = *disk_.list(kDir);
  for (const std::string& name : names) {
    bytes += *(*disk_.open(kDir + "/" + name, os::OpenMode::kRead))->size();
  }
  EXPECT_LT(bytes, 20'000u);
}

// The file before counts until all that lives has moved, and no longer.
TEST_F(SaeStoreTest, KeysMoveWhileOthersAreTakenAndAdded) {
  open({.life = std::chrono::hours(1),
        .forget_after = std::chrono::milliseconds(100),
        .step_bytes = 200});
  const auto old = add(30);
  ASSERT_TRUE(store_->take("A", "B", {old[0]}));
  clock_.advance(std::chrono::milliseconds(200));
  ASSERT_TRUE(store_->take("A", "B", {old[1]}));  // the move begins
  EXPECT_EQ(disk_.list(kDir)->size(), 2u);
  const auto fresh = add(3);
  ASSERT_TRUE(store_->take("A", "B", {old[2], old[29], fresh[0]}));
  EXPECT_EQ(disk_.list(kDir)->size(), 2u);
  open({});  // in the midst of it
  EXPECT_EQ(disk_.list(kDir)->size(), 1u);
  EXPECT_EQ(store_->waiting(), 28u);
  for (const auto& id : {old[0], old[1], old[2], old[29], fresh[0]}) {
    EXPECT_EQ(refusal("A", "B", {id}), Code::kNotFound);
  }
  ASSERT_TRUE(store_->take("A", "B", {old[3], old[28], fresh[1], fresh[2]}));
  EXPECT_EQ(store_->counts().front().delivered, 9u);
}

TEST_F(SaeStoreTest, ASweepMovesToTheEndAndNothingIsLostWithoutTheFileBefore) {
  open({.forget_after = std::chrono::milliseconds(100), .step_bytes = 200});
  const auto ids = add(30);
  ASSERT_TRUE(store_->take("A", "B", {ids[0]}));
  clock_.advance(std::chrono::milliseconds(200));
  ASSERT_TRUE(store_->sweep());
  const auto names = *disk_.list(kDir);
  ASSERT_EQ(names.size(), 1u);
  EXPECT_EQ(names.front(), "journal-0000000000000003");
  open({});
  EXPECT_EQ(store_->take("A", "B", {ids.begin() + 1, ids.end()})->size(), 29u);
}

TEST_F(SaeStoreTest, AKeyThatRottedIsGivenUpAndHoldsUpNobody) {
  open({.forget_after = std::chrono::milliseconds(100), .step_bytes = 200});
  const auto ids = add(3);
  const std::string path = kDir + "/" + disk_.list(kDir)->front();
  const auto file = disk_.open(path, os::OpenMode::kReadWrite);
  ASSERT_TRUE(file);
  const std::uint64_t end = *(*file)->size();
  Bytes frame(4096);
  ASSERT_TRUE((*file)->read_exact_at(end - 4096, frame));
  const auto second = std::ranges::search(frame, ids[1].bytes).begin() - frame.begin();
  frame[static_cast<std::size_t>(second) + 60] ^= 1;  // of the sealed bytes
  ASSERT_TRUE((*file)->write_at(end - 4096, frame));
  ASSERT_TRUE(store_->take("A", "B", {ids[0]}));
  clock_.advance(std::chrono::milliseconds(200));
  ASSERT_TRUE(store_->sweep());
  EXPECT_EQ(store_->waiting(), 1u);
  EXPECT_EQ(refusal("A", "B", {ids[1]}), Code::kNotFound);
  open({});
  EXPECT_EQ(store_->counts().front().voided, 1u);
  EXPECT_TRUE(store_->take("A", "B", {ids[2]}));
}

TEST_F(SaeStoreTest, AFileBeforeThatIsMissingIsTold) {
  open({.forget_after = std::chrono::milliseconds(100), .step_bytes = 200});
  const auto ids = add(30);
  ASSERT_TRUE(store_->take("A", "B", {ids[0]}));
  clock_.advance(std::chrono::milliseconds(200));
  ASSERT_TRUE(store_->take("A", "B", {ids[1]}));
  store_.reset();
  ASSERT_TRUE(disk_.remove(kDir + "/" + disk_.list(kDir)->front()));
  const auto store = SaeStore::open({disk_, clock_, random_}, kDir, root_key(), {});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kCorrupt);
  EXPECT_NE(store.error().message.find("lacks the file before"), std::string::npos);
}

// --- many at once -------------------------------------------------------------------------------

TEST(SaeStoreThreadsTest, OneOfManyTakersGetsAKey) {
  const sim::TemporaryFolder dir;
  auto opened =
      SaeStore::open(os::real_system(), dir + "/keys", root_key(), {.forgotten_bytes = 10'000});
  ASSERT_TRUE(opened) << opened.error().message;
  SaeStore& store = **opened;
  constexpr int kThreads = 8, kOrders = 60;
  std::vector<OrderId> orders(kOrders);
  for (OrderId& order : orders) os::kernel_random().fill(order.bytes);
  std::atomic<int> got = 0, added = 0;
  {
    std::jthread sweeper([&](const std::stop_token& stop) {  // as the site has one
      while (!stop.stop_requested()) EXPECT_TRUE(store.sweep());
    });
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = t; i < kOrders; i += kThreads) {
          std::vector<NewKeys> keys;
          keys.push_back(
              {"A", {"B"}, key_ids(orders[static_cast<std::size_t>(i)], 2), secret::Buffer(64)});
          if (store.add(std::move(keys))) ++added;
        }
        for (const OrderId& order : orders) {
          if (store.take("A", "B", key_ids(order, 2))) ++got;
        }
      });
    }
  }
  EXPECT_EQ(added, kOrders);
  for (const OrderId& order : orders) {
    if (store.take("A", "B", key_ids(order, 2))) ++got;  // asked before it was there
  }
  EXPECT_EQ(got, kOrders);
  EXPECT_EQ(store.waiting(), 0u);
}

}  // namespace
}  // namespace warifu::kme
