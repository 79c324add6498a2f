// What was held is known after a restart, and a file that cannot be trusted is not.
#include "control/past_shares.h"

#include <gtest/gtest.h>

#include <random>

#include "testing/sim_disk.h"

namespace warifu::control {
namespace {

PastShare past(Byte object, const char* place, std::uint32_t generation = 1) {
  return {ObjectId::from_view(Bytes(16, object)), generation, *sharing::SharePath::parse(place)};
}

class PastSharesTest : public testing::Test {
 protected:
  PastSharesTest() {
    EXPECT_TRUE(disk_.make_directories("d"));
    open();
  }
  void open() {
    past_.reset();
    auto opened = PastShares::open(disk_, "d/past-shares");
    ASSERT_TRUE(opened) << opened.error().message;
    past_ = std::move(*opened);
  }
  std::unique_ptr<os::File> file() {
    return *disk_.open("d/past-shares", os::OpenMode::kReadWrite);
  }

  sim::SimDisk disk_;
  std::unique_ptr<PastShares> past_;
};

TEST_F(PastSharesTest, AreListedInOrderAndInPages) {
  EXPECT_TRUE(past_->list({}, 10).empty());
  for (const PastShare& share : {past(2, "C1"), past(1, "B", 2), past(1, "C"), past(2, "C1")}) {
    ASSERT_TRUE(past_->add(share));
  }
  EXPECT_EQ(*file()->size(), 3u * 34);
  const std::vector all = {past(1, "C"), past(1, "B", 2), past(2, "C1")};
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(past_->list({}, 10), all);
    EXPECT_EQ(past_->list(all[0], 1), std::vector{all[1]});
    EXPECT_EQ(past_->list(past(1, "Z"), 10), (std::vector{all[1], all[2]}));
    EXPECT_TRUE(past_->list(all[2], 10).empty());
    open();
  }
}

TEST_F(PastSharesTest, ATornRecordAtTheEndIsCutOff) {
  ASSERT_TRUE(past_->add(past(1, "B")));
  ASSERT_TRUE(past_->add(past(2, "C")));
  past_.reset();
  ASSERT_TRUE(file()->write_at(34 + 20, Bytes(14, 0xEE)));
  open();
  EXPECT_EQ(*file()->size(), 34u);
  EXPECT_EQ(past_->list({}, 10), std::vector{past(1, "B")});
  past_.reset();
  ASSERT_TRUE(file()->write_at(34, Bytes(5, 1)));
  open();
  EXPECT_EQ(*file()->size(), 34u);
}

TEST_F(PastSharesTest, DamageIsToldAndNothingStarts) {
  ASSERT_TRUE(past_->add(past(1, "B")));
  ASSERT_TRUE(past_->add(past(2, "C")));
  past_.reset();
  for (std::uint64_t at = 0; at < 34; ++at) {
    Bytes old(1);
    ASSERT_TRUE(file()->read_exact_at(at, old));
    ASSERT_TRUE(file()->write_at(at, Bytes{static_cast<Byte>(old[0] ^ 4)}));
    const auto opened = PastShares::open(disk_, "d/past-shares");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kCorrupt);
    EXPECT_NE(opened.error().message.find("d/past-shares"), std::string::npos);
    ASSERT_TRUE(file()->write_at(at, old));
  }
}

TEST(PastSharesMessage, ComesBackAndBentOnesAreRefused) {
  const std::vector sent = {past(1, "B"), past(1, "C2a", 3), past(7, "A")};
  const Bytes body = encode(sent);
  EXPECT_EQ(*decode_past_shares(body), sent);
  EXPECT_TRUE(decode_past_shares(encode({}))->empty());
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_past_shares(ByteView(body).first(size))) << size;
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_FALSE(decode_past_shares(longer));
  std::mt19937_64 generator(5);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bent = body;
    for (int i = 0; i < 3; ++i) bent[generator() % bent.size()] = static_cast<Byte>(generator());
    (void)decode_past_shares(bent);  // an error or shares, and nothing else
  }
}

}  // namespace
}  // namespace warifu::control
