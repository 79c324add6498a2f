// The packing, its thresholds, what accumulates, and the texts.
#include "risk/meter.h"

#include <gtest/gtest.h>

namespace warifu::risk {
namespace {

GrantedRegion region(std::uint32_t start, std::uint32_t end, const char* chromosome = "chr1") {
  return {"GRCh38", chromosome, start, end};
}

std::uint64_t snps(std::vector<GrantedRegion> regions) {
  return measure({false, std::move(regions)}).independent_snps;
}

TEST(MeterTest, PositionsArePackedAtTenThousandBases) {
  EXPECT_EQ(snps({}), 0U);
  EXPECT_EQ(snps({region(5, 5)}), 1U);
  EXPECT_EQ(snps({region(1, 10'000)}), 1U);
  EXPECT_EQ(snps({region(1, 10'001)}), 2U);
  EXPECT_EQ(snps({region(100, 100), region(10'099, 10'099)}), 1U);
  EXPECT_EQ(snps({region(100, 100), region(10'100, 10'100)}), 2U);
  EXPECT_EQ(snps({region(100, 100), region(100, 100, "chr2")}), 2U);
  EXPECT_EQ(snps({region(100, 100), region(100, 100, "1")}), 1U);  // chr1 is 1
  EXPECT_EQ(snps({region(1, 9), region(5, 20), region(21, 30)}), 1U);
  // Another choice than from the left would not find more: 1, 10001, 20001.
  EXPECT_EQ(snps({region(1, 5'000), region(9'000, 10'001), region(20'001, 20'001)}), 3U);
}

TEST(MeterTest, TheThresholdIsFortySnpsOrNineLoci) {
  std::vector<GrantedRegion> sites;
  for (std::uint32_t at = 0; at < 39; ++at)
    sites.push_back(region(1 + 20'000 * at, 1 + 20'000 * at));
  EXPECT_FALSE(measure({false, sites}).identifies());
  sites.push_back(region(1, 1, "chrX"));
  EXPECT_TRUE(measure({false, sites}).identifies());
  EXPECT_EQ(measure({false, {region(1, 225'000)}}).str_loci, 9U);
  EXPECT_TRUE(measure({false, {region(1, 225'000)}}).identifies());
  EXPECT_FALSE(measure({false, {region(1, 224'999)}}).identifies());
  EXPECT_TRUE(measure({true, {}}).identifies());
}

TEST(MeterTest, GrantsToOneGranteeAccumulate) {
  const Granted past{false, {region(1, 200'000)}}, same{false, {region(1, 200'000)}};
  const Granted more{false, {region(1, 200'000, "chr2")}};
  EXPECT_FALSE(read_meter(past, same).after.identifies());  // nothing new
  EXPECT_TRUE(read_meter(past, more).crosses());
  EXPECT_FALSE(read_meter({true, {}}, more).crosses());
  EXPECT_TRUE(read_meter({true, {}}, more).after.identifies());
}

TEST(MeterTest, TheTextsSayTheSameInBothLanguages) {
  const Granted past{false, {region(1, 200'000)}}, more{false, {region(1, 300'000, "chr2")}};
  const auto crossing = read_meter(past, more);
  EXPECT_NE(meter_text(crossing, Language::kEnglish).find("identify you. "), std::string::npos);
  EXPECT_NE(meter_text(crossing, Language::kJapanese).find("識別できるようになります"),
            std::string::npos);
  EXPECT_NE(meter_text(crossing, Language::kJapanese).find("約 50 個"), std::string::npos);
  const auto below = read_meter({}, past);
  EXPECT_NE(meter_text(below, Language::kEnglish).find("does not identify"), std::string::npos);
  EXPECT_NE(meter_text(below, Language::kJapanese).find("達しません"), std::string::npos);
}

}  // namespace
}  // namespace warifu::risk
