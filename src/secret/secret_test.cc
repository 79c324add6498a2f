// Wiping, reuse of blocks and constant-time comparison.
#include "secret/secret.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "secret/lockable.h"
#include "secret/wiped.h"

namespace warifu::secret {
namespace {

// Notes what is given back that is not zero.
std::size_t left_behind = 0;
std::size_t given_back = 0;
template <typename T>
struct Watching : std::allocator<T> {
  void deallocate(T* values, std::size_t count) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(values);
    left_behind += static_cast<std::size_t>(
        std::count_if(bytes, bytes + count * sizeof(T), [](auto byte) { return byte != 0; }));
    given_back += count * sizeof(T);
    std::allocator<T>::deallocate(values, count);
  }
};

TEST(SecretVector, IsWipedWhenItGrowsAndWhenItEnds) {
  left_behind = given_back = 0;
  {
    std::vector<std::uint32_t, WipingAllocator<std::uint32_t, Watching>> values;
    for (std::uint32_t i = 0; i < 1000; ++i) values.push_back(0x01010101 * (i % 255 + 1));
    EXPECT_GT(given_back, 4 * 500U) << "it has grown";
    auto other = values;
    other = std::move(values);
    EXPECT_EQ(other.size(), 1000U);
  }
  EXPECT_GT(given_back, 4 * 2000U);
  EXPECT_EQ(left_behind, 0U);
}

TEST(SecretBuffer, IsZeroWhenMadeEvenAfterReuseOfABlock) {
  const std::uint8_t* block = nullptr;
  {
    Buffer first(5000);
    block = first.bytes().data();
    std::ranges::fill(first.bytes(), std::uint8_t{0xAA});
  }
  Buffer second(8192);  // the same size class: the very block comes back
  EXPECT_EQ(second.bytes().data(), block);
  EXPECT_TRUE(std::ranges::all_of(second.bytes(), [](auto b) { return b == 0; }));
}

TEST(SecretBuffer, ShrinkWipesTheTail) {
  Buffer buffer(100);
  std::ranges::fill(buffer.bytes(), std::uint8_t{7});
  std::uint8_t* tail = buffer.bytes().data() + 40;
  buffer.shrink(40);
  EXPECT_EQ(buffer.size(), 40u);
  EXPECT_TRUE(std::all_of(tail, tail + 60, [](auto b) { return b == 0; }));
}

TEST(SecretBuffer, MoveLeavesTheSourceEmpty) {
  Buffer a = Buffer::copy_of(std::vector<std::uint8_t>{1, 2, 3});
  Buffer b(std::move(a));
  EXPECT_EQ(b.size(), 3u);
  EXPECT_EQ(b.bytes()[2], 3);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): the promise under test
  b = Buffer(2);
  EXPECT_EQ(b.size(), 2u);
}

// A block of one size class that comes again is all zeros and large enough for its class.
TEST(SecretBuffer, EverySizeGetsAWipedBlockOfItsOwnClass) {
  for (std::size_t size = 1; size < (3u << 20); size += 1 + size / 7) {
    for (const std::size_t each : {size, size + 1, size * 2}) {
      Buffer first(each);
      std::ranges::fill(first.bytes(), std::uint8_t{0xA5});
      first = Buffer();
      const Buffer again(each);
      ASSERT_TRUE(std::ranges::all_of(again.bytes(), [](auto b) { return b == 0; })) << each;
    }
  }
}

TEST(SecretBuffer, ManySmallOnesLieApart) {
  std::vector<Buffer> held;
  for (std::size_t i = 0; i < 5000; ++i) {
    held.emplace_back(1 + i % 2500);
    std::ranges::fill(held.back().bytes(), static_cast<std::uint8_t>(i));
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto expected = static_cast<std::uint8_t>(i);
    ASSERT_TRUE(std::ranges::all_of(held[i].bytes(), [&](auto b) { return b == expected; })) << i;
  }
}

TEST(SecretEqual, EveryBitMatters) {
  std::vector<std::uint8_t> a(64);
  std::iota(a.begin(), a.end(), std::uint8_t{0});
  EXPECT_TRUE(equal(a, a));
  for (std::size_t i = 0; i < a.size() * 8; ++i) {
    auto b = a;
    b[i / 8] = static_cast<std::uint8_t>(b[i / 8] ^ (1u << (i % 8)));
    EXPECT_FALSE(equal(a, b));
  }
  EXPECT_FALSE(equal(a, std::span(a).first(63)));
}

// In a process of its own, as one that is not root.
[[noreturn]] void lock_little() {
  const rlimit little{1U << 20U, 1U << 20U};
  if (::geteuid() == 0 && ::setresuid(65'534, 65'534, 65'534) != 0) ::_exit(1);
  if (::setrlimit(RLIMIT_MEMLOCK, &little) != 0) ::_exit(2);
  if (!can_lock(0) || !can_lock(100'000)) ::_exit(3);
  if (can_lock(2U << 20U) || can_lock(std::size_t{1} << 62U)) ::_exit(4);
  if (!can_lock(100'000)) ::_exit(5);  // nothing stayed locked
  allow_unlocked();
  if (!can_lock(2U << 20U)) ::_exit(6);
  ::_exit(0);
}

TEST(SecretDeathTest, WhatCannotBeLockedIsKnownBefore) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers take mlock() over, and lock nothing";
#endif
  EXPECT_EXIT(lock_little(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace warifu::secret
