// Switches and quotas of applications, on a disk whose power goes.
#include "kme/sae_gate.h"

#include <gtest/gtest.h>

#include "kme/random_source.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::kme {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFile = "/site/switches";
constexpr const char* kOldFile = "/site/sae-keys-paused";
constexpr const char* kQuotas = "/site/sae-keys-quotas";

class SaeGateTest : public testing::Test {
 protected:
  static void prepare(sim::SimDisk& disk) {
    ASSERT_TRUE(disk.make_directories("/site"));
    disk.sync_dir("/");
  }
  void SetUp() override {
    settings.saes = {{.id = "A", .quota = 6400}, {.id = "B"}};
    prepare(disk);
  }
  Result<std::unique_ptr<Switches>> open_switches(os::FileSystem& files) {
    return Switches::open({files, clock, random}, kFile, kOldFile);
  }
  // As after a restart on these files.
  void open(os::FileSystem& files) {
    gate.reset();
    auto opened = open_switches(files);
    ASSERT_TRUE(opened) << opened.error().message;
    switches = std::move(*opened);
    auto made = SaeGate::open({files, clock, random}, *switches, kQuotas, settings);
    ASSERT_TRUE(made) << made.error().message;
    gate = std::move(*made);
  }
  sim::SimDisk disk;
  sim::SimClock clock;
  sim::SimRandom random{1};
  SaeSettings settings;
  std::unique_ptr<Switches> switches;
  std::unique_ptr<SaeGate> gate;
};

TEST_F(SaeGateTest, AQuotaFillsEvenlyAndIsAllOrNothing) {
  open(disk);
  EXPECT_TRUE(gate->charge("A", 6400));
  EXPECT_EQ(gate->charge("A", 1).error().code, Code::kOutOfKey);
  clock.advance(9s);
  EXPECT_EQ(gate->charge("A", 17).error().code, Code::kOutOfKey);
  EXPECT_TRUE(gate->charge("A", 16));
  gate->refund("A", 5);
  EXPECT_EQ(gate->quota("A")->left_bytes, 5u);
  clock.advance(100000s);
  EXPECT_EQ(gate->quota("A")->left_bytes, 6400u);
  EXPECT_FALSE(gate->quota("B"));
  EXPECT_TRUE(gate->charge("B", 1 << 30));
}

TEST_F(SaeGateTest, AQuotaIsAsItWasAfterAStopInOrder) {
  open(disk);
  ASSERT_TRUE(gate->charge("A", 6000));
  ASSERT_TRUE(gate->settle());
  open(disk);
  EXPECT_EQ(gate->quota("A")->left_bytes, 400u);
  clock.advance(9s);
  open(disk);  // filled while the site was away
  EXPECT_EQ(gate->quota("A")->left_bytes, 416u);
  settings.saes[0].quota = 100;
  open(disk);
  EXPECT_EQ(gate->quota("A")->left_bytes, 100u);
}

// Over a crash an application never gets more than its quota, and loses at most a 64th of it.
TEST_F(SaeGateTest, ACrashForgivesNothingThatWasSpent) {
  for (std::uint64_t crash = 1, died = 1; died == 1; ++crash) {
    sim::SimDisk torn;
    prepare(torn);
    torn.crash_at(crash);
    std::uint64_t spent = 0;
    died = 0;
    try {
      open(torn);
      for (int i = 0; i < 20; ++i) {
        const std::uint64_t bytes = i % 3 == 0 ? 30 : 44;
        if (!gate->charge("A", bytes)) break;
        spent += bytes;
        if (i % 5 == 4) {
          gate->refund("A", 30);
          spent -= 30;
        }
      }
    } catch (const sim::SimCrash&) {
      died = 1;
    }
    for (std::uint64_t image = 0; image < 4; ++image) {
      const auto left = torn.crash_image(crash * 100 + image);
      open(*left);
      const std::uint64_t now = gate->quota("A")->left_bytes;
      EXPECT_LE(now, 6400 - spent) << "crash " << crash;
      EXPECT_GE(now + 100 + 60, 6400 - spent) << "crash " << crash;  // and what was asked for
      gate.reset();
      switches.reset();
    }
  }
}

TEST_F(SaeGateTest, ABentRecordOfQuotasIsNamed) {
  open(disk);
  ASSERT_TRUE(os::replace_file(disk, kQuotas, as_bytes("no quotas")));
  auto opened = SaeGate::open({disk, clock, random}, *switches, kQuotas, settings);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorrupt);
  EXPECT_NE(opened.error().message.find(kQuotas), std::string::npos);
}

// The power goes at every change of the disk, and leaves several images each time.
TEST_F(SaeGateTest, ASwitchThatWasToldHoldsWhereverThePowerGoes) {
  const SiteName peer = *SiteName::parse("lsa");
  std::uint64_t states = 0;
  for (std::uint64_t crash = 1, died = 1; died == 1; ++crash) {
    sim::SimDisk torn;
    prepare(torn);
    torn.crash_at(crash);
    int told = 0;
    died = 0;
    try {
      open(torn);
      told += switches->set(SwitchKind::kSae, "A", SwitchValue::kOff).has_value();
      told += switches->set(SwitchKind::kTransport, "lsa", SwitchValue::kOff).has_value();
      told += switches->set(SwitchKind::kSharing, "lsa", SwitchValue::kRandom).has_value();
      told += switches->set(SwitchKind::kRandom, "sharing", SwitchValue::kFromPool).has_value();
      told += switches->set(SwitchKind::kSae, "A", std::nullopt).has_value();
    } catch (const sim::SimCrash&) {
      died = 1;
    }
    for (std::uint64_t image = 0; image < 8; ++image, ++states) {
      const auto left = torn.crash_image(crash * 100 + image);
      open(*left);
      if (told == 5) {
        EXPECT_FALSE(gate->is_sae_paused("A"));
      } else if (told >= 1 && told < 4) {
        EXPECT_TRUE(gate->is_sae_paused("A"));
      }
      EXPECT_TRUE(told < 2 || switches->is_off(SwitchKind::kTransport, "lsa"));
      EXPECT_TRUE(told < 3 ||
                  switches->find(SwitchKind::kSharing, "lsa")->value == SwitchValue::kRandom);
      EXPECT_TRUE(told < 4 ||
                  switches->find(SwitchKind::kRandom, "sharing")->value == SwitchValue::kFromPool);
      gate.reset();
      switches.reset();
    }
  }
  EXPECT_GT(states, 100u);
}

TEST_F(SaeGateTest, EveryBentByteOfTheRecordIsFound) {
  open(disk);
  ASSERT_TRUE(switches->set(SwitchKind::kSae, "A", SwitchValue::kOff));
  ASSERT_TRUE(switches->set(SwitchKind::kSharing, "lsa", SwitchValue::kKey));
  const Bytes good = *os::read_file(disk, kFile, 1 << 20);
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bent = good;
    bent[at] ^= 0x20;
    ASSERT_TRUE(os::replace_file(disk, kFile, bent));
    const auto opened = open_switches(disk);
    ASSERT_FALSE(opened) << at;
    EXPECT_NE(opened.error().message.find(kFile), std::string::npos);
  }
}

TEST_F(SaeGateTest, PausesOfAnEarlierVersionAreTakenOver) {
  ASSERT_TRUE(os::replace_file(disk, kOldFile, as_bytes("sae A\nlink lsa\n")));
  open(disk);
  EXPECT_TRUE(gate->is_sae_paused("A"));
  EXPECT_TRUE(gate->is_link_paused(*SiteName::parse("lsa")));
  EXPECT_FALSE(disk.exists(kOldFile));
  open(disk);
  EXPECT_TRUE(gate->is_sae_paused("A"));
}

TEST_F(SaeGateTest, ABentFileOfPausesIsNamed) {
  for (const std::string_view text : {"sae \n", "link X Y\n", "sae A", "who A\n", "\n"}) {
    ASSERT_TRUE(os::replace_file(disk, kOldFile, as_bytes(text)));
    const auto opened = open_switches(disk);
    ASSERT_FALSE(opened) << text;
    EXPECT_NE(opened.error().message.find(kOldFile), std::string::npos);
  }
}

TEST_F(SaeGateTest, ASwitchKeepsItsTimeUntilItChanges) {
  open(disk);
  ASSERT_TRUE(switches->set(SwitchKind::kTransport, "lsa", SwitchValue::kOff));
  const os::UnixMs since = switches->find(SwitchKind::kTransport, "lsa")->since;
  clock.advance(5s);
  ASSERT_TRUE(switches->set(SwitchKind::kTransport, "lsa", SwitchValue::kOff));
  EXPECT_EQ(switches->all().at(0).since.value, since.value);
  ASSERT_TRUE(switches->set(SwitchKind::kTransport, "lsa", std::nullopt));
  EXPECT_TRUE(switches->all().empty());
  EXPECT_EQ(switches->set(SwitchKind::kSae, "", SwitchValue::kOff).error().code,
            Code::kInvalidArgument);
}

TEST_F(SaeGateTest, ValuesAreThoseOfTheirKind) {
  EXPECT_EQ(*parse_switch_value(SwitchKind::kSharing, "random"), SwitchValue::kRandom);
  EXPECT_FALSE(parse_switch_value(SwitchKind::kTransport, "on")->has_value());
  const auto wrong = parse_switch_value(SwitchKind::kTransport, "random");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("\"on\", \"off\""), std::string::npos);
}

TEST_F(SaeGateTest, EveryUseOfRandomNumbersHasItsOwnSource) {
  auto opened = open_switches(disk);
  ASSERT_TRUE(opened);
  auto source =
      RandomSource::open({disk, clock, random}, "/site", Bytes(32, 3), RandomFrom::kKernel, 0ms);
  ASSERT_TRUE(source);
  (*source)->follow(**opened);
  Bytes out(16);
  ASSERT_TRUE((*opened)->set(SwitchKind::kRandom, "applications", SwitchValue::kFromPool));
  EXPECT_EQ((*source)->from(RandomUse::kApplications), RandomFrom::kPool);
  EXPECT_EQ((*source)->fill(out, RandomUse::kApplications).error().code, Code::kOutOfKey);
  EXPECT_TRUE((*source)->fill(out, RandomUse::kSharing));
  EXPECT_TRUE((*source)->fill(out, RandomUse::kRelaying));
  ASSERT_TRUE((*opened)->set(SwitchKind::kRandom, "applications", std::nullopt));
  EXPECT_TRUE((*source)->fill(out, RandomUse::kApplications));
  ASSERT_TRUE((*opened)->set(SwitchKind::kRandom, "relaying", SwitchValue::kFromPool));
  EXPECT_EQ((*source)->fill(out, RandomUse::kRelaying).error().code, Code::kOutOfKey);
  EXPECT_TRUE((*source)->fill(out, RandomUse::kApplications));
  // Where sources fill the pool, nothing takes their place, whatever an old record says.
  auto mixed =
      RandomSource::open({disk, clock, random}, "/other", Bytes(32, 3), RandomFrom::kSources, 0ms);
  ASSERT_TRUE(mixed);
  (*mixed)->follow(**opened);
  ASSERT_TRUE((*opened)->set(SwitchKind::kRandom, "sharing", SwitchValue::kFromKernel));
  EXPECT_EQ((*mixed)->from(RandomUse::kSharing), RandomFrom::kSources);
}

}  // namespace
}  // namespace warifu::kme
