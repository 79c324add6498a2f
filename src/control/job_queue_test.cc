// Turns: urgent jobs never wait behind others, the oldest go first, and who can run is found behind
// a thousand that cannot.
#include "control/job_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace warifu::control {
namespace {

using namespace std::chrono_literals;
using catalog::JobKind;
using catalog::JobPriority;
using Rule = JobQueue::Rule;
using Order = JobQueue::Order;
using GivesWay = JobQueue::GivesWay;

constexpr auto kNoOrder = Order::kNone;

JobId id(unsigned number) {
  JobId job;
  for (std::size_t i = 0; i < 4; ++i) job.bytes[i] = static_cast<Byte>(number >> (8 * i));
  return job;
}

class JobQueueTest : public testing::Test {
 protected:
  void add(unsigned number, JobPriority priority = JobPriority::kUsual) {
    ASSERT_TRUE(queue_.add(id(number), JobKind::kStore, priority, kNoOrder, now_));
  }
  JobQueue queue_;
  JobQueue::Time now_{100s};
};

TEST_F(JobQueueTest, TheMostUrgentThenTheOldest) {
  add(1, JobPriority::kLow);
  add(2);
  add(3, JobPriority::kUrgent);
  add(4);
  EXPECT_FALSE(queue_.add(id(4), JobKind::kStore, JobPriority::kUrgent, kNoOrder, now_));
  EXPECT_EQ(queue_.before(id(1)), 3u);
  EXPECT_EQ(queue_.before(id(4)), 2u);
  for (const unsigned next : {3u, 2u, 4u, 1u})
    EXPECT_EQ(queue_.take(Rule::kOldest, now_), id(next));
  EXPECT_FALSE(queue_.take(Rule::kOldest, now_));
  EXPECT_FALSE(queue_.before(id(3))) << "it runs";
}

TEST_F(JobQueueTest, OneWorkerTakesUrgentJobsAndOrdersOnly) {
  add(1);
  add(2, JobPriority::kLow);
  EXPECT_FALSE(queue_.take(Rule::kUrgentOnly, now_));
  queue_.set_order(id(2), Order::kCancel);
  EXPECT_EQ(queue_.take(Rule::kUrgentOnly, now_), id(2)) << "an order is heard at once";
  queue_.set_priority(id(1), JobPriority::kUrgent);
  EXPECT_EQ(queue_.take(Rule::kUrgentOnly, now_), id(1));
}

TEST_F(JobQueueTest, PausesGrowAndEndWithProgress) {
  add(1);
  JobQueue::Time tried = now_;
  std::vector<std::chrono::milliseconds> pauses;
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(queue_.take(Rule::kOldest, tried), id(1));
    queue_.put_back(id(1), JobQueue::Again::kLater, tried);
    EXPECT_FALSE(queue_.take(Rule::kOldest, tried));
    JobQueue::Time ready = tried;
    while (queue_.next_time(ready) < ready + 1s) ready = queue_.next_time(ready);
    // next_time() looks a second ahead at most.
    while (!queue_.take(Rule::kOldest, ready)) ready += 500ms;
    pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(ready - tried));
    queue_.put_back(id(1), JobQueue::Again::kAtOnce, ready);
    tried = ready;
  }
  EXPECT_EQ(pauses.front(), 500ms);
  EXPECT_TRUE(std::ranges::is_sorted(pauses));
  EXPECT_EQ(pauses.back(), 10s);
  queue_.note_progress(id(1));
  ASSERT_EQ(queue_.take(Rule::kOldest, tried), id(1));
  queue_.put_back(id(1), JobQueue::Again::kLater, tried);
  EXPECT_FALSE(queue_.take(Rule::kOldest, tried + 499ms));
  EXPECT_TRUE(queue_.take(Rule::kOldest, tried + 500ms));
}

TEST_F(JobQueueTest, AnUrgentJobIsLetInByTheLeastOne) {
  for (const unsigned number : {1u, 2u, 3u}) add(number);
  add(4, JobPriority::kLow);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(queue_.take(Rule::kOldest, now_));
  EXPECT_EQ(queue_.gives_way(id(4), 0ms, false, now_), GivesWay::kNo);
  add(5, JobPriority::kUrgent);
  EXPECT_EQ(queue_.gives_way(id(4), 0ms, true, now_), GivesWay::kNo) << "a worker is free";
  for (const unsigned number : {1u, 2u, 3u}) {
    EXPECT_EQ(queue_.gives_way(id(number), 0ms, false, now_), GivesWay::kNo);
  }
  EXPECT_EQ(queue_.gives_way(id(4), 0ms, false, now_), GivesWay::kToHigher);
  queue_.put_back(id(4), JobQueue::Again::kAtOnce, now_);
  EXPECT_EQ(queue_.take(Rule::kOldest, now_), id(5));
}

TEST_F(JobQueueTest, WhoStandsStillGivesWayOnlyWhenSomebodyWaits) {
  add(1);
  ASSERT_TRUE(queue_.take(Rule::kOldest, now_));
  EXPECT_EQ(queue_.gives_way(id(1), 1h, false, now_), GivesWay::kNo);
  add(2, JobPriority::kLow);
  EXPECT_EQ(queue_.gives_way(id(1), 14s, false, now_), GivesWay::kNo);
  EXPECT_EQ(queue_.gives_way(id(1), 15s, false, now_), GivesWay::kToAnybody);
  EXPECT_EQ(queue_.gives_way(id(9), 1h, false, now_), GivesWay::kNo) << "not known";
}

// A thousand jobs without key, nine workers, simulated time: the one job that could run is found
// within minutes, an urgent one at once, and attempts stay rare, for each of them costs key.
TEST_F(JobQueueTest, AThousandWaitWithoutStarvingAnybody) {
  constexpr unsigned kWaiting = 1000, kWorkers = 8, kLucky = 777, kUrgent = 5000;
  for (unsigned i = 0; i < kWaiting; ++i) add(i);
  struct Worker {
    Rule rule;
    std::optional<JobId> job;
    JobQueue::Time until;
  };
  std::vector<Worker> workers;
  for (unsigned i = 0; i < kWorkers; ++i) {
    workers.push_back({i % 2 == 0 ? Rule::kOldest : Rule::kLongestUntried, {}, {}});
  }
  workers.push_back({Rule::kUrgentOnly, {}, {}});
  std::optional<JobQueue::Time> lucky_at, urgent_at;
  std::set<JobId> tried;
  std::uint64_t attempts = 0;
  const JobQueue::Time start = now_, urgent_from = start + 10min;
  for (; now_ < start + 60min; now_ += 500ms) {
    if (now_ == urgent_from) add(kUrgent, JobPriority::kUrgent);
    for (Worker& worker : workers) {
      if (worker.job && now_ >= worker.until) {
        queue_.put_back(*worker.job, JobQueue::Again::kLater, now_);
        worker.job.reset();
      }
      if (worker.job || !(worker.job = queue_.take(worker.rule, now_))) continue;
      ++attempts;
      tried.insert(*worker.job);
      worker.until = now_ + 15s;  // it waits for key for its turn
      const bool is_lucky = *worker.job == id(kLucky), is_urgent = *worker.job == id(kUrgent);
      if (is_lucky) lucky_at = now_;
      if (is_urgent) urgent_at = now_;
      if (is_lucky || is_urgent) {
        queue_.remove(*worker.job);
        worker.job.reset();
      }
    }
  }
  ASSERT_TRUE(lucky_at && urgent_at);
  EXPECT_EQ(*urgent_at, urgent_from);
  EXPECT_LE(*lucky_at - start, 50min) << "tried in turn by four workers";
  EXPECT_LE(attempts, 60u * 60 * kWorkers / 15 + 2 * kWorkers);
  EXPECT_GE(tried.size(), 900u);
}

}  // namespace
}  // namespace warifu::control
