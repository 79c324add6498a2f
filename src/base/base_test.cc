// Identifiers, hexadecimal text, sizes and error names.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/units.h"

namespace warifu {
namespace {

TEST(Hex, RoundTripAndRefusals) {
  const Bytes bytes = {0x00, 0x7f, 0xff, 0xa5};
  EXPECT_EQ(to_hex(bytes), "007fffa5");
  EXPECT_EQ(*from_hex("007FffA5"), bytes);
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
}

TEST(SiteNames, OnlyShortPlainNames) {
  for (const char* good : {"tommo", "cloud1", "a", "site-with-16-ch0"}) {
    ASSERT_TRUE(SiteName::parse(good)) << good;
    EXPECT_EQ(SiteName::from_padded(SiteName::parse(good)->padded())->text(), good);
  }
  for (const char* bad : {"", "Tommo", "1st", "a_b", "../etc", "seventeen-letters"}) {
    EXPECT_FALSE(SiteName::parse(bad)) << bad;
  }
}

TEST(SiteNames, PaddedFormRefusesBytesAfterTheEnd) {
  auto padded = SiteName::parse("lsa")->padded();
  padded[10] = 'x';
  EXPECT_FALSE(SiteName::from_padded(padded));
}

TEST(Ids, ParseWantsExactLength) {
  EXPECT_TRUE(ObjectId::parse("00112233445566778899aabbccddeeff"));
  EXPECT_FALSE(ObjectId::parse("00112233445566778899aabbccddee"));
  EXPECT_FALSE(ObjectId::parse(""));
}

TEST(Sizes, Parse) {
  EXPECT_EQ(*parse_size("210M"), 210ULL << 20);
  EXPECT_EQ(*parse_size("1GB"), 1000000000ULL);
  EXPECT_EQ(*parse_size("7"), 7ULL);
  for (const char* bad : {"", "M", "-1", "1X", "99999999999999999999", "99999999999T"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

TEST(Texts, Human) {
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(16'000'000'000), "16.0 GB");
  EXPECT_EQ(human_bit_rate(10e6), "10.0 Mbit/s");
  EXPECT_EQ(human_seconds(12840), "3 h 34 min");
}

TEST(Codes, UnknownNumberIsAProtocolError) {
  EXPECT_EQ(code_from_number(7), Code::kOutOfKey);
  EXPECT_EQ(code_from_number(0), Code::kProtocol);
  EXPECT_EQ(code_from_number(200), Code::kProtocol);
  EXPECT_EQ(code_name(Code::kCancelled), "cancelled");
}

}  // namespace
}  // namespace warifu
