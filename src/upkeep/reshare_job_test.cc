// What stands in the plan of a re-share, and what people are told of one.
#include "upkeep/reshare_job.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace warifu::upkeep {
namespace {

sharing::SharePath path(const std::string& name) {
  return *sharing::SharePath::parse(name);
}

TEST(ReshareWork, IsReadBack) {
  ReshareWork work{.places = {path("C"), path("D2")}, .parts = ""};
  auto read = ReshareWork::parse(work.text());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->places, work.places);
  EXPECT_EQ(read->parts, "");
  work.parts = R"([{"share":"C"}])";
  read = ReshareWork::parse(work.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->parts, work.parts);
}

TEST(ReshareWork, WhatCannotBeReadIsAnError) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"shares":[],"parts":[]})", R"({"shares":["C"]})",
        R"({"shares":"C","parts":[]})", R"({"shares":["c"],"parts":[]})",
        R"({"shares":[3],"parts":[]})", R"({"shares":["C"],"parts":{}})"}) {
    const auto read = ReshareWork::parse(text);
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().code == Code::kCorrupt || read.error().code == Code::kInvalidArgument)
        << text;
  }
}

TEST(ReshareWork, PeopleAreToldWherePartsGo) {
  const auto site = [](const char* name) { return *SiteName::parse(name); };
  const auto part = [&](const char* from, const char* to) {
    return planner::ShareTarget{
        .site = site(to), .route = {site(from), site(to)}, .nested = {}, .cut = {}};
  };
  PartsPlan plan;
  PartsPlan::Cut& cut = plan.cuts.emplace_back();
  cut.whole.path = path("C");
  cut.whole.last_site = site("tuh");
  cut.plan.shares = {part("tuh", "cloud1"), part("tuh", "cloud2")};
  cut.plan.shares[1].nested = {part("cloud2", "edge1")};
  cut.plan.bytes_by_edge[{site("tuh"), site("cloud1")}] = 100;
  cut.plan.bytes_by_edge[{site("tuh"), site("cloud2")}] = 50;
  const auto told = boost::json::parse(plan_text(plan)).at(0);
  EXPECT_EQ(told.at("share"), "C");
  EXPECT_EQ(told.at("site"), "tuh");
  EXPECT_EQ(told.at("key_bytes").to_number<int>(), 150);
  EXPECT_EQ(boost::json::serialize(told.at("parts")),
            R"([{"share":"C1","site":"cloud1","route":"tuh > cloud1"},)"
            R"({"share":"C2","site":"cloud2","route":"tuh > cloud2"},)"
            R"({"share":"C2a","site":"edge1","route":"cloud2 > edge1"}])");
  EXPECT_EQ(plan.bytes_by_edge().size(), 2u);
}

}  // namespace
}  // namespace warifu::upkeep
