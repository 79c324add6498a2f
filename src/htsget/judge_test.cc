// What a consent covers: by hand, and against a count of single bases.
#include "htsget/judge.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace warifu::htsget {
namespace {

using genome::NamedRegion;

Consented consented() {
  Consented one{.references = {{"20", 1000, ""}, {"21", 500, ""}},
                .regions = {{"20", 100, 200}, {"20", 300, 400}, {"21", 0, 500}}};
  merge(one.regions);
  return one;
}

Request asking(std::vector<Place> places) {
  return {.places = std::move(places)};
}

std::string judged(std::vector<Place> places, Mode mode) {
  const auto verdict = judge(asking(std::move(places)), consented(), mode);
  if (!verdict) return std::string(kind_name(verdict.error().kind));
  return regions_text(verdict->regions, 10) + (verdict->clipped ? " clipped" : "");
}

TEST(Judge, StrictGivesWhatLiesWithinAndRefusesTheRest) {
  EXPECT_EQ(judged({{"20", 100, 200}}, Mode::kStrict), "20:101-200");
  EXPECT_EQ(judged({{"chr20", 150, 151}}, Mode::kStrict), "20:151-151");
  EXPECT_EQ(judged({{"21", {}, {}}}, Mode::kStrict), "21:1-500");
  EXPECT_EQ(judged({{"20", 199, 200}, {"20", 100, 150}}, Mode::kStrict), "20:101-150, 20:200-200");
  EXPECT_EQ(judged({{"20", 150, 150}}, Mode::kStrict), "none");
  for (const Place& place :
       {Place{"20", 99, 200}, Place{"20", 100, 201}, Place{"20", {}, {}}, Place{"20", 100, {}},
        Place{"20", 200, 300}, Place{"21", 0, 501}, Place{"20", 150, 350}, Place{"*", {}, {}}}) {
    EXPECT_EQ(judged({place}, Mode::kStrict), "PermissionDenied") << place.reference;
    EXPECT_EQ(judged({{"20", 100, 200}, place}, Mode::kStrict), "PermissionDenied");
  }
  EXPECT_EQ(judged({}, Mode::kStrict), "PermissionDenied");
  EXPECT_EQ(judged({{"22", 1, 2}}, Mode::kStrict), "NotFound");
}

TEST(Judge, ClippingSaysSo) {
  EXPECT_EQ(judged({{"20", 50, 350}}, Mode::kClip), "20:101-200, 20:301-350 clipped");
  EXPECT_EQ(judged({{"20", 120, 130}}, Mode::kClip), "20:121-130");
  EXPECT_EQ(judged({{"20", 0, 10}}, Mode::kClip), "none clipped");
  EXPECT_EQ(judged({{"*", {}, {}}}, Mode::kClip), "none clipped");
  EXPECT_EQ(judged({}, Mode::kClip), "20:101-200, 20:301-400, 21:1-500 clipped");
  EXPECT_EQ(judged({{"22", 1, 2}}, Mode::kClip), "NotFound");
}

TEST(Judge, NothingBeyondTheConsentBaseByBase) {
  std::mt19937_64 random(1);
  const auto draw = [&] { return static_cast<std::uint32_t>(random() >> 32U); };
  for (int i = 0; i < 5'000; ++i) {
    Consented allowed{.references = {{"1", 60, ""}}, .regions = {}};
    std::set<std::int64_t> may;
    for (std::uint32_t count = 1 + draw() % 3; count > 0; --count) {
      const auto start = std::int64_t{draw() % 60};
      const std::int64_t end = std::min<std::int64_t>(60, start + 1 + std::int64_t{draw() % 20});
      allowed.regions.push_back({"1", start, end});
      for (std::int64_t base = start; base < end; ++base) may.insert(base);
    }
    merge(allowed.regions);
    Request request;
    std::set<std::int64_t> wanted;
    for (std::uint32_t count = 1 + draw() % 3; count > 0; --count) {
      const std::uint32_t start = draw() % 60;
      const std::uint32_t end = start + 1 + draw() % 20;
      request.places.push_back({"1", start, end});
      for (std::int64_t base = start; base < std::int64_t{end}; ++base) wanted.insert(base);
    }
    std::set<std::int64_t> both;
    for (const std::int64_t base : wanted) {
      if (may.contains(base)) both.insert(base);
    }
    const auto bases = [](const Verdict& verdict) {
      std::set<std::int64_t> found;
      for (const NamedRegion& region : verdict.regions) {
        for (std::int64_t base = region.start; base < region.end; ++base) {
          EXPECT_TRUE(found.insert(base).second) << "merged regions overlap";
        }
      }
      return found;
    };
    const auto clipped = judge(request, allowed, Mode::kClip);
    ASSERT_TRUE(clipped);
    EXPECT_EQ(bases(*clipped), both);
    EXPECT_EQ(clipped->clipped, both != wanted);
    const auto strict = judge(request, allowed, Mode::kStrict);
    EXPECT_EQ(strict.has_value(), both == wanted);
    if (strict) {
      EXPECT_EQ(bases(*strict), wanted);
    }
  }
}

}  // namespace
}  // namespace warifu::htsget
