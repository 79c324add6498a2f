// What a person reads when sites say no.
#include "control/fault_words.h"

#include <gtest/gtest.h>

namespace warifu::control {
namespace {

TEST(FaultWordsTest, SitesThatRefuseForTheSameReasonAreNamedTogether) {
  const std::string tommo = "site tommo refuses: the grant is used up";
  const std::string lsa = "lsa: site lsa refuses: the grant is used up";
  EXPECT_EQ(fault_words({}), "");
  EXPECT_EQ(fault_words({{"A", tommo}}), tommo);
  EXPECT_EQ(fault_words({{"A", tommo}, {"B", lsa}}), tommo + "; so does lsa");
  EXPECT_EQ(fault_words({{"A", tommo}, {"B", lsa}, {"A", tommo}}), tommo + "; so does lsa");
  EXPECT_EQ(fault_words({{"A", tommo},
                         {"B", lsa},
                         {"C", "tuh: cloud3: site cloud1 refuses: the grant is used up"}}),
            tommo + "; so do lsa, cloud1");
}

TEST(FaultWordsTest, OtherWordsStayAsTheyAreWithTheirShare) {
  EXPECT_EQ(fault_words({{"A", "site tommo refuses: it expired"},
                         {"B", "lsa: the share is damaged"},
                         {"C", "site tuh refuses: the card is revoked"}}),
            "site tommo refuses: it expired; lsa: the share is damaged (B); "
            "site tuh refuses: the card is revoked");
}

}  // namespace
}  // namespace warifu::control
