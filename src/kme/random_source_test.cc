// A site's random numbers: each byte of the pool once, also across restarts; where they came from;
// what happens when the pool is empty.
#include "kme/random_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <random>

#include "testing/temporary_folder.h"

namespace warifu::kme {
namespace {

using keypool::Entropy;
using keypool::Origin;

class RandomSourceTest : public testing::Test {
 protected:
  std::unique_ptr<RandomSource> open(RandomFrom from) {
    auto source = RandomSource::open(system_, dir_, root_, from);
    EXPECT_TRUE(source) << source.error().message;
    return source ? std::move(*source) : nullptr;
  }
  // A file of random bytes, remembered in all_.
  std::string file(std::size_t size) {
    Bytes bytes(size);
    for (auto& b : bytes) b = static_cast<Byte>(generator_());
    all_.insert(all_.end(), bytes.begin(), bytes.end());
    const std::string path = dir_ + "/numbers";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(size));
    return path;
  }

  os::System system_ = os::real_system();
  sim::TemporaryFolder dir_;
  Bytes root_ = Bytes(32, 3);
  std::mt19937_64 generator_{1};
  Bytes all_;
};

TEST_F(RandomSourceTest, ThePoolIsHandedOutInOrderAndOnce) {
  auto source = open(RandomFrom::kPool);
  ASSERT_TRUE(source->import(file(100'000), Origin::kHardware));
  ASSERT_TRUE(source->import(file(50'000), Origin::kHardware));
  EXPECT_EQ(source->status().available_bytes, 150'000u);
  Bytes got(150'000);
  for (std::size_t at = 0; at < got.size(); at += 30'000) {
    const auto entropy = source->fill(MutableBytes(got).subspan(at, 30'000));
    ASSERT_TRUE(entropy) << entropy.error().message;
    EXPECT_FALSE(entropy->computational());
  }
  EXPECT_EQ(got, all_);
  EXPECT_EQ(source->fill(MutableBytes(got).first(1)).error().code, Code::kOutOfKey);
  EXPECT_EQ(source->status().used_bytes, 150'000u);
}

TEST_F(RandomSourceTest, ARestartGivesNothingASecondTime) {
  std::vector<bool> used;
  for (int round = 0; round < 3; ++round) {
    auto source = open(RandomFrom::kPool);
    ASSERT_TRUE(source->import(file(10'000'000), Origin::kHardware));
    used.resize(all_.size());
    Bytes got(1000);
    ASSERT_TRUE(source->fill(got));
    const auto found = std::ranges::search(all_, got);
    ASSERT_FALSE(found.empty());
    for (auto at = found.begin(); at != found.end(); ++at) {
      const auto place = static_cast<std::size_t>(at - all_.begin());
      EXPECT_FALSE(used[place]);
      used[place] = true;
    }
  }
}

TEST_F(RandomSourceTest, OneGeneratedByteMakesAFillComputational) {
  auto source = open(RandomFrom::kPoolOrKernel);
  ASSERT_TRUE(source->import(file(1000), Origin::kHardware));
  ASSERT_TRUE(source->import(file(1000), Origin::kPreshared));
  Bytes part(900);
  EXPECT_FALSE(source->fill(part)->computational());
  const auto mixed = source->fill(part);
  ASSERT_TRUE(mixed);
  EXPECT_TRUE(mixed->computational());
  EXPECT_EQ(mixed->origins, (std::set{Origin::kHardware, Origin::kPreshared}));
  // What is left does not suffice: the generator serves, and the pool is not broken into.
  const auto generated = source->fill(part);
  ASSERT_TRUE(generated);
  EXPECT_EQ(generated->origins, std::set{Origin::kKernelGenerator});
  EXPECT_EQ(source->status().available_bytes, 200u);
}

TEST_F(RandomSourceTest, TheConfiguredSourceIsTheOnlyOne) {
  Bytes out(100);
  EXPECT_EQ(open(RandomFrom::kPool)->fill(out).error().code, Code::kOutOfKey);
  auto source = open(RandomFrom::kKernel);
  ASSERT_TRUE(source->import(file(1000), Origin::kHardware));
  EXPECT_EQ(source->fill(out)->origins, std::set{Origin::kKernelGenerator});
  EXPECT_EQ(source->status().available_bytes, 1000u);
  EXPECT_FALSE(parse_random_from("dice"));
  EXPECT_EQ(*parse_random_from("pool-or-kernel"), RandomFrom::kPoolOrKernel);
}

TEST(RandomSourceRate, TheGeneratorIsFasterThanTheKernels) {
  os::Random& kernel = os::kernel_random();
  crypto::Drbg generator([&](MutableBytes out) { kernel.fill(out); });
  Bytes block(256 * 1024);
  const auto rate = [&](auto& source, int rounds) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) source.fill(block);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return static_cast<double>(block.size()) * rounds / took.count() / 1e9;
  };
  const double ours = rate(generator, 1000);
  const double theirs = rate(kernel, 100);
  std::cout << "generator " << ours << " GB/s, kernel " << theirs << " GB/s\n";
  EXPECT_GT(ours, theirs);
}

}  // namespace
}  // namespace warifu::kme
