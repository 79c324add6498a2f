// gzip and percent signs, both ways; what is bent, cut short or too much.
#include "base/gzip.h"

#include <gtest/gtest.h>

#include "base/percent.h"

namespace warifu {
namespace {

Bytes plain_text(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>('a' + i * i % 17);
  return bytes;
}

TEST(Gzip, ThereAndBackMemberAfterMember) {
  for (const std::size_t size : {0U, 1U, 65'535U, 65'536U, 300'001U}) {
    const Bytes plain = plain_text(size);
    Bytes file = gzip(plain);
    EXPECT_TRUE(is_gzip(file));
    EXPECT_EQ(*gunzip(file, size, "x"), plain) << size;
    const Bytes again = file;
    file.insert(file.end(), again.begin(), again.end());
    EXPECT_EQ(gunzip(file, 2 * size, "x")->size(), 2 * size);
  }
}

TEST(Gzip, NeverMoreThanTheLimit) {
  const Bytes bomb = gzip(Bytes(10'000'000, 'A'));
  EXPECT_LT(bomb.size(), 20'000U);
  EXPECT_TRUE(gunzip(bomb, 10'000'000, "x"));
  const auto refused = gunzip(bomb, 9'999'999, "the index");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_EQ(refused.error().message, "the index: inflates to more than 9999999 bytes");
}

TEST(Gzip, WhatIsCutShortBentOrFollowedByMoreIsCorrupt) {
  const Bytes file = gzip(plain_text(500));
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(gunzip(ByteView(file).first(size), 10'000, "x")) << size;
  }
  for (std::size_t at = 10; at < file.size(); ++at) {  // behind the header, whose fields are free
    Bytes bent = file;
    bent[at] = static_cast<Byte>(bent[at] ^ 0x10);
    EXPECT_FALSE(gunzip(bent, 10'000, "x")) << at;
  }
  Bytes more = file;
  more.push_back('x');
  EXPECT_FALSE(gunzip(more, 10'000, "x"));
}

TEST(Gzip, BareStreamsFillWhatTheyAreGiven) {
  const Bytes plain = plain_text(60'000);
  Bytes deflated(70'000);
  deflated.resize(deflate_bare(plain, deflated));
  Bytes out(plain.size());
  EXPECT_EQ(inflate_bare(deflated, out), plain.size());
  EXPECT_EQ(out, plain);
  Bytes small(plain.size() - 1);
  EXPECT_EQ(inflate_bare(deflated, small), std::nullopt);
  EXPECT_EQ(inflate_bare(ByteView(deflated).first(deflated.size() - 1), out), std::nullopt);
  EXPECT_EQ(gzip_crc(as_bytes("123456789")), 0xcbf43926U);  // the CRC's check value
}

TEST(Percent, Rfc3986) {
  EXPECT_EQ(percent_encode("SAE A/ü"), "SAE%20A%2F%C3%BC");
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("20:1,+%&="), "20%3A1%2C%2B%25%26%3D");
  EXPECT_EQ(*percent_decode("%c3%BC%41", false), "üA");
  EXPECT_EQ(*percent_decode("a+b", false), "a+b");
  EXPECT_EQ(*percent_decode("a+b", true), "a b");
  for (const char* bad : {"%", "%4", "%4g", "%00", "a%"}) {
    EXPECT_FALSE(percent_decode(bad, false)) << bad;
  }
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(*percent_decode(percent_encode(all), true), all);
}

}  // namespace
}  // namespace warifu
