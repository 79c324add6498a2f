// Roles, accounts and how people are recognised.
#include <gtest/gtest.h>

#include "operators/route_table.h"
#include "operators/settings.h"

namespace warifu::operators {
namespace {

const std::string kPrint(64, 'a');

Settings sound() {
  return {.accounts = {{"sato", {Role::kBiobank, Role::kOfficer}, {kPrint}, {}},
                       {"ito", {Role::kHospital}, {}, {1000, 1001}}},
          .tls = TlsListener{{"localhost", 7443}, "a.pem", "a.key", "ca.pem"}};
}

TEST(Roles, AreReadAsTheyAreWritten) {
  for (const Role role : kRoles) EXPECT_EQ(parse_role(role_name(role)).value(), role);
  const auto none = parse_role("root");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "'root' is no role; there are biobank, hospital, key_operator, auditor, officer, "
            "kiosk");
  EXPECT_EQ((RoleSet{Role::kOfficer, Role::kBiobank}.text()), "biobank or officer");
  EXPECT_FALSE((RoleSet{Role::kOfficer}.meets({Role::kBiobank, Role::kHospital})));
  EXPECT_TRUE((RoleSet{Role::kOfficer}.meets({Role::kBiobank, Role::kOfficer})));
  EXPECT_FALSE(RoleSet().meets(RoleSet()));
}

TEST(Roles, FingerprintsAreTakenAsOpensslPrintsThem) {
  std::string with_colons;
  for (int i = 0; i < 32; ++i) with_colons += i == 0 ? "AA" : ":AA";
  EXPECT_EQ(parse_fingerprint(with_colons).value(), kPrint);
  EXPECT_EQ(parse_fingerprint(kPrint).value(), kPrint);
  EXPECT_FALSE(parse_fingerprint(kPrint + "aa"));
  EXPECT_FALSE(parse_fingerprint(""));
  EXPECT_FALSE(parse_fingerprint("sha256"));
}

TEST(Settings, RecognisePeopleByWhatIsTheirs) {
  const Settings settings = sound();
  ASSERT_TRUE(settings.check());
  EXPECT_EQ(settings.by_certificate(kPrint)->name, "sato");
  EXPECT_EQ(settings.by_certificate(std::string(64, 'b')), nullptr);
  EXPECT_EQ(settings.by_certificate(""), nullptr);
  EXPECT_EQ(settings.by_user(1001)->name, "ito");
  EXPECT_EQ(settings.by_user(0), nullptr);
  EXPECT_TRUE(settings.has_users());
}

TEST(Settings, MistakesAreRefused) {
  const auto wrong = [](auto change, const std::string& why) {
    Settings settings = sound();
    change(settings);
    const auto checked = settings.check();
    ASSERT_FALSE(checked) << why;
    EXPECT_NE(checked.error().message.find(why), std::string::npos) << checked.error().message;
  };
  wrong([](Settings& s) { s.accounts.clear(); }, "nobody could do anything");
  wrong([](Settings& s) { s.accounts[1].name = "sato"; }, "stands there twice");
  wrong([](Settings& s) { s.accounts[1].name = "a b"; }, "a name has");
  wrong([](Settings& s) { s.accounts[1].name = ""; }, "a name has");
  wrong([](Settings& s) { s.accounts[0].roles = {}; }, "has no role");
  wrong([](Settings& s) { s.accounts[1].users.clear(); }, "cannot be recognised");
  wrong([](Settings& s) { s.accounts[1].certificates = {kPrint}; }, "another one's certificate");
  wrong([](Settings& s) { s.accounts[0].users = {1000}; }, "another one's user 1000");
  wrong([](Settings& s) { s.tls.reset(); }, "no 'listen'");
}

TEST(RouteTable, WhatIsNotInItHasNoRule) {
  EXPECT_EQ(find_rule(http::Method::kPost, "/v1/status"), nullptr);
  EXPECT_EQ(find_rule(http::Method::kGet, "/v1/nothing"), nullptr);
  const RouteRule* erase = find_rule(http::Method::kPost, "/v1/log/erase");
  ASSERT_NE(erase, nullptr);
  EXPECT_EQ(erase->roles, RoleSet{Role::kOfficer});
}

}  // namespace
}  // namespace warifu::operators
