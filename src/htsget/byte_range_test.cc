// The boundaries of a range, the largest number among them.
#include "htsget/byte_range.h"

#include <gtest/gtest.h>

namespace warifu::htsget {
namespace {

constexpr std::uint64_t kSize = 10;

TEST(ByteRange, Boundaries) {
  const ByteRange all{0, kSize, false};
  const struct {
    std::string_view text;
    std::optional<ByteRange> range;
  } rows[] = {
      {"", all},
      {"bytes=0-0", ByteRange{0, 1, true}},
      {"bytes=0-9", ByteRange{0, 10, true}},
      {"bytes=0-10", ByteRange{0, 10, true}},
      {"bytes=9-", ByteRange{9, 10, true}},
      {"bytes=9-9", ByteRange{9, 10, true}},
      {"bytes=10-", std::nullopt},
      {"bytes=10-12", std::nullopt},
      {"bytes=-1", ByteRange{9, 10, true}},
      {"bytes=-10", ByteRange{0, 10, true}},
      {"bytes=-11", ByteRange{0, 10, true}},
      {"bytes=-0", std::nullopt},
      {"bytes=5-4", all},
      {"bytes=1-2,4-5", all},
      {"bytes=-", all},
      {"bytes=a-5", all},
      {"bytes=5-a", all},
      {"bytes= 1-2", all},
      {"records=1-2", all},
      // One more than the last of these is zero, or no number at all.
      {"bytes=0-18446744073709551615", ByteRange{0, 10, true}},
      {"bytes=5-18446744073709551615", ByteRange{5, 10, true}},
      {"bytes=-18446744073709551615", ByteRange{0, 10, true}},
      {"bytes=18446744073709551615-18446744073709551615", std::nullopt},
      {"bytes=0-18446744073709551616", all},
  };
  for (const auto& row : rows) EXPECT_EQ(range_of(row.text, kSize), row.range) << row.text;
}

TEST(ByteRange, OfNothing) {
  EXPECT_EQ(range_of("", 0), (ByteRange{0, 0, false}));
  EXPECT_EQ(range_of("bytes=0-", 0), std::nullopt);
  EXPECT_EQ(range_of("bytes=0-0", 0), std::nullopt);
  EXPECT_EQ(range_of("bytes=-1", 0), std::nullopt);
}

}  // namespace
}  // namespace warifu::htsget
