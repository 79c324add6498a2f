// Words for errors.
#include "api/reasons.h"

#include <gtest/gtest.h>

#include "consent/decision.h"

namespace warifu::api {
namespace {

TEST(Reasons, AGatesWordIsFoundThroughEverySiteThatPassedItOn) {
  for (unsigned i = 0; i <= static_cast<unsigned>(consent::Reason::kNotTold); ++i) {
    const auto name = std::string(consent::reason_name(static_cast<consent::Reason>(i)));
    const std::string text = "lsa: site lsa refuses: some words (and more) (" + name + ")";
    EXPECT_EQ(reason_of({Code::kRefused, text}), name);
    EXPECT_EQ(reason_of({Code::kRefused, text + "; cloud1 does not answer"}), name);
    EXPECT_NE(reason_of({Code::kUnavailable, text}), name) << "of a refusal only";
  }
}

TEST(Reasons, WordsOfMessagesCountWithTheirCodeAlone) {
  EXPECT_EQ(reason_of({Code::kRefused, "POST /v1/x needs the role biobank, which a does not have"}),
            "role");
  EXPECT_EQ(reason_of({Code::kIo, "POST /v1/x needs the role biobank"}), "");
  EXPECT_EQ(reason_of({Code::kRefused, "consent 12 is withdrawn"}), "withdrawn");
  EXPECT_EQ(reason_of({Code::kOutOfKey, "link to lsa: the granted pad is used up"}), "");
  EXPECT_EQ(reason_of({Code::kRefused, "()"}), "");
  EXPECT_EQ(reason_of({Code::kRefused, ")"}), "");
  EXPECT_EQ(reason_of({Code::kRefused, "(expired"}), "");
}

TEST(Reasons, AMessageAloneTellsToo) {
  EXPECT_EQ(reason_of_text("link to lsa waits for key"), "waits_for_key");
  EXPECT_EQ(reason_of_text("cloud1: site cloud1 refuses: over (expired)"), "expired");
  EXPECT_EQ(reason_of_text("consent 12 is withdrawn"), "withdrawn");
  EXPECT_EQ(reason_of_text(""), "");
}

// "reason code words", a line for each: the test `structure` looks for the words in the sources.
TEST(Reasons, EveryRuleCanFit) {
  for (const ReasonRule& rule : reason_rules()) {
    EXPECT_EQ(reason_of({rule.code, "x" + std::string(rule.words) + "y"}), rule.reason)
        << "another rule comes first: " << rule.words;
  }
}

}  // namespace
}  // namespace warifu::api
