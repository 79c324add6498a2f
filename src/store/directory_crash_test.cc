// Power loss at every step of a share's life, on the simulated disk: what was promised is there.
#include <gtest/gtest.h>

#include <algorithm>

#include "store/record_check.h"
#include "store/store_test_support.h"
#include "testing/sim_disk.h"

namespace warifu::store {
namespace {

constexpr std::uint64_t kChunks = 6;
constexpr std::uint64_t kTears = 48;
const std::string kRoot = "site/shares";

// What the returned calls promised before the power went.
struct Promise {
  bool created = false;
  std::uint64_t durable = 0;
  std::uint64_t cut_to = kChunks;  // chunks from here on have the second salt
  bool committed = false;
  bool removed = false;
  std::vector<Sibling> old_siblings, new_siblings;
};

constexpr Byte kSecond = 77;

const std::vector<Sibling> kFirstSiblings = {{1, id_of<ShareId>(8), *SiteName::parse("lsa")}};
const std::vector<Sibling> kLastSiblings = {{1, id_of<ShareId>(8), *SiteName::parse("vault")},
                                            {2, id_of<ShareId>(9), *SiteName::parse("tuh")}};

constexpr const char* kCommitted = ".share";
constexpr const char* kPartial = ".part";

std::string path_of(const char* ending) {
  return kRoot + "/" + id_of<ShareId>(1).text() + ending;
}

ShareHeader crash_header() {
  return small_header(1, kChunks * 64 - 10);
}

// The life of one share. Errors of the store are failures of the test; the crash is an exception.
void live(sim::SimDisk& disk, Promise& promise) {
  auto store = open_directory_store(disk, kRoot);
  ASSERT_TRUE(store) << store.error().message;
  auto writer = (*store)->create(crash_header());
  ASSERT_TRUE(writer) << writer.error().message;
  promise.created = true;
  ASSERT_TRUE(append_until(**writer, 2));
  ASSERT_TRUE((*writer)->sync());
  promise.durable = 2;
  ASSERT_TRUE(append_until(**writer, 5));
  ASSERT_TRUE((*writer)->sync());
  promise.durable = 5;
  promise.durable = 3;  // from here on less may be left
  promise.cut_to = 3;
  ASSERT_TRUE((*writer)->truncate_to({3}));
  ASSERT_TRUE(append_until(**writer, 4, kSecond));
  ASSERT_TRUE((*writer)->sync());
  promise.durable = 4;
  ASSERT_TRUE(append_until(**writer, kChunks, kSecond));
  ASSERT_TRUE((*writer)->commit());
  promise.committed = true;
  promise.new_siblings = kFirstSiblings;
  ASSERT_TRUE((*store)->complete(crash_header().share, {.siblings = kFirstSiblings}));
  promise.old_siblings = kFirstSiblings;
  promise.new_siblings = kLastSiblings;
  ASSERT_TRUE((*store)->complete(crash_header().share, {.siblings = kLastSiblings}));
  promise.old_siblings = kLastSiblings;
  promise.committed = false;  // the removal may or may not have happened
  promise.durable = 0;
  promise.created = false;
  ASSERT_TRUE((*store)->remove(crash_header().share));
  promise.removed = true;
}

// Empty, or what is wrong with the first `count` records of a file.
std::string judge_records(const Promise& promise, os::File& file, const ShareLayout& layout,
                          std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Bytes got(layout.record_length({i}));
    if (!file.read_exact_at(layout.record_offset({i}), got)) return "a record is cut short";
    // Where the share was cut back, both lives of a chunk are possible until the second is durable.
    const bool first = got == record_of(layout, i);
    const bool second = i >= promise.cut_to && got == record_of(layout, i, kSecond);
    if (!first && !second) return "chunk " + std::to_string(i) + " is not what was written";
    Bytes check(kCheckBytes);
    if (!file.read_exact_at(layout.check_offset({i}), check)) return "a check is cut short";
    const CheckKey fits = RecordChecker(crash_header().check_key).check_of({i}, got);
    if (!std::ranges::equal(check, fits)) return "a check is not durable with its record";
  }
  return {};
}

std::string judge_committed(sim::SimDisk& disk, const Promise& promise, ShareReader& reader) {
  const auto& siblings = reader.header().siblings;
  if (siblings != promise.old_siblings && siblings != promise.new_siblings) {
    return "the siblings are neither the old nor the new ones";
  }
  if (promise.removed) return "a removed share is back";
  const auto file = *disk.open(path_of(kCommitted), os::OpenMode::kRead);
  return judge_records(promise, *file, reader.layout(), kChunks);
}

// After the crash. Empty, or which promise was broken. A share that is not complete is finished.
std::string judge(sim::SimDisk& disk, const Promise& promise) {
  auto store = open_directory_store(disk, kRoot);
  if (!store) return store.error().message;
  const ShareId share = crash_header().share;
  const ShareListing listing = *(*store)->list();
  for (const ShareProblem& problem : listing.problems) {
    if (!problem.usable) return problem.reason;
  }
  if (auto reader = (*store)->open(share)) return judge_committed(disk, promise, **reader);
  if (promise.committed) return "a committed share is gone";
  auto writer = (*store)->reopen(share);
  if (!writer && writer.error().code == Code::kNotFound) {
    return promise.created ? "a created share is gone" : "";
  }
  if (!writer) return writer.error().message;
  if (promise.removed) return "a removed share is back";
  const std::uint64_t durable = (*writer)->durable_chunks();
  if (durable < promise.durable) return "durable chunks are gone";
  const auto file = *disk.open(path_of(kPartial), os::OpenMode::kRead);
  if (auto wrong = judge_records(promise, *file, (*writer)->layout(), durable); !wrong.empty()) {
    return wrong;
  }
  if (!append_until(**writer, kChunks, kSecond) || !(*writer)->commit())
    return "cannot be finished";
  return (*store)->open(share) ? "" : "cannot be read when finished";
}

struct Count {
  std::uint64_t states = 0;
  std::uint64_t broken = 0;
  std::string first;
};

// Lives until the power goes within `change`, or to the end.
Promise live_until(sim::SimDisk& disk, sim::Lies lies, std::uint64_t change) {
  EXPECT_TRUE(disk.make_directories(kRoot));
  disk.sync_dir("site");
  disk.sync_dir(".");
  disk.lie(lies);
  disk.crash_at(change);
  Promise promise;
  try {
    live(disk, promise);
  } catch (const sim::SimCrash&) {
    return promise;
  }
  return promise;
}

// The power goes at each change of the disk in turn; each time kTears different states are left.
Count crash_everywhere(sim::Lies lies) {
  sim::SimDisk whole;
  EXPECT_TRUE(live_until(whole, lies, UINT32_MAX).removed);
  Count count;
  for (std::uint64_t change = 1; change <= whole.changes() + 1; ++change) {
    sim::SimDisk disk;
    const Promise promise = live_until(disk, lies, change);
    for (std::uint64_t seed = 0; seed < kTears; ++seed) {
      const std::string wrong = judge(*disk.crash_image(change * kTears + seed), promise);
      ++count.states;
      if (wrong.empty()) continue;
      if (count.broken++ == 0) {
        count.first =
            "change " + std::to_string(change) + ", tear " + std::to_string(seed) + ": " + wrong;
      }
    }
  }
  return count;
}

TEST(StoreCrash, PromisesSurvivePowerLossAtEveryStep) {
  const Count count = crash_everywhere({});
  EXPECT_EQ(count.broken, 0u) << count.first;
  EXPECT_GT(count.states, 1000u);
}

// The harness finds a disk that lies.
TEST(StoreCrash, NegativeControls) {
  EXPECT_GT(crash_everywhere({.sync_does_nothing = true}).broken, 0u);
  EXPECT_GT(crash_everywhere({.sync_dir_does_nothing = true}).broken, 0u);
}

// Every operation fails once, or that and all later ones: errors come back, and the share can still
// be finished when the disk is well again.
TEST(StoreCrash, FaultsAtEveryOperation) {
  for (const sim::Fault fault : {sim::Fault::kIo, sim::Fault::kNoSpace, sim::Fault::kShort}) {
    for (std::uint64_t operation = 1;; ++operation) {
      sim::SimDisk disk;
      disk.fail_next(operation, fault, false);
      bool done = false;
      try {
        auto store = open_directory_store(disk, kRoot);
        if (!store) continue;
        auto writer = (*store)->create(crash_header());
        if (writer) {
          for (int tries = 0; tries < 4 && !done; ++tries) {
            if (!append_until(**writer, 3) || !(*writer)->sync()) continue;
            if (!append_until(**writer, kChunks)) continue;
            done = (*writer)->commit().has_value();
          }
          ASSERT_TRUE(done) << "operation " << operation;
        }
      } catch (const sim::SimAbort&) {
        continue;  // a failed sync ends the process
      }
      const bool met = disk.faults_met() > 0;
      disk.clear_faults();
      if (done) {
        auto store = open_directory_store(disk, kRoot);
        ASSERT_TRUE(store);
        auto reader = (*store)->open(crash_header().share);
        ASSERT_TRUE(reader) << reader.error().message;
        const auto file = *disk.open(path_of(kCommitted), os::OpenMode::kRead);
        EXPECT_EQ(judge_records({}, *file, (*reader)->layout(), kChunks), "");
      }
      if (!met) break;
    }
  }
}

}  // namespace
}  // namespace warifu::store
