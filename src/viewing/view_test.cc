// A view's token and its allowance of requests.
#include "viewing/view.h"

#include <gtest/gtest.h>

namespace warifu::viewing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

View make() {
  return {ViewTerms{}, crypto::sha256(as_bytes("token")), nullptr};
}

TEST(View, OnlyItsTokenOpensIt) {
  const View view = make();
  EXPECT_TRUE(view.has_token(crypto::sha256(as_bytes("token"))));
  EXPECT_FALSE(view.has_token(crypto::sha256(as_bytes("tokem"))));
  EXPECT_FALSE(view.has_token(crypto::sha256({})));
}

TEST(View, ABurstThenSoManyASecond) {
  View view = make();
  const std::chrono::nanoseconds start = seconds(100);
  for (unsigned i = 0; i < kBurst; ++i) ASSERT_TRUE(view.count(start)) << i;
  ASSERT_FALSE(view.count(start));
  EXPECT_EQ(view.count(start).error().kind, htsget::Kind::kTooManyRequests);
  unsigned allowed = 0;
  for (int i = 1; i <= 1'000; ++i) allowed += view.count(start + milliseconds(i)) ? 1U : 0U;
  EXPECT_GE(allowed, kPerSecond - 1);
  EXPECT_LE(allowed, kPerSecond);
  // It never saves up more than a burst.
  allowed = 0;
  for (unsigned i = 0; i < 2 * kBurst; ++i) allowed += view.count(start + seconds(3'600)) ? 1U : 0U;
  EXPECT_EQ(allowed, kBurst);
}

TEST(View, ItsLifeHasSoManyRequests) {
  View view = make();
  std::chrono::nanoseconds now = seconds(1);
  for (std::uint64_t i = 0; i < kMostRequests; ++i) {
    now += seconds(1);
    ASSERT_TRUE(view.count(now));
  }
  EXPECT_FALSE(view.count(now + seconds(1'000)));
  EXPECT_EQ(view.requests(), kMostRequests);
}

}  // namespace
}  // namespace warifu::viewing
