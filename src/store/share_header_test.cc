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
  header.path = *sharing::SharePath::parse("C3");
  header.computational = true;
  header.drawn = true;
  header.entropy_origins = 0x12;
  header.generation = 7;
  header.chunk_bytes = 96;
  header.object_length = 200;
  header.chunk_count = 3;
  header.full_record_bytes = 128;
  header.last_record_bytes = 64;
  header.created = {1'795'000'000'000};
  header.siblings = {{0, id_of<ShareId>(0x55), *SiteName::parse("tommo")},
                     {1, id_of<ShareId>(0x66), *SiteName::parse("lsa")}};
  header.policy = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";
  return header;
}

void set_records(ShareHeader& header) {
  const sharing::RecordLayout records =
      sharing::RecordLayout(sharing::Chunking{{header.object_length}, header.chunk_bytes})
          .below(header.scheme);
  header.full_record_bytes = records.full_bytes();
  header.last_record_bytes = records.last_bytes();
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
  EXPECT_EQ(bytes[8], 4);

  ShareHeader checked = sample();
  checked.check_key = {7};
  checked.lead_chunks = 2;
  const Bytes with_key = encode_slot({checked, 9, 2});
  EXPECT_EQ(with_key[8], 4);
  EXPECT_EQ(with_key[2238], 7);
  EXPECT_EQ(with_key[2254], 2);
  EXPECT_EQ(parse_slot(with_key, "x")->header, checked);

  ShareHeader plain = sample();
  plain.siblings.clear();
  plain.policy.clear();
  plain.path = *sharing::SharePath::parse("C");
  plain.parent = {};
  plain.computational = false;
  plain.drawn = false;
  plain.entropy_origins = 0;
  EXPECT_EQ(parse_slot(encode_slot({plain, 1, 0}), "x")->header, plain);
}

TEST(ShareHeaders, FullestHeaderFits) {
  ShareHeader header = sample();
  header.policy = std::string(kMaxPolicyBytes, 'p');
  header.siblings.clear();
  header.scheme = *sharing::Scheme::threshold_of(16, 32);
  for (Byte i = 0; i < kMaxSiblings; ++i) {
    header.siblings.push_back(
        {i, id_of<ShareId>(static_cast<Byte>(0x80 + i)), *SiteName::parse("sixteen-letters1")});
  }
  EXPECT_EQ(parse_slot(encode_slot({header, 1, 3}), "x")->header, header);
}

TEST(ShareHeaders, EverySchemeHasItsRecordLengths) {
  std::vector<sharing::Scheme> schemes = {sharing::Scheme::ramp()};
  for (const auto& [k, n] : {std::pair{2u, 2u}, {2u, 3u}, {3u, 4u}, {2u, 32u}, {32u, 32u}}) {
    schemes.push_back(*sharing::Scheme::threshold_of(k, n));
  }
  for (const sharing::Scheme& scheme : schemes) {
    ShareHeader header = sample();
    header.siblings.clear();
    header.scheme = scheme;
    header.path = sharing::SharePath().part(scheme.shares - 1U);
    header.parent = {};
    set_records(header);
    EXPECT_EQ(parse_slot(encode_slot({header, 1, 3}), "x")->header, header) << scheme.text();
    EXPECT_EQ(cut_records_of(header).full_bytes(), 128u);
    EXPECT_EQ(records_of(header).full_bytes(), header.full_record_bytes);
    if (scheme.shares == sharing::kMaxShares) continue;  // no path can name one more
    header.path = sharing::SharePath().part(scheme.shares);
    EXPECT_FALSE(check_header(header)) << scheme.text();
  }
}

// A share of a ramp share is half as long; at the top that length fits nothing.
TEST(ShareHeaders, ANestedShareTellsHowLongItsParentWas) {
  ShareHeader header = sample();
  header.full_record_bytes = 64;
  header.last_record_bytes = 32;
  ASSERT_TRUE(check_header(header)) << check_header(header).error().message;
  EXPECT_EQ(cut_records_of(header).full_bytes(), 64u);
  EXPECT_EQ(ShareLayout(header).record_length({2}), 32u);
  header.full_record_bytes = 32;  // two ramps above: the path is too short for that
  EXPECT_FALSE(check_header(header));
  header.path = *sharing::SharePath::parse("C3a");
  ASSERT_TRUE(check_header(header)) << check_header(header).error().message;
  EXPECT_EQ(cut_records_of(header).full_bytes(), 32u);
  header.full_record_bytes = 64;
  header.path = *sharing::SharePath::parse("C");
  header.parent = {};
  EXPECT_FALSE(check_header(header));
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
      {"version 1", set(8, 1)},
      {"version 2", set(8, 2)},
      {"version 3", set(8, 3)},
      {"version 5", set(8, 5)},
      {"unknown flag", set(10, 7)},
      {"scheme of another kind", set(12, 2)},
      {"unknown scheme", set(12, 9)},
      {"threshold 1", set(14, 1)},
      {"threshold above the shares", set(14, 4)},
      {"33 shares",
       [](Bytes& b) {
         b[12] = 2;
         b[15] = 33;
       }},
      {"share 3 of 3", set(18, 3)},
      {"a lead as long as the object", set(2254, 3)},
      {"no step", [](Bytes& b) { std::fill_n(b.begin() + 16, 3, Byte{0}); }},
      {"ten steps", set(16, 10)},
      {"a step of 32", set(17, 32)},
      {"a step behind the last", set(19, 1)},
      {"a top share with a parent",
       [](Bytes& b) {
         b[16] = 1;
         b[18] = 0;
       }},
      {"origin number 0", set(26, 1)},
      {"share id zero", zero16(40)},
      {"object id zero", zero16(56)},
      {"nested without parent", zero16(72)},
      {"its own parent", [](Bytes& b) { std::copy_n(b.begin() + 40, 16, b.begin() + 72); }},
      {"chunk bytes not a multiple of 32", set(104, 97)},
      {"tag bytes", set(108, 16)},
      {"length of full records", set(112, 96)},
      {"length of the last record", set(116, 96)},
      {"chunk count", set(120, 4)},
      {"object length zero",
       [](Bytes& b) {
         b[120] = 0;
         b[128] = 0;
       }},
      {"durable beyond count", set(136, 4)},
      {"created before 1970", set(151, 0xff)},
      {"33 siblings", set(152, 33)},
      {"sibling index", set(156, 3)},
      {"two siblings of one index", set(156, 1)},
      {"sibling without site", zero16(173)},
      {"sibling twice", [](Bytes& b) { std::copy_n(b.begin() + 157, 16, b.begin() + 190); }},
      {"unused sibling not zero", set(156 + 2 * 33, 1)},
      {"policy too long",
       [](Bytes& b) {
         b[1212] = 1;
         b[1213] = 4;
       }},
      {"bytes after the policy", set(1214 + 500, 'x')},
      {"control character in the policy", set(1214, '\n')},
      {"reserved not zero", set(2500, 1)},
  };
  ASSERT_TRUE(parse_slot(forged([](Bytes&) {}), "x"));
  for (const auto& [name, change] : cases) {
    const auto parsed = parse_slot(forged(change), "/store/a.share");
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().code, Code::kCorrupt) << name;
  }
}

TEST(ShareHeaders, OlderVersionsAreRefusedByName) {
  const auto parsed = parse_slot(forged([](Bytes& b) { b[8] = 1; }), "x");
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("format version 1; this program reads version 4 only"),
            std::string::npos)
      << parsed.error().message;
}

TEST(ShareHeaders, CallersMistakesAreNamed) {
  ShareHeader header = sample();
  header.policy = std::string(kMaxPolicyBytes + 1, 'p');
  EXPECT_EQ(check_header(header).error().code, Code::kInvalidArgument);
  header = sample();
  header.siblings.resize(kMaxSiblings + 1, header.siblings[0]);
  EXPECT_NE(check_header(header).error().message.find("at most 32 siblings"), std::string::npos);
  header = sample();
  header.chunk_bytes = limits::kChunkBytes + 32;
  EXPECT_FALSE(check_header(header));
}

TEST(ShareLayouts, RecordsDoNotShareDiskBlocks) {
  for (const std::uint64_t length : {1u, 31u, 32u, 33u, 95u, 96u, 97u, 192u, 200u, 9600u, 9601u}) {
    ShareHeader header = sample();
    header.object_length = length;
    header.chunk_count = chunk_count_of(length, header.chunk_bytes);
    set_records(header);
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

TEST(ShareLayouts, AChecksPlaceIsBehindItsRecordAndInNoOthersBlock) {
  for (const std::uint64_t length : {1u, 96u, 97u, 9600u}) {
    ShareHeader header = sample();
    header.check_key = {1};
    header.object_length = length;
    header.chunk_bytes = 4064;  // a record of exactly one disk block
    header.chunk_count = chunk_count_of(length, header.chunk_bytes);
    set_records(header);
    const ShareLayout layout(header);
    for (std::uint64_t i = 0; i < header.chunk_count; ++i) {
      EXPECT_EQ(layout.check_offset({i}), layout.record_offset({i}) + layout.record_length({i}));
      EXPECT_EQ(layout.gap_offset({i}), layout.check_offset({i}) + kCheckBytes);
      EXPECT_LE(layout.gap_offset({i}), layout.record_offset({i + 1}));
      EXPECT_EQ(layout.whole_records(layout.gap_offset({i})), i + 1);
      EXPECT_EQ(layout.whole_records(layout.gap_offset({i}) - 1), i);
    }
    EXPECT_EQ(layout.file_bytes(), layout.gap_offset({header.chunk_count - 1}));
  }
}

TEST(ShareLayouts, LargestObject) {
  ShareHeader header = sample();
  header.chunk_bytes = limits::kChunkBytes;
  header.object_length = limits::kMaxObjectBytes;
  header.chunk_count = chunk_count_of(header.object_length, header.chunk_bytes);
  set_records(header);
  ASSERT_TRUE(check_header(header));
  EXPECT_EQ(ShareLayout(header).file_bytes(),
            kRecordsStart + (header.chunk_count - 1) * (65 * 4096) + limits::kMaxRecordBytes);
  header.object_length += 1;
  EXPECT_FALSE(check_header(header));
}

}  // namespace
}  // namespace warifu::store
