// Answers that wait: found once, bounded, gone in time.
#include "viewing/prepared.h"

#include <gtest/gtest.h>

namespace warifu::viewing {
namespace {

constexpr std::chrono::nanoseconds kNow{1};

class PreparedTest : public testing::Test {
 protected:
  Prepared::Answer answer(std::size_t size) {
    Piece piece;
    auto file = HeldFile::make(budget_);
    EXPECT_TRUE(file && file->append(Bytes(size, 7)) && file->seal());
    piece.file = std::move(*file);
    piece.records = size;
    return std::make_shared<const Piece>(std::move(piece));
  }
  static htsget::Request request(std::uint32_t start) {
    return {.places = {{"20", start, start + 1}}};
  }
  static ViewId view(Byte number) {
    ViewId id;
    id.bytes[0] = number;
    return id;
  }

  Budget budget_{8U << 20U, true};
  Prepared prepared_{budget_};
};

TEST_F(PreparedTest, IsFoundOnceAndOnlyByItsViewAndRequest) {
  prepared_.keep(view(1), request(5), answer(1'000), kNow);
  EXPECT_EQ(prepared_.take(view(2), request(5)), nullptr);
  EXPECT_EQ(prepared_.take(view(1), request(6)), nullptr);
  htsget::Request other = request(5);
  other.format = htsget::Format::kCram;
  EXPECT_EQ(prepared_.take(view(1), other), nullptr);
  const auto found = prepared_.take(view(1), request(5));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->file.bytes().size(), 1'000U);
  EXPECT_EQ(prepared_.take(view(1), request(5)), nullptr);
}

TEST_F(PreparedTest, TheOldestGiveWayAndWhatIsTooLargeIsNotKept) {
  EXPECT_TRUE(prepared_.is_small(1U << 20U));
  EXPECT_FALSE(prepared_.is_small((1U << 20U) + 1));
  for (std::uint32_t i = 0; i < 5; ++i) {
    prepared_.keep(view(1), request(i), answer(300'000), kNow);
  }
  EXPECT_EQ(prepared_.take(view(1), request(1)), nullptr);
  prepared_.keep(view(1), request(9), answer(2'000'000), kNow);
  EXPECT_EQ(prepared_.take(view(1), request(9)), nullptr);
  EXPECT_NE(prepared_.take(view(1), request(2)), nullptr);
  EXPECT_LE(budget_.used(), 2 * 304'000U);
}

TEST_F(PreparedTest, NothingIsLeftOfAViewThatEndedOrOfLongAgo) {
  prepared_.keep(view(1), request(1), answer(1'000), kNow);
  prepared_.keep(view(2), request(1), answer(1'000), kNow);
  prepared_.forget(view(1));
  EXPECT_EQ(prepared_.take(view(1), request(1)), nullptr);
  prepared_.forget_old(kNow + kPreparedLife);
  prepared_.keep(view(3), request(1), answer(1'000), kNow + kPreparedLife);
  prepared_.forget_old(kNow + kPreparedLife + std::chrono::nanoseconds(1));
  EXPECT_EQ(prepared_.take(view(2), request(1)), nullptr);
  EXPECT_NE(prepared_.take(view(3), request(1)), nullptr);
  prepared_.keep(view(3), request(1), answer(1'000), kNow);
  prepared_.clear();
  EXPECT_EQ(budget_.used(), 0U);
}

}  // namespace
}  // namespace warifu::viewing
