// Headers have one encoding; every flipped byte is found; the layout agrees with itself.
#include "store/share_header.h"

#include <gtest/gtest.h>

#include <functional>

#include "wire/wire.h"

namespace warifu::store {
namespace {

template <typename Id>
Id id_of(Byte first) {
  Id id;
  id.bytes.fill(first);
  return id;
}

ShareHeader sample() {
  ShareHeader header;
  header.share = id_of<ShareId>(0x11);
  header.object = id_of<ObjectId>(0x22);
  header.parent = id_of<ShareId>(0x33);
  header.owner = id_of<Pseudonym>(0x44);
  header.index = 2;
  header.level = Level::kNested;
  header.computational = true;
  header.generation = 7;
  header.chunk_bytes = 96;
  header.object_length = 200;
  header.chunk_count = 3;
  header.created = {1'795'000'000'000};
  header.siblings = {{0, id_of<ShareId>(0x55), *SiteName::parse("tommo")},
                     {1, id_of<ShareId>(0x66), *SiteName::parse("lsa")}};
  header.policy = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";
  return header;
}

// The slot with `change` made to its bytes and the checksum mended.
Bytes forged(const std::function<void(Bytes&)>& change) {
  Bytes bytes = encode_slot({sample(), 9, 2});
  change(bytes);
  const std::uint32_t sum = wire::crc32c(ByteView(bytes).first(kHeaderBytes - 4));
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[kHeaderBytes - 4 + i] = static_cast<Byte>(sum >> (8 * i));
  }
  return bytes;
}

TEST(ShareHeaders, RoundTrip) {
  const HeaderSlot slot{sample(), 9, 2};
  const Bytes bytes = encode_slot(slot);
  ASSERT_EQ(bytes.size(), kHeaderBytes);
  EXPECT_EQ(as_text(ByteView(bytes).first(8)), "WRFSHARE");
  EXPECT_EQ(*parse_slot(bytes, "x"), slot);

  ShareHeader plain = sample();
  plain.siblings.clear();
  plain.policy.clear();
  plain.level = Level::kTop;
  plain.parent = {};
  plain.computational = false;
  EXPECT_EQ(parse_slot(encode_slot({plain, 1, 0}), "x")->header, plain);
}

TEST(ShareHeaders, FullestHeaderFits) {
  ShareHeader header = sample();
  header.policy = std::string(kMaxPolicyBytes, 'p');
  header.siblings.clear();
  for (Byte i = 0; i < kMaxSiblings; ++i) {
    header.siblings.push_back({static_cast<std::uint8_t>(i % 3),
                               id_of<ShareId>(static_cast<Byte>(0x80 + i)),
                               *SiteName::parse("sixteen-letters1")});
  }
  EXPECT_EQ(parse_slot(encode_slot({header, 1, 3}), "x")->header, header);
}

// No byte of the header is unchecked.
TEST(ShareHeaders, EveryFlippedByteIsFound) {
  const Bytes good = encode_slot({sample(), 9, 2});
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const Byte flip : {Byte{0x01}, Byte{0x80}, Byte{0xff}}) {
      Bytes bad = good;
      bad[at] = static_cast<Byte>(bad[at] ^ flip);
      const auto parsed = parse_slot(bad, "/store/a.share");
      ASSERT_FALSE(parsed) << at;
      ASSERT_EQ(parsed.error().code, Code::kCorrupt) << at;
      ASSERT_NE(parsed.error().message.find("/store/a.share"), std::string::npos) << at;
    }
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kHeaderBytes - 1}) {
    EXPECT_EQ(parse_slot(ByteView(good).first(size), "x").error().code, Code::kCorrupt);
  }
}

// Under a good checksum too, nothing but canonical headers is accepted.
TEST(ShareHeaders, ForgedFieldsAreRefused) {
  const auto set = [](std::size_t at, Byte value) {
    return [at, value](Bytes& bytes) { bytes[at] = value; };
  };
  const auto zero16 = [](std::size_t at) {
    return [at](Bytes& bytes) { std::fill_n(bytes.begin() + static_cast<long>(at), 16, Byte{0}); };
  };
  const std::vector<std::pair<const char*, std::function<void(Bytes&)>>> cases = {
      {"version 2", set(8, 2)},
      {"unknown flag", set(10, 3)},
      {"unknown scheme", set(12, 2)},
      {"index 3", set(14, 3)},
      {"level 2", set(15, 2)},
      {"level 0 with a parent", set(15, 0)},
      {"share id zero", zero16(28)},
      {"object id zero", zero16(44)},
      {"nested without parent", zero16(60)},
      {"its own parent", [](Bytes& b) { std::copy_n(b.begin() + 28, 16, b.begin() + 60); }},
      {"chunk bytes not a multiple of 32", set(92, 97)},
      {"tag bytes", set(96, 16)},
      {"chunk count", set(100, 4)},
      {"object length zero",
       [](Bytes& b) {
         b[100] = 0;
         b[108] = 0;
       }},
      {"durable beyond count", set(116, 4)},
      {"created before 1970", set(131, 0xff)},
      {"nine siblings", set(132, 9)},
      {"sibling index", set(136, 3)},
      {"sibling without site", zero16(153)},
      {"sibling twice", [](Bytes& b) { std::copy_n(b.begin() + 137, 16, b.begin() + 170); }},
      {"unused sibling not zero", set(136 + 2 * 33, 1)},
      {"policy too long",
       [](Bytes& b) {
         b[400] = 1;
         b[401] = 2;
       }},
      {"bytes after the policy", set(402 + 500, 'x')},
      {"control character in the policy", set(402, '\n')},
      {"reserved not zero", set(2000, 1)},
  };
  ASSERT_TRUE(parse_slot(forged([](Bytes&) {}), "x"));
  for (const auto& [name, change] : cases) {
    const auto parsed = parse_slot(forged(change), "/store/a.share");
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().code, Code::kCorrupt) << name;
  }
}

TEST(ShareHeaders, CallersMistakesAreNamed) {
  ShareHeader header = sample();
  header.policy = std::string(kMaxPolicyBytes + 1, 'p');
  EXPECT_EQ(check_header(header).error().code, Code::kInvalidArgument);
  header = sample();
  header.siblings.resize(kMaxSiblings + 1, header.siblings[0]);
  EXPECT_NE(check_header(header).error().message.find("at most 8 siblings"), std::string::npos);
  header = sample();
  header.chunk_bytes = limits::kChunkBytes + 32;
  EXPECT_FALSE(check_header(header));
}

TEST(ShareLayouts, RecordsDoNotShareDiskBlocks) {
  for (const std::uint64_t length : {1u, 31u, 32u, 33u, 95u, 96u, 97u, 192u, 200u, 9600u, 9601u}) {
    ShareHeader header = sample();
    header.object_length = length;
    header.chunk_count = chunk_count_of(length, header.chunk_bytes);
    const ShareLayout layout(header);
    std::uint64_t sum = 0;
    std::uint64_t end = kRecordsStart;
    for (std::uint64_t i = 0; i < header.chunk_count; ++i) {
      EXPECT_EQ(layout.record_offset({i}) % kDiskBlockBytes, 0u);
      EXPECT_GE(layout.record_offset({i}), end);
      EXPECT_LT(layout.record_offset({i}), end + kDiskBlockBytes);
      EXPECT_EQ(layout.record_length({i}) % kWordBytes, 0u);
      end = layout.record_offset({i}) + layout.record_length({i});
      sum += layout.record_length({i});
      EXPECT_EQ(layout.whole_records(end), i + 1);
      EXPECT_EQ(layout.whole_records(end - 1), i);
      EXPECT_EQ(layout.records_length({0}, i + 1), sum);
    }
    EXPECT_EQ(layout.file_bytes(), end);
    EXPECT_EQ(layout.record_offset({header.chunk_count}), end);
    EXPECT_EQ(layout.records_length({header.chunk_count}, 0), 0u);
    EXPECT_EQ(layout.whole_records(0), 0u);
  }
}

TEST(ShareLayouts, LargestObject) {
  ShareHeader header = sample();
  header.chunk_bytes = limits::kChunkBytes;
  header.object_length = limits::kMaxObjectBytes;
  header.chunk_count = chunk_count_of(header.object_length, header.chunk_bytes);
  ASSERT_TRUE(check_header(header));
  EXPECT_EQ(ShareLayout(header).file_bytes(),
            kRecordsStart + (header.chunk_count - 1) * (65 * 4096) + limits::kMaxRecordBytes);
  header.object_length += 1;
  EXPECT_FALSE(check_header(header));
}

}  // namespace
}  // namespace warifu::store
