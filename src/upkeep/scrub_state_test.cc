// The record of scrubbing comes back, and a damaged one begins anew.
#include "upkeep/scrub_state.h"

#include <gtest/gtest.h>

#include "testing/sim_disk.h"

namespace warifu::upkeep {
namespace {

ScrubState sample() {
  ScrubState state{
      .passes = 3, .started = {5000}, .finished = {4000}, .record = 7, .read_bytes = 99};
  state.at.bytes.fill(4);
  ShareId share;
  share.bytes.fill(9);
  state.damage[share] = {"record 3 has rotted", {4500}, true};
  return state;
}

TEST(ScrubStates, RoundTripAndEveryFlippedByteIsFound) {
  const Bytes good = encode(sample());
  EXPECT_EQ(*decode_scrub_state(good), sample());
  EXPECT_EQ(*decode_scrub_state(encode(ScrubState())), ScrubState());
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 0x20;
    EXPECT_EQ(decode_scrub_state(bad).error().code, Code::kCorrupt) << at;
    EXPECT_FALSE(decode_scrub_state(ByteView(good).first(at)));
  }
}

TEST(ScrubStates, OldOrNewAfterAPowerLossAndNewWhenDamaged) {
  for (std::uint64_t change = 1;; ++change) {
    sim::SimDisk disk;
    ASSERT_TRUE(disk.make_directories("site"));
    disk.sync_dir(".");
    ASSERT_TRUE(save_scrub_state(disk, "site/scrub", ScrubState{.passes = 1}));
    disk.crash_at(disk.changes() + change);
    bool crashed = false;
    try {
      ASSERT_TRUE(save_scrub_state(disk, "site/scrub", sample()));
    } catch (const sim::SimCrash&) {
      crashed = true;
    }
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const auto image = disk.crash_image(seed);
      const auto state = load_scrub_state(*image, "site/scrub");
      ASSERT_TRUE(state);
      EXPECT_TRUE(*state == sample() || state->passes == 1);
    }
    if (!crashed) break;
  }
  sim::SimDisk disk;
  ASSERT_TRUE(disk.make_directories("site"));
  EXPECT_EQ(*load_scrub_state(disk, "site/scrub"), ScrubState());
  auto file = *disk.open("site/scrub", os::OpenMode::kOpenOrCreate);
  ASSERT_TRUE(file->write_at(0, Bytes(40, 3)));
  EXPECT_EQ(*load_scrub_state(disk, "site/scrub"), ScrubState());
}

}  // namespace
}  // namespace warifu::upkeep
