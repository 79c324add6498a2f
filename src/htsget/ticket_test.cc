// Tickets, errors, service-info.
#include "htsget/ticket.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace warifu::htsget {
namespace {

namespace json = boost::json;

TicketWish wish() {
  return {.request = {.format = Format::kCram, .places = {{"20", 1, 2}}},
          .base = "https://a:1",
          .id = "00ff",
          .token = "secret",
          .clipped = false};
}

TEST(Ticket, TokensStandInHeadersAndNowhereElse) {
  const auto value = json::parse(ticket_json(wish()));
  const auto& urls = value.at("htsget").at("urls").as_array();
  ASSERT_EQ(urls.size(), 2U);
  EXPECT_EQ(value.at("htsget").at("format"), "CRAM");
  EXPECT_EQ(urls[0].at("url"), "https://a:1/htsget/data/reads/00ff?format=CRAM&class=header");
  EXPECT_EQ(urls[1].at("url"),
            "https://a:1/htsget/data/reads/00ff?format=CRAM&class=body&region=20%3A1-2");
  for (const auto& url : urls) {
    EXPECT_EQ(url.at("headers").at("Authorization"), "Bearer secret");
    EXPECT_EQ(std::string(url.at("url").as_string()).find("secret"), std::string::npos);
  }
  EXPECT_EQ(urls[0].at("class"), "header");
  EXPECT_EQ(urls[1].at("class"), "body");
  EXPECT_FALSE(value.as_object().contains("warifu"));
}

TEST(Ticket, AHeadersTicketHasOneUrlAndAClippedOneSaysSo) {
  TicketWish header = wish();
  header.request.places.clear();
  header.request.header_only = true;
  EXPECT_EQ(json::parse(ticket_json(header)).at("htsget").at("urls").as_array().size(), 1U);
  TicketWish clipped = wish();
  clipped.clipped = true;
  EXPECT_EQ(json::parse(ticket_json(clipped)).at("warifu").at("clipped"), true);
}

TEST(Ticket, TheMd5StandsWhereTheStandardHasIt) {
  EXPECT_FALSE(json::parse(ticket_json(wish())).at("htsget").as_object().contains("md5"));
  TicketWish known = wish();
  known.md5 = "d41d8cd98f00b204e9800998ecf8427e";
  EXPECT_EQ(json::parse(ticket_json(known)).at("htsget").at("md5").as_string(), known.md5);
}

TEST(Ticket, AHostIsAHost) {
  EXPECT_EQ(*base_url(true, "localhost:8443"), "https://localhost:8443");
  EXPECT_EQ(*base_url(false, "[::1]:80"), "http://[::1]:80");
  for (const char* bad : {"", "a/b", "a b", "a\"b", "a@b", "a#", "a?b", "a\\b"}) {
    EXPECT_FALSE(base_url(true, bad)) << bad;
  }
  EXPECT_FALSE(base_url(true, std::string(300, 'a')));
}

TEST(Ticket, ErrorsHaveTheStandardsNamesAndStatuses) {
  const std::vector<std::tuple<Kind, const char*, int>> table = {
      {Kind::kInvalidAuthentication, "InvalidAuthentication", 401},
      {Kind::kPermissionDenied, "PermissionDenied", 403},
      {Kind::kNotFound, "NotFound", 404},
      {Kind::kPayloadTooLarge, "PayloadTooLarge", 413},
      {Kind::kUnsupportedFormat, "UnsupportedFormat", 400},
      {Kind::kInvalidInput, "InvalidInput", 400},
      {Kind::kInvalidRange, "InvalidRange", 400}};
  for (const auto& [kind, name, status] : table) {
    EXPECT_EQ(kind_status(kind), status);
    const auto value = json::parse(error_json({kind, "why \"so\""}));
    EXPECT_EQ(value.at("htsget").at("error"), name);
    EXPECT_EQ(value.at("htsget").at("message"), "why \"so\"");
  }
}

TEST(Ticket, ServiceInfoIsHonestAboutSelections) {
  const auto reads = json::parse(service_info_json(Datatype::kReads, {"tommo", "1", "https://a"}));
  EXPECT_EQ(reads.at("htsget").at("fieldsParameterEffective"), true);
  EXPECT_EQ(reads.at("type").at("artifact"), "htsget");
  const auto variants =
      json::parse(service_info_json(Datatype::kVariants, {"tommo", "1", "https://a"}));
  EXPECT_EQ(variants.at("htsget").at("tagsParametersEffective"), false);
  EXPECT_EQ(variants.at("htsget").at("formats"), (json::array{"VCF", "BCF"}));
}

}  // namespace
}  // namespace warifu::htsget
