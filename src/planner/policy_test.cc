// Policies: what is accepted, what is refused and where; names of shares.
#include "planner/policy.h"

#include <gtest/gtest.h>

namespace warifu::planner {
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

TEST(Policy, EveryShareHasItsPathRecordsAndNumber) {
  const auto policy =
      *parse_policy("2 of (origin, 3 of (a, b, c) via d, ramp 3 of (e, f, g, h) via i)");
  std::string names, leaves;
  for (const auto& [path, node] : share_paths(policy)) {
    names += path.text() + " ";
    EXPECT_EQ(policy.find(path), node);
    EXPECT_EQ(path_of(policy, node->number), path);
  }
  for (const auto& path : leaf_paths(policy)) leaves += path.text() + " ";
  EXPECT_EQ(names, "A B B1 B2 B3 C C1 C2 C3 C4 ");
  EXPECT_EQ(leaves, "A B1 B2 B3 C1 C2 C3 C4 ");
  EXPECT_EQ(policy.find({}), &policy);
  EXPECT_EQ(policy.find(*sharing::SharePath::parse("A1")), nullptr);
  EXPECT_EQ(policy.find(*sharing::SharePath::parse("D")), nullptr);
  EXPECT_TRUE(path_of(policy, 0).is_object());
  const sharing::RecordLayout object(sharing::Chunking{{1'000'000}});
  EXPECT_EQ(records_at(policy, object, {}), object);
  EXPECT_EQ(records_at(policy, object, *sharing::SharePath::parse("B2")),
            object.below(policy.scheme).below(*sharing::Scheme::threshold_of(3, 3)));
  EXPECT_EQ(records_at(policy, object, *sharing::SharePath::parse("C2")).full_bytes(),
            object.below(sharing::Scheme::ramp()).full_bytes());
}

}  // namespace
}  // namespace warifu::planner
