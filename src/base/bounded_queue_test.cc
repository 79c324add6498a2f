// Order, bound, and both ways of ending.
#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace warifu {
namespace {

TEST(BoundedQueue, HandsOverInOrderAndNeverHoldsMoreThanItsDepth) {
  BoundedQueue<std::unique_ptr<int>> queue(3);
  std::atomic<int> pushed = 0;
  std::thread producer([&] {
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(queue.push(std::make_unique<int>(i)));
      ++pushed;
    }
    queue.close();
  });
  int popped = 0;
  while (auto item = queue.pop()) {
    EXPECT_EQ(**item, popped);
    ++popped;
    // Three inside, one on its way back from push().
    EXPECT_LE(pushed - popped, 4);
  }
  producer.join();
  EXPECT_EQ(popped, 1000);
}

TEST(BoundedQueue, CloseLetsTheRestOutAndAbandonDropsIt) {
  BoundedQueue<int> queue(3);
  ASSERT_TRUE(queue.push(1));
  ASSERT_TRUE(queue.push(2));
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  queue.abandon();
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, AbandonWakesAProducerThatWaits) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.push(1));
  std::thread producer([&] { EXPECT_FALSE(queue.push(2)); });
  queue.abandon();
  producer.join();
}

TEST(BoundedQueue, CloseWakesAConsumerThatWaits) {
  BoundedQueue<int> queue(1);
  std::thread consumer([&] { EXPECT_EQ(queue.pop(), std::nullopt); });
  queue.close();
  consumer.join();
}

using namespace std::chrono_literals;

TEST(BoundedQueue, WaitsForAnItemNoLongerThanToldAndTakesNone) {
  BoundedQueue<int> queue(2);
  EXPECT_FALSE(queue.wait_item(0ms));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(queue.wait_item(20ms));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
  ASSERT_TRUE(queue.push(7));
  EXPECT_TRUE(queue.wait_item(0ms));
  EXPECT_TRUE(queue.wait_item(0ms));
  EXPECT_EQ(queue.pop(), 7);
  EXPECT_FALSE(queue.wait_item(0ms));
}

TEST(BoundedQueue, NobodyWaitsForAnItemOfAQueueThatHasEnded) {
  BoundedQueue<int> closed(2), abandoned(2);
  ASSERT_TRUE(closed.push(7));
  ASSERT_TRUE(abandoned.push(7));
  closed.close();
  abandoned.abandon();
  EXPECT_TRUE(closed.wait_item(0ms));
  EXPECT_EQ(closed.pop(), 7);
  EXPECT_TRUE(closed.wait_item(0ms));
  EXPECT_EQ(closed.pop(), std::nullopt);
  EXPECT_TRUE(abandoned.wait_item(0ms));
  EXPECT_EQ(abandoned.pop(), std::nullopt);
}

// The limit is far beyond the time limit of the test: only what happens to the queue ends the wait.
TEST(BoundedQueue, AnItemOrTheEndWakesWhoWaitsForAnItem) {
  const std::vector<std::function<void(BoundedQueue<int>&)>> events = {
      [](BoundedQueue<int>& queue) { EXPECT_TRUE(queue.push(7)); },
      [](BoundedQueue<int>& queue) { queue.close(); },
      [](BoundedQueue<int>& queue) { queue.abandon(); }};
  for (const auto& event : events) {
    BoundedQueue<int> queue(1);
    std::thread consumer([&] { EXPECT_TRUE(queue.wait_item(24h)); });
    event(queue);
    consumer.join();
  }
}

}  // namespace
}  // namespace warifu
