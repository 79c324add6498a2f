// What was seen is known after a restart, and a file that cannot be trusted is not.
#include "control/sighting_book.h"

#include <gtest/gtest.h>

#include <random>

#include "testing/sim_disk.h"

namespace warifu::control {
namespace {

NotedSighting seen(Byte object, const char* place, std::uint32_t generation = 1,
                   const char* site = "tuh") {
  return {ObjectId::from_view(Bytes(16, object)), generation, *sharing::SharePath::parse(place),
          *SiteName::parse(site)};
}

class SightingBookTest : public testing::Test {
 protected:
  SightingBookTest() {
    EXPECT_TRUE(disk_.make_directories("d"));
    open();
  }
  void open() {
    book_.reset();
    auto opened = SightingBook::open(disk_, "d/sightings");
    ASSERT_TRUE(opened) << opened.error().message;
    book_ = std::move(*opened);
  }
  std::unique_ptr<os::File> file() { return *disk_.open("d/sightings", os::OpenMode::kReadWrite); }

  sim::SimDisk disk_;
  std::unique_ptr<SightingBook> book_;
};

TEST_F(SightingBookTest, AreListedInOrderAndInPages) {
  EXPECT_TRUE(book_->list({}, 10).empty());
  for (const NotedSighting& share : {seen(2, "C1"), seen(1, "B", 2), seen(1, "C"), seen(2, "C1")}) {
    ASSERT_TRUE(book_->add(share));
  }
  EXPECT_EQ(*file()->size(), 3u * 50);
  const std::vector all = {seen(1, "C"), seen(1, "B", 2), seen(2, "C1")};
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(book_->list({}, 10), all);
    EXPECT_EQ(book_->list(all[0], 1), std::vector{all[1]});
    EXPECT_EQ(book_->list(seen(1, "Z"), 10), (std::vector{all[1], all[2]}));
    EXPECT_TRUE(book_->list(all[2], 10).empty());
    open();
  }
}

TEST_F(SightingBookTest, ATornRecordAtTheEndIsCutOff) {
  ASSERT_TRUE(book_->add(seen(1, "B")));
  ASSERT_TRUE(book_->add(seen(2, "C")));
  book_.reset();
  ASSERT_TRUE(file()->write_at(50 + 20, Bytes(14, 0xEE)));
  open();
  EXPECT_EQ(*file()->size(), 50u);
  EXPECT_EQ(book_->list({}, 10), std::vector{seen(1, "B")});
  book_.reset();
  ASSERT_TRUE(file()->write_at(50, Bytes(5, 1)));
  open();
  EXPECT_EQ(*file()->size(), 50u);
}

TEST_F(SightingBookTest, DamageIsToldAndNothingStarts) {
  ASSERT_TRUE(book_->add(seen(1, "B")));
  ASSERT_TRUE(book_->add(seen(2, "C")));
  book_.reset();
  for (std::uint64_t at = 0; at < 50; ++at) {
    Bytes old(1);
    ASSERT_TRUE(file()->read_exact_at(at, old));
    ASSERT_TRUE(file()->write_at(at, Bytes{static_cast<Byte>(old[0] ^ 4)}));
    const auto opened = SightingBook::open(disk_, "d/sightings");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kCorrupt);
    EXPECT_NE(opened.error().message.find("d/sightings"), std::string::npos);
    ASSERT_TRUE(file()->write_at(at, old));
  }
}

TEST(SightingsMessage, ComesBackAndBentOnesAreRefused) {
  const std::vector sent = {seen(1, "B"), seen(1, "C2a", 3), seen(7, "A")};
  const Bytes body = encode(sent);
  EXPECT_EQ(*decode_noted_sightings(body), sent);
  EXPECT_TRUE(decode_noted_sightings(encode({}))->empty());
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_noted_sightings(ByteView(body).first(size))) << size;
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_FALSE(decode_noted_sightings(longer));
  std::mt19937_64 generator(5);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bent = body;
    for (int i = 0; i < 3; ++i) bent[generator() % bent.size()] = static_cast<Byte>(generator());
    (void)decode_noted_sightings(bent);  // an error or shares, and nothing else
  }
}

}  // namespace
}  // namespace warifu::control
