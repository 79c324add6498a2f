// Policies: what is accepted, what is refused and where; names of shares.
#include "control/policy.h"

#include <gtest/gtest.h>

#include "control/share_letters.h"

namespace warifu::control {
namespace {

TEST(Policy, ParsesAndPrints) {
  std::string widest;
  for (int i = 0; i < 32; ++i) widest += (i == 0 ? "" : ", ") + std::string("cloud");
  for (const std::string& good :
       {std::string("2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)"),
        std::string("3 of (origin, lsa, tuh, cloud1)"), std::string("2 of (origin, lsa)"),
        std::string("ramp 3 of (origin, lsa, tuh, cloud1)"), "32 of (" + widest + ")",
        "2 of (" + widest + ")", std::string("2 of (ramp, origin)"),
        std::string(
            "2 of (origin, ramp 3 of (a, b, c, d) via g, 3 of (cloud, cloud, cloud) via g)"),
        std::string("10 of (a, b, c, d, e, f, g, h, i, j)")}) {
    const auto policy = parse_policy(good);
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->text(), good);
  }
  EXPECT_EQ(parse_policy(" 2 of(a,b , c) ")->text(), "2 of (a, b, c)");
}

TEST(Policy, EveryNodeHasItsScheme) {
  const auto policy =
      *parse_policy("3 of (origin, a, ramp 3 of (b, c, d, e) via f, 2 of (g, h, i) via j)");
  EXPECT_EQ(policy.scheme, *sharing::Scheme::threshold_of(3, 4));
  EXPECT_EQ(policy.children[2].scheme, sharing::Scheme::ramp());
  EXPECT_EQ(policy.children[2].via, "f");
  EXPECT_EQ(policy.children[3].scheme, sharing::Scheme{});
}

TEST(Policy, MistakesAreToldWithTheirPlace) {
  std::string many = "2 of (a";
  for (int i = 0; i < 32; ++i) many += ", a";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "a number from 2 to 32 was expected at position 1"},
      {"1 of (a, b)", "position 1"},
      {"33 of (a, b)", "position 1"},
      {"02 of (a, b)", "position 1"},
      {"2x of (a, b)", "position 1"},
      {"4 of (a, b, c)", "as many shares as the threshold"},
      {"2 of (a)", "as many shares as the threshold"},
      {many + ")", "no more than 32 shares"},
      {"2 of (a, b, c", "',' or ')'"},
      {"2 of a, b", "'('"},
      {"2 (a, b)", "'of'"},
      {"2 of (a, b, c) via d", "no 'via' at the top"},
      {"2 of (a, b, 2 of (c, d, e))", "'via LABEL' after a nested threshold"},
      {"2 of (a, b, 2 of (c, d, e) via)", "a label after 'via'"},
      {"2 of (a, 2 of (c, d) via origin)", "a label after 'via'"},
      {"2 of (a,,c)", "a label was expected at position 9"},
      {"2 of (origin, origin, c)", "'origin' once"},
      {"2 of (a, 2 of (origin, d) via e)", "'origin' once and at the top only"},
      {"2 of (a, b, c) x", "nothing more"},
      {"2 of (a, b, 2 of (c, d, 2 of (e, f, g) via h) via i)", "one level of nesting"},
      {"ramp 2 of (a, b, c)", "the only ramp"},
      {"ramp 3 of (a, b, c)", "the only ramp"},
      {"ramp of (a, b, c, d)", "a number from 2 to 32"},
      {"2 of (" + std::string(1100, 'a') + ", b)", "at most 1024 characters"},
  };
  for (const auto& [bad, why] : cases) {
    const auto policy = parse_policy(bad);
    ASSERT_FALSE(policy) << bad;
    EXPECT_EQ(policy.error().code, Code::kInvalidArgument);
    EXPECT_NE(policy.error().message.find("position"), std::string::npos) << bad;
    EXPECT_NE(policy.error().message.find(why), std::string::npos) << policy.error().message;
  }
}

TEST(ShareLetters, RunFromAToAf) {
  using sharing::ShareIndex;
  EXPECT_EQ(top_letter(ShareIndex::kA), "A");
  EXPECT_EQ(top_letter(static_cast<ShareIndex>(25)), "Z");
  EXPECT_EQ(top_letter(static_cast<ShareIndex>(26)), "AA");
  EXPECT_EQ(top_letter(static_cast<ShareIndex>(31)), "AF");
  EXPECT_EQ(nested_letter(ShareIndex::kC, static_cast<ShareIndex>(31)), "C32");
  for (std::size_t i = 0; i < sharing::kMaxShares; ++i) {
    const auto top = static_cast<ShareIndex>(i);
    EXPECT_EQ(parse_share_name(top_letter(top))->top, top);
    EXPECT_FALSE(parse_share_name(top_letter(top))->nested);
    EXPECT_EQ(parse_share_name(nested_letter(top, top))->nested, top);
  }
  for (const char* bad : {"", "a", "AG", "C0", "C33", "C01", "1", "A1B", "AAA", "A "}) {
    EXPECT_FALSE(parse_share_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace warifu::control
