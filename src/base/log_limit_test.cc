// Every line is written or counted, for each source by itself.
#include "base/log_limit.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/temporary_folder.h"

namespace warifu {
namespace {

using namespace std::chrono_literals;

class LogLimitTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(init_log("test", path_, LogLevel::kInfo)); }
  void TearDown() override { ASSERT_TRUE(init_log("test", "", LogLevel::kError)); }
  // Lines of the log that hold the text.
  int lines(const std::string& text) const {
    std::ifstream file(path_);
    int count = 0;
    for (std::string line; std::getline(file, line);) count += line.contains(text) ? 1 : 0;
    return count;
  }
  sim::TemporaryFolder dir_;
  const std::string path_ = dir_ + "/log";
  const LogLimit::Time start_{1h};
};

TEST_F(LogLimitTest, TheFirstAreWrittenTheRestCounted) {
  LogLimit limit("refusals");
  for (int i = 0; i < 400; ++i)
    limit.note(LogLevel::kInfo, "A", "no key for A", start_ + 1s * i / 8);
  limit.note(LogLevel::kInfo, "B", "no key for B", start_ + 55s);
  EXPECT_EQ(lines("no key for A"), 100);
  EXPECT_EQ(lines("no key for B"), 1);
  limit.tick(start_ + 59s);
  EXPECT_EQ(lines("more refusals"), 0);
  limit.tick(start_ + 60s);
  EXPECT_EQ(lines("300 more refusals of A in the last minute"), 1);
  limit.tick(start_ + 10min);
  EXPECT_EQ(lines("more refusals"), 1) << "B had none";
  limit.note(LogLevel::kInfo, "A", "no key for A", start_ + 10min);
  EXPECT_EQ(lines("no key for A"), 101) << "a new minute";
}

TEST_F(LogLimitTest, OfTooManySourcesTheRestAreCountedTogether) {
  std::uint64_t written = 0;
  {
    LogLimit limit("refusals");
    for (std::size_t i = 0; i < LogLimit::kMostSources + 150; ++i) {
      limit.note(LogLevel::kInfo, "S" + std::to_string(i), "a refusal", start_);
    }
    written = LogLimit::kMostSources + LogLimit::kFirst;
    EXPECT_EQ(lines("a refusal"), static_cast<int>(written));
  }
  EXPECT_EQ(lines("50 more refusals of others in the last minute"), 1) << "also when it ends";
}

}  // namespace
}  // namespace warifu
