// Order, bound, and both ways of ending.
#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

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

}  // namespace
}  // namespace warifu
