// Bounds of the reader, the CRC's check value, and base64 against its published vectors.
#include "wire/wire.h"

#include <gtest/gtest.h>

#include <random>

namespace warifu::wire {
namespace {

std::string encode(ByteView bytes) {
  std::string text(base64_length(bytes.size()), '?');
  base64_encode(bytes, text);
  return text;
}

TEST(ReaderWriter, RoundTrip) {
  Writer writer;
  writer.u8(1);
  writer.u16(0x0203);
  writer.u32(0x04050607);
  writer.u64(0x08090a0b0c0d0e0f);
  writer.i64(-5);
  writer.blob(as_bytes("blob"));
  writer.text("text");
  writer.site(*SiteName::parse("tommo"));
  Reader reader(writer.bytes(), "message");
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607u);
  EXPECT_EQ(reader.u64(), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(reader.i64(), -5);
  EXPECT_EQ(as_text(reader.blob(10)), "blob");
  EXPECT_EQ(reader.text(10), "text");
  EXPECT_EQ(reader.site().text(), "tommo");
  EXPECT_TRUE(reader.finish());
}

TEST(Reader, EveryTruncationFailsAndNamesTheMessage) {
  Writer writer;
  writer.u32(7);
  writer.blob(as_bytes("payload"));
  writer.id(ObjectId{});
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    Reader reader(ByteView(writer.bytes()).first(size), "share header");
    (void)reader.u32();
    (void)reader.blob(100);
    (void)reader.id<ObjectId>();
    const auto result = reader.finish();
    ASSERT_FALSE(result) << size;
    EXPECT_NE(result.error().message.find("share header"), std::string::npos);
  }
}

TEST(Reader, RefusesLongFieldsAndLeftovers) {
  Writer writer;
  writer.blob(Bytes(100));
  Reader too_long(writer.bytes(), "x");
  (void)too_long.blob(99);
  EXPECT_FALSE(too_long.check());
  Reader left_over(writer.bytes(), "x");
  (void)left_over.u32();
  EXPECT_TRUE(left_over.check());
  EXPECT_FALSE(left_over.finish());
}

TEST(Reader, ListsOfSitesHaveTheirBounds) {
  const std::vector<SiteName> sites = {*SiteName::parse("tommo"), *SiteName::parse("lsa")};
  Writer writer;
  writer.sites(sites);
  const auto read = [&](std::size_t least, std::size_t most) {
    Reader reader(writer.bytes(), "x");
    auto found = reader.sites(least, most);
    return reader.finish() ? found : std::vector<SiteName>{};
  };
  EXPECT_EQ(read(0, 2), sites);
  EXPECT_EQ(read(2, 255), sites);
  EXPECT_TRUE(read(3, 255).empty());
  EXPECT_TRUE(read(0, 1).empty());
}

TEST(Crc, WhatStandsBeforeAChecksum) {
  Writer writer;
  writer.text("some record");
  const Bytes body = writer.bytes();
  writer.checksum();
  Bytes whole = writer.take();
  const auto before = before_checksum(whole);
  ASSERT_TRUE(before);
  EXPECT_TRUE(std::ranges::equal(*before, body));
  for (Byte& byte : whole) {
    byte ^= 1;
    EXPECT_FALSE(before_checksum(whole));
    byte ^= 1;
  }
  EXPECT_FALSE(before_checksum(ByteView(whole).first(whole.size() - 1)));
  EXPECT_FALSE(before_checksum(ByteView(whole).first(3)));
}

TEST(Crc, CheckValue) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283u);
}

TEST(Base64, Rfc4648Vectors) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(encode(as_bytes(plain)), text);
    Bytes out(10);
    const auto size = base64_decode(text, out);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(as_text(ByteView(out).first(*size)), plain);
  }
}

TEST(Base64, RandomRoundTripAndRefusals) {
  std::mt19937_64 generator(1);
  for (std::size_t size = 0; size < 300; ++size) {
    Bytes bytes(size);
    for (auto& b : bytes) b = static_cast<Byte>(generator());
    Bytes out(size);
    EXPECT_EQ(*base64_decode(encode(bytes), out), size);
    EXPECT_EQ(out, bytes);
  }
  Bytes out(16);
  for (const char* bad : {"A", "AAA", "A===", "====", "AA=A", "AAA*",
                          "AAB=", "AB==", "AA\n=", "AAAA====", "=AAA", "\xff\xff\xff\xff"}) {
    EXPECT_FALSE(base64_decode(bad, out)) << bad;
  }
  EXPECT_FALSE(base64_decode("AAAAAAAA", MutableBytes(out).first(5)));
}

}  // namespace
}  // namespace warifu::wire
