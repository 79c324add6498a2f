// Every route of a site stands in the table of roles, and every row of the table is a route.
#include "api/routes.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "operators/route_table.h"

namespace warifu::api {
namespace {

std::set<std::string> served() {
  // Adding routes only keeps references; no handler runs here, so nothing stands behind them.
  alignas(std::max_align_t) static std::array<Byte, 16> nothing{};
  const Services services{*reinterpret_cast<control::SiteContext*>(&nothing),
                          *reinterpret_cast<control::ShareService*>(&nothing)};
  std::set<std::string> routes;
  const http::Router router = make_router(services);
  for (const auto& route : router.routes()) {
    routes.insert(std::string(http::method_name(route.method)) + " " + route.path);
  }
  return routes;
}

TEST(Routes, EachOneStandsInTheTableOfRoles) {
  const auto routes = served();
  EXPECT_GT(routes.size(), 80U);
  std::set<std::string> rows;
  for (const operators::RouteRule& rule : operators::route_table()) {
    const std::string row =
        std::string(http::method_name(rule.method)) + " " + std::string(rule.path);
    EXPECT_TRUE(rows.insert(row).second) << row << " stands there twice";
    EXPECT_FALSE(rule.roles.empty()) << row;
  }
  for (const std::string& route : routes) EXPECT_TRUE(rows.contains(route)) << route << " is new";
  for (const std::string& row : rows) EXPECT_TRUE(routes.contains(row)) << row << " is gone";
}

TEST(Routes, AKioskMayDoWhatAPersonDecidesAndNothingElse) {
  std::set<std::string_view> may;
  for (const operators::RouteRule& rule : operators::route_table()) {
    if (rule.roles.has(operators::Role::kKiosk) && !rule.roles.has(operators::Role::kKeyOperator)) {
      may.insert(rule.path);  // what everybody may is no matter of the kiosk's
    }
  }
  const std::set<std::string_view> expected = {
      "/v1/persons/{person}/accesses", "/v1/cards/ceremonies", "/v1/cards/ceremonies/{ceremony}",
      "/v1/cards/{card}/requests",
      // Records for the card that lies there (ADR 0052).
      "/v1/cards/{card}/records", "/v1/objects/{object}/card-record",
      // Orders of the biobank: carried out, never given.
      "/v1/enrolments/find", "/v1/enrolments/resume", "/v1/enrolments/finish",
      "/v1/enrolments/{order}/begin", "/v1/enrolments/{order}/signed",
      "/v1/enrolments/{order}/trouble", "/v1/requests/{request}", "/v1/requests/{request}/refuse",
      "/v1/consents", "/v1/consents/prepare", "/v1/consents/signed", "/v1/consents/refusals",
      "/v1/consents/{grant}/quote", "/v1/consents/{grant}/receipt",
      "/v1/consents/{grant}/withdraw"};
  EXPECT_EQ(may, expected);
}

TEST(Routes, WhatChangesSomethingIsInTheLog) {
  // Those that only compute, and those that carry on what has begun.
  const std::set<std::string_view> quiet = {"/v1/objects/{object}/refresh/preview",
                                            "/v1/risk/model",
                                            "/v1/risk/{grant}/plan",
                                            "/v1/cards/ceremonies/{ceremony}",
                                            "/v1/uploads/{upload}",
                                            "/v1/uploads/{upload}/index",
                                            "/v1/uploads/{upload}/ends",
                                            "/v1/objects/{object}/card-record",
                                            "/v1/operators/confirm",
                                            "/v1/proposals/{proposal}/approve",
                                            "/v1/proposals/{proposal}/reject",
                                            "/v1/web/login",
                                            "/htsget/reads/{id}",
                                            "/htsget/variants/{id}",
                                            "/htsget/{path...}"};
  for (const operators::RouteRule& rule : operators::route_table()) {
    if (rule.method == http::Method::kGet || quiet.contains(rule.path)) continue;
    EXPECT_EQ(rule.kind, operators::RouteKind::kAct) << rule.path;
  }
}

}  // namespace
}  // namespace warifu::api
