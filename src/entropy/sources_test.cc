// The built-in sources: what they refuse, that none waits for ever, and that a file gives no byte
// twice, wherever a crash is.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "entropy/source.h"
#include "os/device.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"
#include "testing/temporary_folder.h"

namespace warifu::entropy {
namespace {

class SourcesTest : public testing::Test {
 protected:
  sim::TemporaryFolder dir_;
};

TEST_F(SourcesTest, KernelAndProcessorGiveBytes) {
  Bytes out(100);
  EXPECT_EQ(*kernel_source(os::kernel_random())->read(out), 100u);
  const auto got = cpu_source()->read(out);
  if (!cpu_has_rdseed()) {
    EXPECT_EQ(got.error().code, Code::kUnavailable);
    GTEST_SKIP() << "this processor has no RDSEED";
  }
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_GT(*got, 0u);
}

TEST_F(SourcesTest, ADeviceIsACharacterDeviceOrAFifo) {
  Bytes out(100);
  EXPECT_EQ(device_source(dir_ + "/nothing")->read(out).error().code, Code::kNotFound);
  std::filesystem::create_symlink("/dev/urandom", dir_ + "/trng");
  const auto kernel = device_source(dir_ + "/trng")->read(out);
  EXPECT_EQ(kernel.error().code, Code::kInvalidArgument);
  EXPECT_NE(kernel.error().message.find("kernel's generator"), std::string::npos);
  ASSERT_TRUE(os::replace_file(os::real_files(), dir_ + "/file", Bytes(100)));
  EXPECT_EQ(device_source(dir_ + "/file")->read(out).error().code, Code::kInvalidArgument);
  EXPECT_EQ(*device_source("/dev/zero")->read(out), 100u);
}

TEST_F(SourcesTest, ADeviceThatIsSilentTimesOutAndComesBack) {
  const std::string path = dir_ + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto source = device_source(path);
  Bytes out(100);
  EXPECT_EQ(source->read(out).error().code, Code::kUnavailable);  // nobody writes
  std::fstream writer(path, std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(writer.is_open());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(source->read(out).error().code, Code::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kDevicePatience * 10);
  writer << "abc" << std::flush;
  EXPECT_EQ(*source->read(out), 3u);
}

// --- files --------------------------------------------------------------------------------------

constexpr std::uint64_t kFileBytes = (5 << 20) + 13;

void write_file(os::FileSystem& files, const std::string& path, std::uint64_t size) {
  Bytes bytes(size);
  sim::Dice(9).fill(bytes);
  ASSERT_TRUE(files.make_directories("/media"));
  ASSERT_TRUE(os::replace_file(files, path, bytes));
}

struct SimSite {
  explicit SimSite(sim::SimDisk& on) : disk(on) {}
  sim::SimDisk& disk;
  sim::SimClock clock;
  sim::SimRandom random{1};
  std::unique_ptr<Source> open(const std::string& path = "/media/numbers") {
    return file_source({disk, clock, random}, path, "/site/random-files/numbers");
  }
};

TEST_F(SourcesTest, AFileIsReadFrontToBackAndEnds) {
  sim::SimDisk disk;
  write_file(disk, "/media/numbers", kFileBytes);
  SimSite site(disk);
  auto source = site.open();
  const Bytes all = *os::read_file(disk, "/media/numbers", kFileBytes);
  Bytes got;
  Bytes part(300'000);
  for (;;) {
    const auto size = source->read(part);
    if (!size) {
      EXPECT_EQ(size.error().code, Code::kOutOfKey);
      break;
    }
    got.insert(got.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*size));
  }
  EXPECT_EQ(got, all);
  EXPECT_EQ(site.open()->read(part).error().code, Code::kOutOfKey) << "it began again";
}

TEST_F(SourcesTest, APositionBelongsToOneFile) {
  sim::SimDisk disk;
  write_file(disk, "/media/numbers", 1000);
  write_file(disk, "/media/longer", 2000);
  SimSite site(disk);
  Bytes part(10);
  ASSERT_TRUE(site.open()->read(part));
  EXPECT_EQ(site.open("/media/longer")->read(part).error().code, Code::kRefused);
  ASSERT_TRUE(os::replace_file(disk, "/site/random-files/numbers", Bytes(20)));
  EXPECT_EQ(site.open()->read(part).error().code, Code::kCorrupt);
}

// Crashes at every changing operation, several images each: what was given before never comes
// again. The control shows that the test would see it.
std::uint64_t count_repeats(bool syncs_lie, std::uint64_t& states) {
  std::uint64_t repeats = 0;
  bool died = true;
  for (std::uint64_t at = 1; died; ++at) {
    sim::SimDisk disk;
    write_file(disk, "/media/numbers", kFileBytes);
    EXPECT_TRUE(disk.make_directories("/site"));
    disk.sync_dir("/");
    disk.lie({.sync_does_nothing = syncs_lie, .sync_dir_does_nothing = syncs_lie});
    disk.crash_at(at);
    std::set<std::uint64_t> given;  // words: the file has no word twice
    const auto take = [&](Source& source) {
      Bytes part(256 * 1024);
      const auto size = source.read(part);
      if (!size) return false;
      for (std::size_t i = 0; i + 8 <= *size; i += 8 * 1024) {
        std::uint64_t word = 0;
        std::memcpy(&word, part.data() + i, 8);
        if (!given.insert(word).second) ++repeats;
      }
      return true;
    };
    try {
      SimSite site(disk);
      auto source = site.open();
      while (take(*source)) {
      }
    } catch (const sim::SimCrash&) {
    }
    died = disk.dead();
    const auto before = given;
    for (std::uint64_t seed = 0; seed < 8; ++seed, ++states) {
      given = before;
      const auto image = disk.crash_image(seed);
      SimSite site(*image);
      auto source = site.open();
      while (take(*source)) {
      }
    }
  }
  return repeats;
}

TEST_F(SourcesTest, NoByteOfAFileIsGivenTwiceWhereverTheCrashIs) {
  std::uint64_t states = 0;
  EXPECT_EQ(count_repeats(false, states), 0u);
  EXPECT_GT(states, 100u);
  EXPECT_GT(count_repeats(true, states), 0u) << "the control found nothing";
}

}  // namespace
}  // namespace warifu::entropy
