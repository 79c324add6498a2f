// Whose turn it is among objects that are due.
#include "upkeep/refresh_turns.h"

#include <gtest/gtest.h>

#include <set>

namespace warifu::upkeep {
namespace {

constexpr std::int64_t kHour = 3'600'000, kInterval = 24 * 365 * kHour;
constexpr os::UnixMs kNow{1'795'000'000'000};

ObjectId object(Byte number) {
  ObjectId id;
  id.bytes.fill(number);
  return id;
}

// `due` objects that are older than the interval, and one that is not.
std::vector<RefreshCandidate> candidates(Byte due) {
  std::vector<RefreshCandidate> all;
  for (Byte i = 1; i <= due; ++i) {
    all.push_back({object(i), 100, {kNow.value - kInterval - kHour + i}});
  }
  all.push_back({object(0xff), 100, {kNow.value - kHour}});
  return all;
}

TEST(RefreshTurnsTest, TheOldestComeFirstAndOnlyThoseThatAreDue) {
  RefreshTurns turns;
  const auto two = turns.next(candidates(2), kNow, kInterval);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].object, object(1));
  EXPECT_EQ(two[1].object, object(2));
  EXPECT_EQ(turns.next(candidates(9), kNow, kInterval).size(), RefreshTurns::kAtOnce);
  EXPECT_TRUE(turns.next(candidates(0), kNow, kInterval).empty());
}

TEST(RefreshTurnsTest, ObjectsThatCannotBeginHoldUpNobody) {
  RefreshTurns turns;
  std::set<ObjectId> tried;
  os::UnixMs now = kNow;
  while (tried.size() < 10) {
    const auto next = turns.next(candidates(10), now, kInterval);
    ASSERT_FALSE(next.empty()) << tried.size();
    for (const RefreshCandidate& one : next) {
      EXPECT_TRUE(tried.insert(one.object).second) << one.object.text();
      turns.rest(one.object, Code::kRefused, now, kInterval);
    }
    now.value += 60'000;
  }
  EXPECT_TRUE(turns.next(candidates(10), now, kInterval).empty());
}

TEST(RefreshTurnsTest, TroubleThatMayPassRestsForMinutesTheRestForADayAtMost) {
  RefreshTurns turns;
  turns.rest(object(1), Code::kOutOfKey, kNow, kInterval);
  turns.rest(object(2), Code::kRefused, kNow, kInterval);
  EXPECT_TRUE(turns.next(candidates(2), kNow, kInterval).empty());
  const os::UnixMs soon{kNow.value + RefreshTurns::kShortRest};
  ASSERT_EQ(turns.next(candidates(2), soon, kInterval).size(), 1U);
  EXPECT_EQ(turns.next(candidates(2), soon, kInterval)[0].object, object(1));
  const os::UnixMs late{kNow.value + RefreshTurns::kLongRest};
  EXPECT_EQ(turns.next(candidates(2), late, kInterval).size(), 2U);
  // With a short interval nobody rests beyond it.
  turns.rest(object(1), Code::kRefused, late, 4'000);
  EXPECT_EQ(turns.next(candidates(1), {late.value + 4'000}, 4'000)[0].object, object(1));
}

}  // namespace
}  // namespace warifu::upkeep
