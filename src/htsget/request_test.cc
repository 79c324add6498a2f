// Requests: what the standard says, and bad input by the thousand.
#include "htsget/request.h"

#include <gtest/gtest.h>

#include <random>

namespace warifu::htsget {
namespace {

Answer<Request> reads(const Parameters& query) {
  return parse_query(Datatype::kReads, query);
}
Answer<Request> post(std::string_view body) {
  return parse_body(Datatype::kReads, {}, body);
}

TEST(Request, TheDefaultsAreTheStandards) {
  const auto all = reads({});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->format, Format::kBam);
  EXPECT_TRUE(all->places.empty());
  EXPECT_FALSE(all->header_only);
  EXPECT_FALSE(all->fields);
  EXPECT_EQ(parse_query(Datatype::kVariants, {})->format, Format::kVcf);
  EXPECT_EQ(*post("{}"), *all);
}

TEST(Request, WhatStandsInATicketsAddressCanBeReadBack) {
  const std::string zero("A\0B", 3);
  for (const auto& bad : {zero, std::string("\xff"), std::string("a b")}) {
    EXPECT_FALSE(parse_query(Datatype::kVariants, {{"tags", bad}}));
    EXPECT_FALSE(parse_query(Datatype::kVariants, {{"fields", bad}}));
    EXPECT_FALSE(parse_query(Datatype::kReads, {{"tags", bad}}));
  }
  EXPECT_TRUE(parse_query(Datatype::kVariants, {{"tags", "DP,AF_raw"}}));
}

TEST(Request, EverythingThatCanBeSaid) {
  const auto query = reads({{"format", "CRAM"},
                            {"referenceName", "HLA:A*01:01"},
                            {"start", "0"},
                            {"end", "4294967295"},
                            {"fields", "QNAME,SEQ"},
                            {"tags", ""},
                            {"notags", "NM,X0"}});
  ASSERT_TRUE(query) << query.error().message;
  const auto body = post(
      R"({"format":"CRAM","regions":[{"referenceName":"HLA:A*01:01","start":0,"end":4294967295}],)"
      R"("fields":["QNAME","SEQ"],"tags":[],"notags":["NM","X0"]})");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*query, *body);
  EXPECT_TRUE(query->tags && query->tags->empty());
  EXPECT_EQ(query->places[0], (Place{"HLA:A*01:01", 0, UINT32_MAX}));
}

TEST(Request, GetMayBeEmptyAndPostMayNot) {
  EXPECT_TRUE(reads({{"referenceName", "1"}, {"start", "5"}, {"end", "5"}}));
  EXPECT_EQ(reads({{"referenceName", "1"}, {"start", "6"}, {"end", "5"}}).error().kind,
            Kind::kInvalidRange);
  EXPECT_EQ(post(R"({"regions":[{"referenceName":"1","start":5,"end":5}]})").error().kind,
            Kind::kInvalidRange);
  EXPECT_EQ(post(R"({"regions":[{"referenceName":"1","end":0}]})").error().kind,
            Kind::kInvalidRange);
}

TEST(Request, OnlyTheFormatGoesWithAHeader) {
  EXPECT_TRUE(reads({{"class", "header"}, {"format", "CRAM"}})->header_only);
  for (const char* name : {"referenceName", "start", "end", "fields", "tags", "notags"}) {
    const auto bad = reads({{"class", "header"}, {name, "1"}});
    ASSERT_FALSE(bad) << name;
    EXPECT_EQ(bad.error().kind, Kind::kInvalidInput) << name;
  }
  EXPECT_EQ(reads({{"class", "body"}}).error().kind, Kind::kInvalidInput);
}

TEST(Request, TicketsSurviveTheirUrls) {
  std::mt19937_64 draw(7);
  const std::vector<std::string> names = {"20",          "chr20",        "*",
                                          "HLA:A*01:01", "a-b:c&d=e%+#", "x:1-2"};
  for (int i = 0; i < 2'000; ++i) {
    Request request{.datatype = Datatype::kReads, .format = i % 2 ? Format::kBam : Format::kCram};
    for (std::uint64_t count = draw() % 4; count > 0; --count) {
      Place place{names[draw() % names.size()], {}, {}};
      const bool placed = place.reference != "*";
      if (placed && draw() % 2 == 0) place.start = static_cast<std::uint32_t>(draw() >> 33U);
      if (placed && draw() % 2 == 0) {
        place.end = place.start.value_or(0) + static_cast<std::uint32_t>(draw() % 1000);
      }
      request.places.push_back(place);
    }
    if (draw() % 2 == 0) request.fields = {"QNAME", "SEQ"};
    if (draw() % 2 == 0)
      request.tags = draw() % 2 ? std::vector<std::string>{"NM"} : std::vector<std::string>{};
    if (draw() % 2 == 0) request.notags = {"X0", "RG"};
    const std::string text = data_query(request, Part::kBody);
    // Decoded as http::Query does it.
    Parameters query;
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('&'), rest.size());
      const std::string_view one = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const std::size_t equals = one.find('=');
      std::string value;
      for (std::size_t at = equals + 1; at < one.size(); ++at) {
        if (one[at] != '%') {
          value += one[at];
          continue;
        }
        value += static_cast<char>(std::stoi(std::string(one.substr(at + 1, 2)), nullptr, 16));
        at += 2;
      }
      query.emplace_back(one.substr(0, equals), value);
    }
    const auto back = parse_data_query(Datatype::kReads, query);
    ASSERT_TRUE(back) << text << ": " << back.error().message;
    EXPECT_EQ(back->request, request) << text;
    EXPECT_EQ(back->part, Part::kBody);
  }
}

// Whatever comes, the answer is a request within the limits or a kind of the standard.
TEST(Request, BadInputByTheThousand) {
  std::mt19937_64 draw(20);
  const std::string good =
      R"({"format":"BAM","fields":["QNAME"],"tags":["NM"],"notags":[],)"
      R"("regions":[{"referenceName":"20","start":1,"end":2},{"referenceName":"*"}]})";
  ASSERT_TRUE(post(good));
  int refused = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string text = good;
    for (std::uint64_t count = 1 + draw() % 4; count > 0; --count) {
      const std::size_t at = draw() % text.size();
      switch (draw() % 4) {
        case 0: text[at] = static_cast<char>(draw()); break;
        case 1: text.erase(at, 1 + draw() % 9); break;
        case 2: text.insert(at, 1, "[]{}\",:0129-.eE\\"[draw() % 16]); break;
        default: text.insert(at, text.substr(draw() % text.size(), draw() % 20)); break;
      }
      if (text.empty()) text = "{";
    }
    const auto request = post(text);
    if (!request) {
      ++refused;
      EXPECT_TRUE(request.error().kind == Kind::kInvalidInput ||
                  request.error().kind == Kind::kInvalidRange ||
                  request.error().kind == Kind::kUnsupportedFormat ||
                  request.error().kind == Kind::kPayloadTooLarge)
          << text;
      continue;
    }
    EXPECT_LE(request->places.size(), kMaxPlaces);
    for (const Place& place : request->places) {
      EXPECT_FALSE(place.reference.empty());
      EXPECT_FALSE(place.end && place.start.value_or(0) >= *place.end);
    }
  }
  EXPECT_GT(refused, 20'000);
}

TEST(Request, BadQueriesByTheThousand) {
  std::mt19937_64 draw(21);
  const std::vector<std::string> names = {"format", "class", "referenceName", "start", "end",
                                          "fields", "tags",  "notags",        "x",     ""};
  const std::vector<std::string> values = {"BAM",  "CRAM",       "header", "20",      "*",
                                           "1",    "4294967296", "-1",     "QNAME",   "NM,RG",
                                           "NM,,", ",,",         "",       "\x01\xff"};
  for (int i = 0; i < 30'000; ++i) {
    Parameters query;
    for (std::uint64_t count = draw() % 6; count > 0; --count) {
      query.emplace_back(names[draw() % names.size()], values[draw() % values.size()]);
    }
    const auto request = reads(query);
    if (!request) continue;
    for (const auto& [name, value] : query) {
      EXPECT_FALSE(name.empty() || name == "x");
      if (name == "start" || name == "end") {
        ASSERT_EQ(request->places.size(), 1U);
        EXPECT_NE(request->places[0].reference, "*");
      }
    }
    (void)parse_data_query(Datatype::kReads, query);
  }
}

TEST(Request, LimitsHold) {
  std::string many = R"({"regions":[)";
  for (std::size_t i = 0; i <= kMaxPlaces; ++i) {
    many += std::string(i == 0 ? "" : ",") + R"({"referenceName":"1"})";
  }
  EXPECT_EQ(post(many + "]}").error().kind, Kind::kPayloadTooLarge);
  EXPECT_EQ(post(std::string(kMaxPostBytes + 1, ' ')).error().kind, Kind::kPayloadTooLarge);
  EXPECT_EQ(post(std::string(60'000, '[')).error().kind, Kind::kInvalidInput);
  EXPECT_EQ(reads({{"referenceName", std::string(kMaxName + 1, 'a')}}).error().kind,
            Kind::kInvalidInput);
  Parameters query = {{"class", "body"}};
  for (std::size_t i = 0; i <= kMaxPlaces; ++i) query.emplace_back("region", "1:");
  EXPECT_EQ(parse_data_query(Datatype::kReads, query).error().kind, Kind::kPayloadTooLarge);
}

}  // namespace
}  // namespace warifu::htsget
