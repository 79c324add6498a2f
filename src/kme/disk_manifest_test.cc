// Manifests: dividing, encoding, and what is refused; thousands of damaged inputs.
#include "kme/disk_manifest.h"

#include <gtest/gtest.h>

#include "kme/disk_message.h"
#include "kme/padded_hash.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::kme {
namespace {

SiteName site(const char* name) {
  return *SiteName::parse(name);
}

class ManifestTest : public ::testing::Test {
 protected:
  os::System system() { return {disk_, clock_, random_}; }
  DiskPlan plan(std::uint64_t ab, std::uint64_t ba, std::uint64_t piece) {
    return {.link = LinkId::from_view(Bytes(16, 5)),
            .a = site("tuh"),
            .b = site("cloud1"),
            .bases = {PadOffset{1000}, PadOffset{77}},
            .lengths = {ab, ba},
            .piece_bytes = piece};
  }
  DiskManifest sample() {
    DiskManifest manifest = *plan_disk_set(plan(40'000'000, 3'000'000, 8'000'000), system());
    for (DiskPiece& piece : manifest.pieces) random_.fill(piece.tag);
    manifest.made = static_cast<std::uint32_t>(manifest.pieces.size());
    return manifest;
  }
  // The same with a tag that fits, as somebody makes it who can.
  static Bytes signed_again(Bytes bytes) {
    const std::size_t body = bytes.size() - 32;
    const mac::Key key(ByteView(bytes).subspan(body, 16));
    mac::Hasher hasher(key);
    hash_padded(hasher, ByteView(bytes).first(106));
    hash_padded(hasher, ByteView(bytes).subspan(106, body - 106));
    copy_bytes(MutableBytes(bytes).last(16), hasher.finish());
    return bytes;
  }
  sim::SimDisk disk_;
  sim::SimClock clock_;
  sim::SimRandom random_{7};
};

TEST_F(ManifestTest, PiecesCoverBothDirectionsWithoutGaps) {
  for (const auto& [ab, ba, piece] : {std::tuple{1ULL << 32, 1ULL << 30, 1ULL << 28},
                                      {10'000'001ULL, 0ULL, 1ULL << 20},
                                      {100ULL, 100ULL, 1ULL << 20},
                                      {1ULL, 0ULL, 1ULL << 30},
                                      {1ULL << 42, 1ULL << 42, 1ULL << 30},
                                      {262'144ULL * 8, 262'144ULL * 9 + 1, 1ULL << 20}}) {
    const auto manifest = plan_disk_set(plan(ab, ba, piece), system());
    ASSERT_TRUE(manifest);
    std::array<PadOffset, 2> at = {PadOffset{1000}, PadOffset{77}};
    for (const DiskPiece& one : manifest->pieces) {
      EXPECT_GT(one.bytes(), 0u);
      EXPECT_LE(one.bytes(), piece + 2 * 65'536);
      for (const DiskWay way : kDiskWays) {
        EXPECT_EQ(one.begin[way], at[way]);
        at[way] = one.end(way);
      }
    }
    EXPECT_EQ(at[0].value, 1000 + ab);
    EXPECT_EQ(at[1].value, 77 + ba);
    EXPECT_EQ(manifest->bytes_in(manifest->pieces.size()), ab + ba);
    EXPECT_LE(manifest->pieces[0].length[0], kStartPieceBytes);
  }
}

TEST_F(ManifestTest, SizesOutOfRangeAreRefused) {
  for (const auto& [ab, ba, piece] : {std::tuple{0ULL, 0ULL, 1ULL << 30},
                                      {1ULL << 51, 0ULL, 1ULL << 30},
                                      {1ULL, 1ULL, 1000ULL},
                                      {1ULL, 1ULL, 1ULL << 37},
                                      {1ULL << 42, 1ULL << 42, 1ULL << 20}}) {
    const auto manifest = plan_disk_set(plan(ab, ba, piece), system());
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().code, Code::kInvalidArgument);
  }
}

TEST_F(ManifestTest, ComesBackAsItWas) {
  const DiskManifest manifest = sample();
  const auto again = decode_disk_manifest(encode(manifest), "m");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(same_plan(manifest, *again));
  EXPECT_EQ(again->set, manifest.set);
  EXPECT_EQ(again->made, manifest.made);
  EXPECT_EQ(again->created.value, manifest.created.value);
  EXPECT_EQ(again->pieces.back().tag, manifest.pieces.back().tag);
  EXPECT_EQ(encode(*again), encode(manifest));
}

TEST_F(ManifestTest, EveryFlippedBitAndEveryCutIsRefused) {
  const Bytes good = encode(sample());
  std::size_t tried = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit, ++tried) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<Byte>(1U << (bit % 8));
    const auto decoded = decode_disk_manifest(bad, "m");
    ASSERT_FALSE(decoded) << "bit " << bit;
    EXPECT_EQ(decoded.error().code, Code::kCorrupt);
    EXPECT_NE(decoded.error().message.find("'m'"), std::string::npos);
  }
  for (std::size_t size = 0; size < good.size(); ++size, ++tried) {
    ASSERT_FALSE(decode_disk_manifest(ByteView(good).first(size), "m")) << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(decode_disk_manifest(longer, "m"));
  EXPECT_GT(tried, 5000u);
}

// Whoever writes a manifest can make its tag fit, so nothing may rest on the tag.
TEST_F(ManifestTest, DamageWithATagThatFitsNeverGivesPiecesWithGaps) {
  const Bytes good = encode(sample());
  sim::Dice dice(3);
  std::size_t accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes bad = good;
    for (std::uint64_t n = dice.between(1, 3); n > 0; --n) {
      bad[dice.below(bad.size() - 16)] = static_cast<Byte>(dice.next());
    }
    if (dice.one_in(8)) bad.resize(dice.between(138, bad.size()));
    const auto decoded = decode_disk_manifest(signed_again(bad), "m");
    if (!decoded) continue;
    ++accepted;  // an id, a time, a tag, a name
    ASSERT_LE(decoded->made, decoded->pieces.size());
    for (std::size_t p = 0; p < decoded->pieces.size(); ++p) {
      const DiskPiece& piece = decoded->pieces[p];
      ASSERT_GT(piece.bytes(), 0u);
      ASSERT_LE(piece.bytes(), kMaxPieceBytes);
      for (const DiskWay way : kDiskWays) {
        if (p > 0) {
          ASSERT_EQ(piece.begin[way], decoded->pieces[p - 1].end(way));
        }
      }
    }
  }
  EXPECT_GT(accepted, 100u);
}

TEST_F(ManifestTest, EachDefectIsNamed) {
  const DiskManifest good = sample();
  const auto refused = [&](auto change, const char* why) {
    DiskManifest bad = good;
    change(bad);
    const auto decoded = decode_disk_manifest(encode(bad), "m");
    ASSERT_FALSE(decoded) << why;
    EXPECT_NE(decoded.error().message.find(why), std::string::npos) << decoded.error().message;
  };
  refused([](DiskManifest& m) { m.b = m.a; }, "one name");
  refused([](DiskManifest& m) { m.pieces[3].begin[1].value += 1; }, "piece 3 does not follow");
  refused([](DiskManifest& m) { m.pieces[2].length[0] -= 1; }, "piece 3 does not follow");
  refused([](DiskManifest& m) { m.pieces.back().length = {0, 0}; }, "impossible length");
  refused([](DiskManifest& m) { m.pieces.back().length[0] = kMaxPieceBytes + 1; }, "impossible");
  EXPECT_NE(decode_disk_manifest(Bytes(500, 1), "m").error().message.find("no disk set"),
            std::string::npos);
}

TEST_F(ManifestTest, MessagesComeBackAndGarbageIsRefused) {
  DiskQuestion question{.order = DiskTalk::kCompare, .piece = 4, .first = 8, .count = 8};
  question.key = secret::Buffer(16);
  random_.fill(question.key.bytes());
  const Bytes good = encode(question);
  const auto again = decode_disk_question(good);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->piece, 4u);
  EXPECT_TRUE(secret::equal(again->key.bytes(), question.key.bytes()));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_disk_question(ByteView(good).first(size)));
  }
  sim::Dice dice(5);
  for (int i = 0; i < 5000; ++i) {
    Bytes noise(dice.below(60));
    dice.fill(noise);
    const auto decoded = decode_disk_question(noise);
    if (decoded) {
      EXPECT_LT(decoded->piece, kMaxDiskPieces);
    }
  }
  EXPECT_TRUE(decode_disk_note(encode(DiskNote{5, 3})));
  EXPECT_FALSE(decode_disk_note(encode(DiskNote{3, 5})));
  EXPECT_FALSE(decode_disk_note(encode(DiskNote{kMaxDiskPieces + 1, 5})));
}

}  // namespace
}  // namespace warifu::kme
