// Frames of the stream socket in both directions, one end's queue, and pauses and quotas.
#include "kme/key_stream.h"

#include <gtest/gtest.h>

#include "kme/material.h"
#include "kme/sae_gate.h"
#include "kme/stream_message.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::kme {
namespace {

using namespace std::chrono_literals;

KeyStreamId some_id(Byte fill) {
  return KeyStreamId::from_view(Bytes(16, fill));
}

TEST(StreamFrames, WhatIsWrittenReadsBack) {
  StreamOpenRequest request{.source = "A", .destination = "B", .qos = {}, .id = some_id(7)};
  request.qos = {1024, 2, 3, 4, 5, 6, 7, "application/json"};
  EXPECT_EQ(*decode_stream_open(encode(request)), request);
  const StreamOpenAnswer answer{StreamStatus::kQosNotMet, request.qos, some_id(1)};
  EXPECT_EQ(*decode_stream_opened(encode(answer)), answer);
  const StreamGetRequest get{some_id(2), 5, 512};
  EXPECT_EQ(*decode_stream_get(encode(get)), get);
  EXPECT_EQ(*decode_stream_close(encode_stream_close(some_id(3))), some_id(3));
  const StreamHeaderBytes header = encode(StreamHeader{StreamService::kGetRequest, 24});
  EXPECT_EQ(to_hex(header), "0100010400000018");  // as the standard's reference code writes it
  EXPECT_EQ(stream_id_text(*parse_stream_id("00112233-4455-6677-8899-aabbccddeeff")),
            "00112233-4455-6677-8899-aabbccddeeff");
}

TEST(StreamFrames, EveryCutAndEveryBentByteIsAnErrorOrReadsBack) {
  const Bytes good = encode(StreamOpenRequest{"SAE-A", "SAE-B", {64}, some_id(9)});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_stream_open(ByteView(good).first(size))) << size;
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bent = good;
    bent[at] ^= 0x55;
    const auto read = decode_stream_open(bent);
    if (read) {
      EXPECT_EQ(*decode_stream_open(encode(*read)), *read);
    }
  }
  EXPECT_FALSE(decode_stream_header(Bytes{1, 0, 1, 2, 0, 0, 4, 1}));  // 1025 bytes
  EXPECT_TRUE(decode_stream_header(Bytes{1, 0, 1, 2, 0, 0, 4, 0}));
  EXPECT_FALSE(decode_stream_header(Bytes{1, 0, 1, 6, 0, 0, 0, 0}));
  EXPECT_FALSE(decode_stream_note(encode(StreamNote{some_id(1), StreamNote::Kind{6}, 0})));
  EXPECT_FALSE(decode_stream_opening(encode(StreamOpening{some_id(1), "A", "B", 24, 1})));
}

// Frames whose every chunk is filled with its index.
DrawnFrames frames_of(std::uint32_t first, std::size_t frames, std::size_t chunks) {
  DrawnFrames drawn{{}, {keypool::Origin::kHardware}};
  for (std::size_t i = 0; i < frames; ++i) {
    secret::Buffer& frame = drawn.frames.emplace_back(chunks * 16);
    for (Byte& byte : frame.bytes()) {
      byte = static_cast<Byte>(first + (&byte - frame.bytes().data()) / 16);
    }
    first += static_cast<std::uint32_t>(chunks);
  }
  return drawn;
}

class KeyStreamTest : public testing::Test {
 protected:
  StreamStatus status_of(std::uint32_t index) {
    const auto chunk = stream.take(index, 1ms);
    return chunk ? StreamStatus::kOk : chunk.error();
  }
  void expect_chunk(std::uint32_t asked, std::uint32_t index) {
    const auto chunk = stream.take(asked, 0ms);
    ASSERT_TRUE(chunk);
    EXPECT_EQ(chunk->index(), index);
    EXPECT_EQ(chunk->bytes().size(), 16u);
    for (const Byte byte : chunk->bytes()) EXPECT_EQ(byte, static_cast<Byte>(index));
  }
  KeyStream stream{KeyStream::Terms{.id = some_id(1),
                                    .source = "A",
                                    .destination = "B",
                                    .peer = *SiteName::parse("b"),
                                    .at_source = true,
                                    .chunk_bytes = 16}};
};

TEST_F(KeyStreamTest, ChunksComeInOrderAcrossFramesAndEachOnce) {
  stream.put(frames_of(0, 3, 2), {});
  EXPECT_EQ(status_of(kNextChunk), StreamStatus::kPeerNotConnected);
  stream.join();
  for (std::uint32_t i = 0; i < 3; ++i) expect_chunk(i % 2 == 0 ? kNextChunk : i, i);
  EXPECT_EQ(status_of(2), StreamStatus::kChunkGone);
  expect_chunk(4, 4);
  EXPECT_EQ(status_of(3), StreamStatus::kChunkGone);
  expect_chunk(kNextChunk, 5);
  EXPECT_EQ(status_of(kNextChunk), StreamStatus::kInsufficientKey);
  EXPECT_EQ(stream.progress().starved, 2u);
  stream.put(frames_of(6, 1, 1), {});
  expect_chunk(6, 6);
}

TEST_F(KeyStreamTest, AChunkIsWipedWhenItWasGiven) {
  stream.join();
  stream.put(frames_of(1, 1, 2), {});
  ByteView seen;
  {
    const auto chunk = stream.take(kNextChunk, 0ms);
    ASSERT_TRUE(chunk);
    seen = chunk->bytes();
    EXPECT_EQ(seen[0], 1);
  }
  EXPECT_EQ(seen[0], 0);  // its frame still holds the other chunk
}

TEST_F(KeyStreamTest, EndsOfAllKinds) {
  stream.join();
  stream.put(frames_of(0, 1, 2), {});
  stream.peer_closed();
  stream.put(frames_of(2, 1, 2), {});  // comes too late
  expect_chunk(kNextChunk, 0);
  expect_chunk(kNextChunk, 1);
  EXPECT_EQ(status_of(kNextChunk), StreamStatus::kPeerNotConnected);
  stream.break_off();
  EXPECT_EQ(status_of(kNextChunk), StreamStatus::kNoConnection);
  stream.close();
  EXPECT_EQ(status_of(kNextChunk), StreamStatus::kNoConnection);

  KeyStream other(stream.terms());
  other.join();
  other.put(frames_of(0, 1, 1), {});
  other.close();
  EXPECT_EQ(other.take(kNextChunk, 0ms).error(), StreamStatus::kNoStream);
}

TEST(Material, TheLongestFits) {
  Material material{.id = std::string(36, 'f') + "/4294967294",
                    .kind = Material::Kind::kKey,
                    .origins = {},
                    .link = std::string(16, 'x'),
                    .direction = Material::Direction::kReceive,
                    .bytes = limits::kMaxFramePayload};
  for (std::uint8_t i = 0; i < 16; ++i) {
    if (const auto origin = keypool::origin_from_number(i)) material.origins.insert(*origin);
  }
  EXPECT_EQ(material.origins.size(), 7u);
  EXPECT_LE(to_json(material).size(), kMaxMaterialJson);
}

class SaeGateTest : public testing::Test {
 protected:
  std::unique_ptr<SaeGate> open() {
    auto gate = SaeGate::open({disk, clock, random}, "/site/paused", settings);
    EXPECT_TRUE(gate) << gate.error().message;
    return gate ? std::move(*gate) : nullptr;
  }
  void SetUp() override {
    settings.saes = {{.id = "A", .quota = 3600}, {.id = "B"}};
    ASSERT_TRUE(disk.make_directories("/site"));
    disk.sync_dir("/");
  }
  sim::SimDisk disk;
  sim::SimClock clock;
  sim::SimRandom random{1};
  SaeSettings settings;
};

TEST_F(SaeGateTest, AQuotaFillsEvenlyAndIsAllOrNothing) {
  const auto gate = open();
  EXPECT_TRUE(gate->charge("A", 3600));
  EXPECT_EQ(gate->charge("A", 1).error().code, Code::kOutOfKey);
  clock.advance(10s);
  EXPECT_EQ(gate->charge("A", 11).error().code, Code::kOutOfKey);
  EXPECT_TRUE(gate->charge("A", 10));
  gate->refund("A", 5);
  EXPECT_EQ(gate->quota("A")->left_bytes, 5u);
  clock.advance(100000s);
  EXPECT_EQ(gate->quota("A")->left_bytes, 3600u);
  EXPECT_FALSE(gate->quota("B"));
  EXPECT_TRUE(gate->charge("B", 1 << 30));
}

// The power goes at every change of the disk, and leaves several images each time.
TEST_F(SaeGateTest, APauseThatWasToldHoldsWhereverThePowerGoes) {
  const SiteName peer = *SiteName::parse("lsa");
  std::uint64_t states = 0;
  for (std::uint64_t crash = 1, died = 1; died == 1; ++crash) {
    sim::SimDisk torn;
    ASSERT_TRUE(torn.make_directories("/site"));
    torn.sync_dir("/");
    torn.crash_at(crash);
    int told = 0;
    died = 0;
    try {
      auto gate = SaeGate::open({torn, clock, random}, "/site/paused", settings);
      told += gate && (*gate)->pause_sae("A", true);
      told += (*gate)->pause_link(peer, true).has_value();
      told += (*gate)->pause_sae("A", false).has_value();
    } catch (const sim::SimCrash&) {
      died = 1;
    }
    for (std::uint64_t image = 0; image < 8; ++image, ++states) {
      const auto left = torn.crash_image(crash * 100 + image);
      const auto gate = SaeGate::open({*left, clock, random}, "/site/paused", settings);
      ASSERT_TRUE(gate) << gate.error().message;
      const bool sae = (*gate)->is_sae_paused("A"), link = (*gate)->is_link_paused(peer);
      if (told == 1) {
        EXPECT_TRUE(sae);
      }
      if (told >= 2) {
        EXPECT_TRUE(link);
      }
      if (told == 3) {
        EXPECT_FALSE(sae);
      }
    }
  }
  EXPECT_GT(states, 50u);
}

TEST_F(SaeGateTest, ABentFileOfPausesIsNamed) {
  for (const std::string_view text : {"sae \n", "link X Y\n", "sae A", "who A\n", "\n"}) {
    ASSERT_TRUE(os::replace_file(disk, "/site/paused", as_bytes(text)));
    const auto gate = SaeGate::open({disk, clock, random}, "/site/paused", settings);
    ASSERT_FALSE(gate) << text;
  }
}

}  // namespace
}  // namespace warifu::kme
