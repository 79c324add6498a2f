// What was given is known after a restart, and a file that cannot be trusted is not.
#include "upkeep/given_record.h"

#include <gtest/gtest.h>

#include "testing/sim_disk.h"
#include "upkeep/upkeep_test_support.h"

namespace warifu::upkeep {
namespace {

const ObjectId kObject = ObjectId::from_view(Bytes(16, 1));
const ObjectId kOther = ObjectId::from_view(Bytes(16, 2));
const sharing::SharePath kB = path_of("B");
const sharing::SharePath kC1 = path_of("C1");

class GivenRecordTest : public testing::Test {
 protected:
  GivenRecordTest() {
    EXPECT_TRUE(disk_.make_directories("d"));
    open();
  }
  void open() {
    record_.reset();
    auto opened = GivenRecord::open(disk_, "d/given");
    ASSERT_TRUE(opened) << opened.error().message;
    record_ = std::move(*opened);
  }
  std::unique_ptr<os::File> file() { return *disk_.open("d/given", os::OpenMode::kReadWrite); }

  sim::SimDisk disk_;
  std::unique_ptr<GivenRecord> record_;
};

TEST_F(GivenRecordTest, OneShareOfAnObjectForASite) {
  EXPECT_TRUE(record_->check(kObject, kB, site("lsa")));
  ASSERT_TRUE(record_->add(kObject, kB, site("lsa")));
  ASSERT_TRUE(record_->add(kObject, kB, site("lsa")));
  EXPECT_EQ(*file()->size(), 46u);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(record_->check(kObject, kB, site("lsa")));
    EXPECT_EQ(record_->check(kObject, kC1, site("lsa")).error().code, Code::kRefused);
    EXPECT_EQ(record_->add(kObject, kC1, site("lsa")).error().code, Code::kRefused);
    EXPECT_TRUE(record_->check(kObject, kC1, site("tuh")));
    EXPECT_TRUE(record_->check(kOther, kC1, site("lsa")));
    open();
  }
}

TEST_F(GivenRecordTest, ATornRecordAtTheEndIsCutOff) {
  ASSERT_TRUE(record_->add(kObject, kB, site("lsa")));
  ASSERT_TRUE(record_->add(kObject, kC1, site("cloud1")));
  record_.reset();
  ASSERT_TRUE(file()->write_at(46 + 28, Bytes(18, 0xEE)));
  open();
  EXPECT_EQ(*file()->size(), 46u);
  EXPECT_FALSE(record_->check(kObject, kC1, site("lsa")));
  EXPECT_TRUE(record_->check(kObject, kB, site("cloud1")));
  record_.reset();
  ASSERT_TRUE(file()->write_at(46, Bytes(5, 1)));
  open();
  EXPECT_EQ(*file()->size(), 46u);
}

TEST_F(GivenRecordTest, DamageIsToldAndNothingStarts) {
  ASSERT_TRUE(record_->add(kObject, kB, site("lsa")));
  ASSERT_TRUE(record_->add(kObject, kC1, site("cloud1")));
  record_.reset();
  for (std::uint64_t at = 0; at < 46; ++at) {
    Bytes old(1);
    ASSERT_TRUE(file()->read_exact_at(at, old));
    ASSERT_TRUE(file()->write_at(at, Bytes{static_cast<Byte>(old[0] ^ 4)}));
    const auto opened = GivenRecord::open(disk_, "d/given");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kCorrupt);
    EXPECT_NE(opened.error().message.find("d/given"), std::string::npos);
    ASSERT_TRUE(file()->write_at(at, old));
  }
}

}  // namespace
}  // namespace warifu::upkeep
