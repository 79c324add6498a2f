// Making a set on the simulated disk: two equal copies wherever the power goes, and what is
// refused.
#include "kme/disk_maker.h"

#include <gtest/gtest.h>

#include <iostream>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::kme {
namespace {

using sim::SimDisk;

const std::array<std::string, 2> kFolders = {"/one/set", "/two/set"};

// Three small pieces, the last with one direction only.
DiskManifest small_plan(std::uint64_t seed) {
  DiskManifest manifest{.set = DiskSetId::from_view(Bytes(16, static_cast<Byte>(seed))),
                        .link = LinkId::from_view(Bytes(16, 5)),
                        .a = *SiteName::parse("a"),
                        .b = *SiteName::parse("b")};
  manifest.pieces = {{.begin = {PadOffset{10}, PadOffset{20}}, .length = {100, 50}},
                     {.begin = {PadOffset{110}, PadOffset{70}}, .length = {333, 444}},
                     {.begin = {PadOffset{443}, PadOffset{514}}, .length = {1000, 0}}};
  return manifest;
}

struct Maker {
  std::unique_ptr<SimDisk> disk = std::make_unique<SimDisk>();
  sim::SimClock clock;
  sim::SimRandom random;
  explicit Maker(std::uint64_t seed) : random(seed) {
    for (const char* folder : {"/one", "/two"}) EXPECT_TRUE(disk->make_directories(folder));
    disk->sync_dir("/");
  }
  os::System system() { return {*disk, clock, random}; }
  Result<MadeDiskSet> make(const DiskManifest& plan,
                           const std::array<std::string, 2>& folders = kFolders) {
    return make_disk_set(system(), plan, folders, {});
  }
  Bytes read(const std::string& path) { return *os::read_file(*disk, path, 1 << 20); }
  void check_copies(std::uint32_t pieces) {
    for (std::uint32_t piece = 0; piece < pieces; ++piece) {
      EXPECT_EQ(read(piece_path(kFolders[0], piece)), read(piece_path(kFolders[1], piece)));
    }
    EXPECT_EQ(read(manifest_path(kFolders[0])), read(manifest_path(kFolders[1])));
    for (const std::string& folder : kFolders) {
      const auto manifest = read_disk_manifest(*disk, folder);
      ASSERT_TRUE(manifest) << manifest.error().message;
      EXPECT_FALSE(disk->exists(unfinished_manifest_path(folder)));
      for (std::uint32_t piece = 0; piece < pieces; ++piece) {
        auto reader = DiskPieceReader::open(*disk, folder, *manifest, piece);
        ASSERT_TRUE(reader) << reader.error().message;
        EXPECT_TRUE(reader->verify({}));
      }
    }
  }
};

TEST(DiskMakerTest, TwoEqualCopies) {
  Maker maker(1);
  const auto made = maker.make(small_plan(1));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->kept, 0u);
  maker.check_copies(3);
  // Again: nothing is drawn anew.
  const Bytes before = maker.read(piece_path(kFolders[0], 1));
  const auto again = maker.make(small_plan(2));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kept, 3u);
  EXPECT_EQ(maker.read(piece_path(kFolders[0], 1)), before);
}

TEST(DiskMakerTest, WherePowerGoesTheCopiesBecomeEqualAndCountedPiecesStay) {
  std::uint64_t crashes = 0, kept = 0;
  bool died = true;
  for (std::uint64_t at = 1; died; ++at) {
    for (std::uint64_t tear = 0; tear < 4; ++tear) {
      Maker maker(at);
      maker.disk->crash_at(at);
      try {
        (void)maker.make(small_plan(1));
      } catch (const sim::SimCrash&) {
      }
      died = maker.disk->dead();
      if (!died) break;
      ++crashes;
      maker.disk = maker.disk->crash_image(at * 7 + tear);
      Bytes first;
      const auto manifest = read_manifest_file(*maker.disk, unfinished_manifest_path(kFolders[1]));
      if (manifest && manifest->made > 0) first = maker.read(piece_path(kFolders[0], 0));
      const auto made = maker.make(small_plan(2));
      ASSERT_TRUE(made) << at << ": " << made.error().message;
      maker.check_copies(3);
      if (!first.empty()) {
        EXPECT_EQ(maker.read(piece_path(kFolders[0], 0)), first) << at;
      }
      kept += made->kept;
    }
  }
  std::cout << crashes << " crashes, " << kept << " pieces kept\n";
  EXPECT_GT(crashes, 100u);
  EXPECT_GT(kept, 50u);
}

TEST(DiskMakerTest, OtherSetsAndHalfBroughtOnesAreLeftAlone) {
  Maker maker(1);
  ASSERT_TRUE(maker.make(small_plan(1)));
  const auto refused = [&](const DiskManifest& plan, const std::array<std::string, 2>& folders,
                           Code code, const char* why) {
    const auto made = maker.make(plan, folders);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, code);
    EXPECT_NE(made.error().message.find(why), std::string::npos) << made.error().message;
  };
  DiskManifest other = small_plan(2);
  other.pieces.pop_back();
  refused(other, kFolders, Code::kAlreadyExists, "other sizes");
  refused(small_plan(1), {"/one/set", "/three"}, Code::kAlreadyExists, "made already");
  refused(small_plan(1), {"/four", "/four"}, Code::kInvalidArgument, "twice");
  ASSERT_TRUE(maker.disk->remove(piece_path("/one/set", 1)));  // it was taken in and wiped
  refused(small_plan(1), kFolders, Code::kAlreadyExists, "made already");
  ASSERT_TRUE(maker.make(small_plan(3), {"/five", "/six"}));
  refused(small_plan(1), {"/two/set", "/six"}, Code::kAlreadyExists, "different disk sets");
}

TEST(DiskMakerTest, DamagedMissingAndForeignPiecesAreNamed) {
  Maker maker(1);
  ASSERT_TRUE(maker.make(small_plan(1)));
  ASSERT_TRUE(maker.make(small_plan(2), {"/five", "/six"}));
  const DiskManifest manifest = *read_disk_manifest(*maker.disk, "/one/set");
  const std::string path = piece_path("/one/set", 1);
  const Bytes good = maker.read(path);
  const auto refusal = [&](const Bytes& bytes) -> Error {
    EXPECT_TRUE(maker.disk->remove(path));
    {
      const auto file = *maker.disk->open(path, os::OpenMode::kCreate);
      EXPECT_TRUE(file->write_at(0, bytes));
    }
    auto reader = DiskPieceReader::open(*maker.disk, "/one/set", manifest, 1);
    if (!reader) return reader.error();
    const auto verified = reader->verify({});
    return verified ? Error{Code::kProtocol, "taken"} : verified.error();
  };
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 0x10;
    const Error error = refusal(bad);
    ASSERT_EQ(error.code, Code::kCorrupt) << at;
    ASSERT_NE(error.message.find("piece 1 ('/one/set/piece-000001', 777 B from place 110 of a-b"),
              std::string::npos)
        << error.message;
  }
  EXPECT_NE(refusal(Bytes(good.begin(), good.end() - 1)).message.find("856 bytes"),
            std::string::npos);
  EXPECT_NE(refusal(maker.read(piece_path("/five", 1))).message.find("is piece 1 of set 0202"),
            std::string::npos);
  ASSERT_TRUE(maker.disk->remove(path));
  const auto missing = DiskPieceReader::open(*maker.disk, "/one/set", manifest, 1);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("is missing"), std::string::npos);
}

}  // namespace
}  // namespace warifu::kme
