// Memory that is counted, sealed, wiped.
#include "viewing/held_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "viewing/room.h"

namespace warifu::viewing {
namespace {

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(i * 7 + i / 251);
  return bytes;
}

TEST(HeldFile, GivesBackWhatWasPutIn) {
  Budget budget(8U << 20U, false);
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 65'536U, 65'537U, 1'000'000U}) {
    auto file = HeldFile::make(budget);
    ASSERT_TRUE(file);
    const Bytes bytes = pattern(size);
    for (std::size_t at = 0; at < size; at += 10'007) {
      ASSERT_TRUE(
          file->append(ByteView(bytes).subspan(at, std::min<std::size_t>(10'007, size - at))));
    }
    ASSERT_TRUE(file->seal());
    EXPECT_TRUE(std::ranges::equal(file->bytes(), bytes)) << size;
    auto input = file->descriptor();
    ASSERT_TRUE(input);
    Bytes read(size + 1);
    EXPECT_EQ(::read(input->get(), read.data(), read.size()), static_cast<ssize_t>(size));
    EXPECT_LT(::write(input->get(), "x", 1), 0);
    EXPECT_LE(budget.used(), size + 4096);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(HeldFile, NobodyChangesASealedOne) {
  Budget budget(1U << 20U, false);
  auto file = HeldFile::make(budget);
  ASSERT_TRUE(file->append(pattern(5'000)));
  ASSERT_TRUE(file->seal());
  const auto input = file->descriptor();
  EXPECT_LT(::write(input->get(), "x", 1), 0);
  EXPECT_NE(::ftruncate(input->get(), 0), 0);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, input->get(), 0), MAP_FAILED);
  const int seals = ::fcntl(input->get(), F_GET_SEALS);
  EXPECT_EQ(seals & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL),
            F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
  EXPECT_TRUE(std::ranges::equal(file->bytes(), pattern(5'000)));
}

TEST(HeldFile, TheBudgetRefusesAndLosesNothing) {
  Budget budget(256 * 1024, false);
  auto first = HeldFile::make(budget);
  ASSERT_TRUE(first->append(pattern(100'000)));
  auto second = HeldFile::make(budget);
  const auto refused = second->append(pattern(200'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kNoSpace);
  EXPECT_TRUE(std::ranges::equal(first->bytes(), pattern(100'000)));
  EXPECT_TRUE(second->append(pattern(1'000)));
  *first = HeldFile();
  EXPECT_TRUE(second->append(pattern(100'000)));
  *second = HeldFile();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(HeldFile, WhatIsReservedIsThereAndGoesBackWhenItIsSealed) {
  Budget budget(1U << 20U, false);
  auto file = HeldFile::make(budget);
  ASSERT_TRUE(file->reserve(1U << 20U));
  EXPECT_EQ(budget.used(), 1U << 20U);
  auto other = HeldFile::make(budget);
  EXPECT_EQ(other->append(pattern(1)).error().code, Code::kNoSpace);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(file->append(pattern(5'000)));
  EXPECT_EQ(budget.used(), 1U << 20U);
  ASSERT_TRUE(file->seal());
  EXPECT_EQ(file->bytes().size(), 500'000U);
  EXPECT_LE(budget.used(), 500'000U + 4096);
  EXPECT_TRUE(other->append(pattern(100'000)));
  auto unused = HeldFile::make(budget);
  ASSERT_TRUE(unused->reserve(100'000));
  ASSERT_TRUE(unused->seal());
  EXPECT_TRUE(unused->bytes().empty());
  *file = HeldFile();
  *other = HeldFile();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(HeldFile, MoreThanThereIsCannotBeReserved) {
  Budget budget(1U << 20U, false);
  auto file = HeldFile::make(budget);
  constexpr std::uint64_t kOne = 1;
  for (const std::uint64_t bytes : {(kOne << 20U) + 1, kOne << 40U, UINT64_MAX}) {
    EXPECT_EQ(file->reserve(bytes).error().code, Code::kNoSpace) << bytes;
    EXPECT_EQ(budget.used(), 0U);
  }
  EXPECT_TRUE(file->reserve(0));
}

TEST(HeldFile, ItGrowsToTheVeryEndOfTheBudget) {
  Budget budget(1U << 20U, false);
  auto file = HeldFile::make(budget);
  for (int i = 0; i < 256; ++i) ASSERT_TRUE(file->append(pattern(4096))) << i;
  EXPECT_EQ(budget.used(), 1U << 20U);
  EXPECT_EQ(file->append(pattern(1)).error().code, Code::kNoSpace);
}

TEST(Room, ABoundForEveryKindOfFile) {
  EXPECT_EQ(records_bound(genome::FileKind::kCram, 1'000), 4'000U);
  EXPECT_EQ(records_bound(genome::FileKind::kBam, 1'000), 1'250U);
  EXPECT_EQ(records_bound(genome::FileKind::kVcf, 0), 0U);
  EXPECT_GE(records_bound(genome::FileKind::kCram, UINT64_MAX), UINT64_MAX - 3);
  EXPECT_GE(records_bound(genome::FileKind::kBcf, UINT64_MAX), UINT64_MAX / 4);
}

TEST(HeldFile, ItIsLockedAndNotInCoreFiles) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers take mlock() over, and lock nothing";
#endif
  Budget budget(1U << 20U, false);
  auto file = HeldFile::make(budget);
  ASSERT_TRUE(file->append(pattern(200'000)));
  ASSERT_TRUE(file->seal());
  std::ifstream maps("/proc/self/smaps");
  std::string line, flags;
  bool mine = false;
  std::uint64_t locked = 0;
  while (std::getline(maps, line)) {
    if (line.find("memfd:view") != std::string::npos) mine = true;
    if (mine && line.starts_with("Locked:")) locked = std::stoull(line.substr(7));
    if (mine && line.starts_with("VmFlags:")) {
      flags = line;
      break;
    }
  }
  EXPECT_NE(flags.find(" lo"), std::string::npos) << flags;  // locked
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;  // not dumped
  EXPECT_NE(flags.find(" dc"), std::string::npos) << flags;  // not in children
  EXPECT_GE(locked, 195U);                                   // KiB
}

TEST(HeldFile, WhoHasADescriptorFindsNothingOnceItIsGone) {
  Budget budget(1U << 20U, false);
  os::Descriptor input;
  {
    auto file = HeldFile::make(budget);
    ASSERT_TRUE(file->append(pattern(10'000)));
    ASSERT_TRUE(file->seal());
    auto opened = file->descriptor();
    ASSERT_TRUE(opened);
    input = std::move(*opened);
  }
  Bytes left(10'000);
  ASSERT_EQ(::pread(input.get(), left.data(), left.size(), 0), 10'000);
  EXPECT_EQ(left, Bytes(10'000));
}

// In a process of its own, as one that is not root.
[[noreturn]] void lock_nothing() {
  const rlimit none{0, 0};
  if (::geteuid() == 0 && ::setresuid(65'534, 65'534, 65'534) != 0) ::_exit(1);
  if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) ::_exit(2);
  Budget strict(1U << 20U, false);
  auto file = HeldFile::make(strict);
  const auto refused = file->append(pattern(10));
  if (refused || refused.error().code != Code::kNoSpace) ::_exit(3);
  *file = HeldFile();
  if (strict.used() != 0) ::_exit(4);
  Budget lax(1U << 20U, true);
  auto other = HeldFile::make(lax);
  if (!other->append(pattern(10)) || !other->seal()) ::_exit(5);
  ::_exit(0);
}

TEST(HeldFileDeathTest, WhatCannotBeLockedIsRefusedAndNoProgramEnds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers take mlock() over, and lock nothing";
#endif
  EXPECT_EXIT(lock_nothing(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace warifu::viewing
