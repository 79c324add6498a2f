// Frames of the stream socket in both directions, and one end's queue.
#include "kme/key_stream.h"

#include <gtest/gtest.h>

#include "kme/material.h"
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

}  // namespace
}  // namespace warifu::kme
