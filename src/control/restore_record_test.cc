// A wish comes back from its job, and finds a job that may be read for it.
#include "control/restore_record.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace warifu::control {
namespace {

consent::Scope regions(std::uint32_t start) {
  return {.assembly = "GRCh38", .regions = {{"chr1", start, start + 10, {}}}, .chunks = {}};
}

RestoreWish wish() {
  RestoreWish made;
  made.object.bytes[0] = 1;
  made.grant.bytes[0] = 2;
  made.grantee.name = "Dr. Ito";
  made.scope = regions(5);
  made.format = "view";
  return made;
}

std::string text(const RestoreWish& of, const consent::Scope& presented) {
  return boost::json::serialize(plan_json(of, presented));
}

TEST(RestoreRecord, TheWishComesBack) {
  catalog::Job job;
  job.object = wish().object;
  job.plan = text(wish(), {});
  const auto back = wish_of(job);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->grant, wish().grant);
  EXPECT_EQ(back->scope, wish().scope);
  EXPECT_EQ(back->format, "view");
  EXPECT_EQ(back->sites, 0U);
  RestoreWish sites = wish();
  sites.sites = 77;
  job.plan = text(sites, {});
  EXPECT_GT(wish_of(job)->sites, 0U);
  for (const char* bad : {"", "[]", "{}", R"({"part":1})", R"({"part":"whole","wanted":"zz"})"}) {
    job.plan = bad;
    EXPECT_FALSE(wish_of(job)) << bad;
  }
}

TEST(RestoreRecord, TheContentBeginsBehindTheLeadAndEndsWithTheObject) {
  constexpr std::uint64_t kChunk = limits::kChunkBytes;
  catalog::Object object;
  object.length = 3 * kChunk;
  object.lead_chunks = 1;
  EXPECT_EQ(place_in_object(object, 0), 0U);
  EXPECT_EQ(place_in_object(object, kChunk), 2 * kChunk);
  EXPECT_EQ(place_in_object(object, 2 * kChunk), 3 * kChunk);
  EXPECT_EQ(place_in_object(object, 3 * kChunk).error().code, Code::kInvalidArgument);
  // With the lead it would be zero: the lead itself would be given.
  EXPECT_EQ(place_in_object(object, 0 - kChunk).error().code, Code::kInvalidArgument);
  EXPECT_EQ(place_in_object(object, UINT64_MAX).error().code, Code::kInvalidArgument);
  object.lead_chunks = 0;
  EXPECT_EQ(place_in_object(object, 3 * kChunk), 3 * kChunk);
}

TEST(RestoreRecord, OfTheWholeAnyRegionsGoOnElseTheSameOnly) {
  RestoreWish other = wish();
  other.scope = regions(100);
  EXPECT_TRUE(serves(text(other, {}), plan_json(wish(), {}), {}));
  EXPECT_TRUE(serves(text(wish(), regions(5)), plan_json(wish(), regions(5)), regions(5)));
  EXPECT_FALSE(serves(text(other, regions(5)), plan_json(wish(), regions(5)), regions(5)));
  EXPECT_FALSE(serves(text(wish(), regions(1)), plan_json(wish(), regions(5)), regions(5)));
}

TEST(RestoreRecord, WhoAsksForSomethingElseTakesAUseOfTheirOwn) {
  std::vector<RestoreWish> others(5, wish());
  others[0].grant.bytes[0] = 3;
  others[1].grantee.name = "Dr. Sato";
  others[2].format = "bam";
  others[3].sites = 3;
  others[4].scope = {};
  for (const RestoreWish& other : others) {
    EXPECT_FALSE(serves(text(other, {}), plan_json(wish(), {}), {}));
  }
  EXPECT_FALSE(serves("", plan_json(wish(), {}), {}));
  EXPECT_FALSE(serves("[]", plan_json(wish(), {}), {}));
}

}  // namespace
}  // namespace warifu::control
