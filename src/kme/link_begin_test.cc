// A link that begins anew: the same key at both ends, nothing of the old one, wherever the power
// goes.
#include "kme/link_begin.h"

#include <gtest/gtest.h>

#include "kme/key_manager.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::kme {
namespace {

const SiteName kA = *SiteName::parse("a");
const SiteName kB = *SiteName::parse("b");
const LinkId kOld = LinkId::from_view(Bytes(16, 1));
const LinkId kNew = LinkId::from_view(Bytes(16, 2));
constexpr std::uint64_t kBytes = 100'000;

class LinkBeginTest : public testing::Test {
 protected:
  void SetUp() override {
    EXPECT_TRUE(disk_->make_directories("/m"));
    disk_->sync_dir("/");
    const PresharePlan plan{kNew, kA, kB, {}, {}, kBytes, kBytes / 2};
    ASSERT_TRUE(make_preshare(system(), plan, "/m/new.a", "/m/new.b", {}));
    const PresharePlan old{kOld, kA, kB, {}, {}, kBytes, kBytes};
    ASSERT_TRUE(make_preshare(system(), old, "/m/old.a", "/m/old.b", {}));
  }
  os::System system() { return {*disk_, clock_, random_}; }
  Result<BegunLink> begin(const SiteName& self, const std::string& file, bool replace = false) {
    return begin_link(system(),
                      {"/" + self.text(), self, self == kA ? kB : kA, "/m/" + file, replace}, {});
  }
  // What a site finds when it starts.
  Result<std::unique_ptr<KeyManager>> start(const SiteName& self) {
    return KeyManager::open(system(), "/" + self.text(),
                            {{self == kA ? kB : kA, LinkClass::kPreshared, std::nullopt}});
  }
  // The next key of a direction, as the receiving end reserves it.
  static keypool::Reservation next_of(keypool::Pool& receiver) {
    auto range = receiver.reserve({64}, keypool::Purpose::kControl);
    EXPECT_TRUE(range) << range.error().message;
    return std::move(*range);
  }
  static Bytes bytes_of(keypool::Reservation range) {
    const auto pad = range.take(64);
    EXPECT_TRUE(pad);
    return {pad->bytes().begin(), pad->bytes().end()};
  }
  static void expect_same(keypool::Pool& receiver, keypool::Pool& sender) {
    auto granted = next_of(receiver);
    auto accepted = sender.accept(granted.begin(), {64});
    ASSERT_TRUE(accepted) << accepted.error().message;
    EXPECT_EQ(bytes_of(std::move(granted)), bytes_of(std::move(*accepted)));
  }
  static void expect_same(Link& one, Link& other) {
    EXPECT_EQ(one.id(), other.id());
    expect_same(one.receive(), other.send());
    expect_same(other.receive(), one.send());
  }

  std::unique_ptr<sim::SimDisk> disk_ = std::make_unique<sim::SimDisk>();
  sim::SimClock clock_;
  sim::SimRandom random_{7};
};

TEST_F(LinkBeginTest, BothEndsHoldTheSame) {
  const auto at_a = begin(kA, "new.a");
  ASSERT_TRUE(at_a) << at_a.error().message;
  ASSERT_TRUE(begin(kB, "new.b"));
  EXPECT_EQ(at_a->send_bytes, kBytes);
  EXPECT_EQ(at_a->receive_bytes, kBytes / 2);
  const auto a = start(kA), b = start(kB);
  ASSERT_TRUE(a && b);
  EXPECT_EQ((*a)->link_to(kB)->id(), kNew);
  expect_same(*(*a)->link_to(kB), *(*b)->link_to(kA));
}

TEST_F(LinkBeginTest, AgainGivesNothingTwice) {
  ASSERT_TRUE(begin(kA, "new.a"));
  Bytes first;
  {
    const auto a = start(kA);
    first = bytes_of(next_of((*a)->link_to(kB)->receive()));
    EXPECT_EQ(begin(kA, "new.a").error().code, Code::kBusy);
  }
  ASSERT_TRUE(begin(kA, "new.a"));
  const auto a = start(kA);
  EXPECT_NE(bytes_of(next_of((*a)->link_to(kB)->receive())), first);
}

TEST_F(LinkBeginTest, AnOldLinkGoesOnlyWhenThatIsSaid) {
  ASSERT_TRUE(begin(kA, "old.a"));
  const auto refused = begin(kA, "new.a");
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_EQ((*start(kA))->link_to(kB)->id(), kOld);
  const auto begun = begin(kA, "new.a", true);
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_EQ(begun->dropped_bytes, 2 * kBytes);
  EXPECT_EQ((*start(kA))->link_to(kB)->id(), kNew);
}

TEST_F(LinkBeginTest, OtherFilesAreRefusedBeforeAnythingIsGivenUp) {
  ASSERT_TRUE(begin(kA, "old.a"));
  const PresharePlan later{kNew, kA, kB, {64}, {}, kBytes, kBytes};
  ASSERT_TRUE(make_preshare(system(), later, "/m/later.a", "/m/later.b", {}));
  const PresharePlan others{kNew, kA, *SiteName::parse("c"), {}, {}, kBytes, kBytes};
  ASSERT_TRUE(make_preshare(system(), others, "/m/others.a", "/m/others.c", {}));
  EXPECT_EQ(begin(kA, "later.a", true).error().code, Code::kInvalidArgument);
  EXPECT_EQ(begin(kA, "others.a", true).error().code, Code::kInvalidArgument);
  EXPECT_EQ(begin(kA, "none", true).error().code, Code::kNotFound);
  const auto file = disk_->open("/m/new.a", os::OpenMode::kReadWrite);
  ASSERT_TRUE((*file)->write_at(5000, Bytes(1, 0)));
  ASSERT_TRUE((*file)->write_at(5001, Bytes(1, 1)));
  EXPECT_EQ(begin(kA, "new.a", true).error().code, Code::kCorrupt);
  EXPECT_EQ((*start(kA))->link_to(kB)->id(), kOld);
}

TEST_F(LinkBeginTest, WhereverThePowerGoesAgainGetsThere) {
  ASSERT_TRUE(begin(kA, "old.a"));
  ASSERT_TRUE(begin(kB, "new.b"));
  const auto whole = disk_->kill_image();
  bool crashed = true;
  for (std::uint64_t at = 1; crashed; ++at) {
    disk_ = whole->kill_image();
    disk_->crash_at(at);
    crashed = false;
    try {
      ASSERT_TRUE(begin(kA, "new.a", true));
    } catch (const sim::SimCrash&) {
      crashed = true;
    }
    disk_ = crashed ? disk_->crash_image(at) : disk_->kill_image();
    // The old link, or none, or the new one; never a mixture.
    if (const auto a = start(kA)) {
      const LinkId id = (*a)->link_to(kB)->id();
      EXPECT_TRUE(id == kOld || id == kNew);
    }
    const auto begun = begin(kA, "new.a", true);
    ASSERT_TRUE(begun) << at << ": " << begun.error().message;
    EXPECT_EQ(begun->send_bytes, kBytes);
    const auto a = start(kA), b = start(kB);
    ASSERT_TRUE(a && b) << at;
    expect_same(*(*a)->link_to(kB), *(*b)->link_to(kA));
  }
}

}  // namespace
}  // namespace warifu::kme
