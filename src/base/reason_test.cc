// Words for errors, and errors as texts.
#include "base/reason.h"

#include <gtest/gtest.h>

#include <set>

namespace warifu {
namespace {

constexpr auto kLast = static_cast<unsigned>(Reason::kViewsFull);

TEST(Reason, EveryWordIsUniqueAndLeadsBack) {
  std::set<std::string_view> words;
  for (unsigned i = 1; i <= kLast; ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string_view word = reason_name(reason);
    EXPECT_FALSE(word.empty());
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    EXPECT_TRUE(words.insert(word).second) << word;
    EXPECT_EQ(reason_of_name(word), reason);
  }
  EXPECT_EQ(reason_name(Reason::kNone), "");
  EXPECT_EQ(reason_of_name(""), std::nullopt);
  EXPECT_EQ(reason_of_name("toy"), std::nullopt);
}

TEST(Reason, AnErrorSurvivesAsText) {
  for (unsigned i = 0; i <= kLast; ++i) {
    const Error error{Code::kRefused, "lsa: no (really)", static_cast<Reason>(i)};
    const Error back = error_of_text(error.code, error_text(error));
    EXPECT_EQ(back.code, error.code);
    EXPECT_EQ(back.message, error.message);
    EXPECT_EQ(back.reason, error.reason);
  }
}

TEST(Reason, ACutMessageKeepsItsReason) {
  const Error error{Code::kRefused, std::string(5000, 'x'), Reason::kExpired};
  const std::string text = error_text(error, 10);
  EXPECT_EQ(text, "xxxxxxxxxx (expired)");
  EXPECT_EQ(error_of_text(Code::kRefused, text).reason, Reason::kExpired);
}

TEST(Reason, OnlyAKnownWordAtTheVeryEndIsOne) {
  for (const char* text :
       {"", ")", "()", " ()", "over (expired", "over(expired)", "over (expired) ",
        "over (expired); cloud1 is silent", "over (Expired)", "over (new_word)"}) {
    const Error error = error_of_text(Code::kRefused, text);
    EXPECT_EQ(error.reason, Reason::kNone) << text;
    EXPECT_EQ(error.message, text);
  }
  EXPECT_EQ(error_of_text(Code::kRefused, " (expired)").message, "");
}

TEST(Reason, ContextInFrontChangesNoReason) {
  const auto error = fail_in("site lsa", {Code::kRefused, "over", Reason::kExpired});
  EXPECT_EQ(error.error().reason, Reason::kExpired);
  EXPECT_EQ(fail(Code::kRefused, "no").error().reason, Reason::kNone);
}

}  // namespace
}  // namespace warifu
