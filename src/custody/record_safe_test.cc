// Kept shares are there after a restart; damage is told and is as if nothing was there.
#include "custody/record_safe.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::custody {
namespace {

class RecordSafeTest : public testing::Test {
 protected:
  void open() {
    safe_.reset();
    auto opened = RecordSafe::open({disk_, clock_, random_}, "/records");
    ASSERT_TRUE(opened) << opened.error().message;
    safe_ = std::move(*opened);
  }
  KeptShare share_of(Byte object) {
    KeptShare kept{.owner = os::random_id<Pseudonym>(random_),
                   .keeping = os::random_id<KeepingId>(random_),
                   .made = {1},
                   .scheme = *sharing::Scheme::threshold_of(2, 3),
                   .share = secret::Buffer(160)};
    kept.object.bytes.fill(object);
    random_.fill(kept.share.bytes());
    return kept;
  }
  sim::SimRandom random_{3};
  sim::SimClock clock_;
  sim::SimDisk disk_;
  std::unique_ptr<RecordSafe> safe_;
};

TEST_F(RecordSafeTest, IsThereAfterARestartAndGoneWhenForgotten) {
  open();
  const KeptShare kept = share_of(1);
  ASSERT_TRUE(safe_->put(kept));
  ASSERT_TRUE(safe_->put(share_of(2)));
  open();
  EXPECT_EQ(safe_->count(), 2u);
  EXPECT_EQ(*safe_->owner(kept.object), kept.owner);
  const auto back = safe_->get(kept.object);
  ASSERT_TRUE(back);
  EXPECT_TRUE(std::ranges::equal(back->share.bytes(), kept.share.bytes()));
  ASSERT_TRUE(safe_->forget(kept.object));
  ASSERT_TRUE(safe_->forget(kept.object));
  open();
  EXPECT_EQ(safe_->count(), 1u);
  EXPECT_EQ(safe_->get(kept.object).error().code, Code::kNotFound);
}

TEST_F(RecordSafeTest, AnotherShareTakesItsPlace) {
  open();
  ASSERT_TRUE(safe_->put(share_of(1)));
  const KeptShare second = share_of(1);
  ASSERT_TRUE(safe_->put(second));
  EXPECT_EQ(safe_->count(), 1u);
  EXPECT_EQ(safe_->get(second.object)->keeping, second.keeping);
}

TEST_F(RecordSafeTest, ADamagedFileIsAProblemAndNotThere) {
  open();
  const KeptShare kept = share_of(1);
  ASSERT_TRUE(safe_->put(kept));
  const std::string path = "/records/" + kept.object.text() + ".record";
  {
    auto file = *disk_.open(path, os::OpenMode::kReadWrite);
    Bytes byte(1);
    ASSERT_TRUE(file->read_at(40, byte));
    byte[0] ^= 1;
    ASSERT_TRUE(file->write_at(40, byte));
  }
  open();
  EXPECT_EQ(safe_->count(), 0u);
  ASSERT_EQ(safe_->problems().size(), 1u);
  EXPECT_NE(safe_->problems()[0].find(path), std::string::npos);
}

}  // namespace
}  // namespace warifu::custody
