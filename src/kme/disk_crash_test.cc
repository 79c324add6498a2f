// A disk set on its way into both ends under power loss at every write of either: no byte is lost,
// used twice, out of order, or used before it is agreed; nothing is wiped before the far end has
// it.
#include <gtest/gtest.h>

#include <iostream>

#include "testing/disk_ends.h"

namespace warifu::kme {
namespace {

struct Tally {
  std::uint64_t crashes = 0, used = 0, wrong = 0, stuck = 0;
};

// Bytes that an end could use though they are not agreed.
std::uint64_t unconfirmed(DiskEnds& ends) {
  std::uint64_t bytes = 0;
  for (std::size_t end = 0; end < 2; ++end) {
    const DiskStatus status = ends.status(end);
    for (const DiskWay way : kDiskWays) {
      const PadOffset agreed =
          status.agreed == 0 ? ends.plan.base(way) : ends.plan.pieces[status.agreed - 1].end(way);
      const keypool::Pool& pool =
          (way == kAToB) == (end == 0) ? ends.link(end).send() : ends.link(end).receive();
      const PadOffset synced = pool.status().synced_end;
      if (synced > agreed) bytes += (synced - agreed).value;
    }
  }
  return bytes;
}

// Pieces that are gone from one disk though the other end does not hold them.
std::uint64_t wiped_too_early(DiskEnds& ends) {
  std::uint64_t pieces = 0;
  for (std::size_t end = 0; end < 2; ++end) {
    const auto other = ends.intakes[1 - end]->status();
    const auto own = ends.intakes[end]->status();
    for (std::uint32_t piece = 0; piece < ends.plan.pieces.size(); ++piece) {
      if (ends.disks[end]->exists(piece_path(kMedia, piece))) continue;
      if (!other || other->held <= piece || !own || own->agreed <= piece) ++pieces;
    }
  }
  return pieces;
}

// Opens, works, uses now and then; ends when the set is in or a disk is dead.
void live(DiskEnds& ends, Tally& tally, bool may_begin_unconfirmed) {
  const auto check = [&](std::uint64_t count, const char* what) {
    if (count == 0) return;
    ++tally.wrong;
    if (!::testing::Test::HasFailure()) std::cout << what << ": " << count << "\n";
  };
  try {
    if (!ends.open()) {
      if (!ends.dead()) check(1, ends.last_error.c_str());
    } else {
      check(wiped_too_early(ends), "wiped too early");
      for (int i = 0; i < 60 && !ends.dead() && !ends.done(); ++i) {
        for (std::size_t end = 0; end < 2; ++end) (void)ends.step(end);
        if (!may_begin_unconfirmed) check(unconfirmed(ends), "unconfirmed");
        if (i % 3 == 1) ends.use(700);
      }
    }
  } catch (const sim::SimCrash&) {
  } catch (const sim::SimAbort&) {
  }
  if (!ends.dead()) {
    tally.stuck += ends.done() ? 0u : 1u;
  }
}

void restart(DiskEnds& ends, std::uint64_t tear, const sim::Lies& lies) {
  ends.close();
  for (auto& disk : ends.disks) {
    auto image = disk->dead() ? disk->crash_image(tear) : disk->kill_image();
    image->lie(lies);
    disk = std::move(image);
  }
}

Tally explore(const DiskEnds::Options& base, std::uint64_t most, std::uint64_t stride = 1) {
  Tally tally;
  const bool lying = base.lies.sync_does_nothing;
  for (std::size_t end = 0; end < 2; ++end) {
    bool died = true;
    for (std::uint64_t at = 1; at <= most && (died || lying); at += stride) {
      for (std::uint64_t tear = at % 2; tear < 1 + at % 2; ++tear) {
        DiskEnds::Options options = base;
        options.seed = at * 31 + tear;
        DiskEnds ends(options);
        ends.disks[end]->crash_at(at);
        Tally first;
        live(ends, first, base.preload == 0);
        died = ends.dead();
        tally.crashes += died ? 1 : 0;
        restart(ends, at * 7 + tear, base.lies);
        // A second crash, in the recovery.
        ends.disks[1 - end]->crash_at(1 + (at * 13 + tear) % 60);
        live(ends, first, base.preload == 0);
        restart(ends, at * 11 + tear, base.lies);
        first.stuck = 0;
        live(ends, first, base.preload == 0);
        std::uint64_t lost = 0;
        if (!ends.dead() && ends.intakes[1] != nullptr && first.stuck == 0) {
          for (const DiskWay way : kDiskWays) {
            const PadOffset all = ends.plan.pieces.back().end(way);
            lost += ends.sender(way).status().synced_end == all ? 0u : 1u;
            lost += ends.receiver(way).status().synced_end == all ? 0u : 1u;
          }
          ends.use(1 << 20);
        }
        const std::uint64_t wrong =
            ends.differing + ends.foreign + ends.repeats + lost + first.wrong;
        if (wrong + first.stuck > 0 && !lying) {
          ADD_FAILURE() << "end " << end << ", change " << at << ", tear " << tear << ": "
                        << ends.differing << " ranges differ, " << ends.foreign
                        << " bytes are not the set's, " << ends.repeats << " came twice, " << lost
                        << " streams are short, " << first.wrong << " broken rules, stuck "
                        << first.stuck << "; " << ends.last_error;
          return tally;
        }
        tally.wrong += wrong;
        tally.stuck += first.stuck;
        tally.used += ends.used;
      }
    }
  }
  std::cout << tally.crashes << " crashes, " << tally.used << " bytes used\n";
  return tally;
}

TEST(DiskCrashTest, NoByteIsLostOrUsedTwiceOrUnconfirmedWhereverThePowerGoes) {
  const Tally tally = explore({}, UINT64_MAX);
  EXPECT_EQ(tally.wrong + tally.stuck, 0u);
  EXPECT_GT(tally.crashes, 300u);
}

TEST(DiskCrashTest, TheSameOnALinkThatHadNoKey) {
  const Tally tally =
      explore({.preload = 0, .lengths = {{9000, 9000}, {3000, 4000}, {0, 2000}}}, UINT64_MAX, 2);
  EXPECT_EQ(tally.wrong + tally.stuck, 0u);
  EXPECT_GT(tally.crashes, 200u);
}

// The negative control: the harness sees what goes wrong.
TEST(DiskCrashTest, ADiskWhoseSyncsDoNothingIsCaught) {
  const Tally tally = explore({.lies = {.sync_does_nothing = true}}, 120, 3);
  EXPECT_GT(tally.wrong + tally.stuck, 0u);
}

}  // namespace
}  // namespace warifu::kme
