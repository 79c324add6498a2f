// The gate before a real server: at a socket by uid, over TLS by certificate.
#include <gtest/gtest.h>

#include "operators/gate_test_support.h"

namespace warifu::operators {
namespace {

class GateTest : public testing::Test, protected ServedGate {};

TEST_F(GateTest, WhoHasTheRoleIsServedAndStandsInEveryRecord) {
  serve_tls();
  EXPECT_EQ(ask("sato", Method::kPost, "/v1/objects/7/delete").status, 200);
  EXPECT_EQ(acting_, "sato");
  const auto records = log_->read(2, 10).value();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].event, "operator_act");
  EXPECT_EQ(records[0].fields, (audit::Fields{{"act", "POST /v1/objects/{object}/delete"},
                                              {"object", "7"},
                                              {"operator", "sato"}}));
  EXPECT_EQ(records[1].fields, (audit::Fields{{"object", "7"}, {"operator", "sato"}}));
  EXPECT_EQ(audit::ActingOperator::current(), "");
}

TEST_F(GateTest, WhoHasAnotherRoleIsRefusedAndToldWhichItTakes) {
  serve_tls();
  const http::Response refused = ask("ito", Method::kPost, "/v1/objects/7/delete");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(
      refused.body.text(),
      "{\"message\":\"POST /v1/objects/{object}/delete needs the role biobank, which ito does "
      "not have\",\"code\":\"refused\",\"reason\":\"role\"}");
  EXPECT_EQ(served_, 0);
  EXPECT_EQ(last().event, "operator_refused");
  EXPECT_EQ(last().fields, (audit::Fields{{"operator", "ito"},
                                          {"act", "POST /v1/objects/{object}/delete"},
                                          {"needs", "biobank"}}));
  EXPECT_EQ(ask("ito", Method::kGet, "/v1/status").status, 200);
}

TEST_F(GateTest, ACertificateOfTheAuthorityIsNotEnough) {
  serve_tls();
  EXPECT_EQ(ask("stranger", Method::kGet, "/v1/status").status, 403);
  EXPECT_EQ(served_, 0);
  EXPECT_EQ(last().fields[0], std::pair(std::string("operator"), std::string("unknown")));
  EXPECT_NE(last().fields.back().second.find(print("stranger")), std::string::npos);
}

TEST_F(GateTest, ARouteWithoutARowIsNobodys) {
  serve_tls();
  EXPECT_EQ(ask("sato", Method::kGet, "/v1/new").status, 403);
  EXPECT_EQ(served_, 0);
}

TEST_F(GateTest, AtTheSocketTheKernelSaysWhoItIs) {
  serve_socket();
  EXPECT_EQ(ask("", Method::kPost, "/v1/objects/7/delete").status, 200);
  EXPECT_EQ(acting_, "sato");
  settings_.accounts[0].users = {::getuid() + 1};
  EXPECT_EQ(ask("", Method::kGet, "/v1/status").status, 403);
  EXPECT_NE(last().fields.back().second.find("user " + std::to_string(::getuid())),
            std::string::npos);
}

TEST_F(GateTest, AMarkedActTakesThePassphraseEachTime) {
  ASSERT_TRUE(set_passphrase(system_, identities_.dir() + "/operators", "sato",
                             as_bytes("correct horse battery")));
  Passphrases passphrases(system_, identities_.dir() + "/operators");
  gate_ =
      std::make_shared<Gate>(system_, settings_, *log_, Gate::Rules{.passphrases = &passphrases});
  serve_tls();
  const std::string revoke = "/v1/cards/7/revoke";
  const http::Response asked = ask("sato", Method::kPost, revoke);
  EXPECT_EQ(asked.status, 401);
  EXPECT_EQ(asked.headers.find("WWW-Authenticate"), kConfirmationField);
  EXPECT_EQ(ask("sato", Method::kPost, "/v1/operators/confirm", "wrong").status, 403);
  EXPECT_EQ(last().event, "operator_refused");
  const http::Response right =
      ask("sato", Method::kPost, "/v1/operators/confirm", "correct horse battery");
  ASSERT_EQ(right.status, 200);
  const std::string confirmation = std::string(right.body.text()).substr(17, 32);
  EXPECT_EQ(ask("mori", Method::kPost, revoke, "", confirmation).status, 401);
  EXPECT_EQ(served_, 0);
  EXPECT_EQ(ask("sato", Method::kPost, revoke, "", confirmation).status, 200);
  EXPECT_EQ(ask("sato", Method::kPost, revoke, "", confirmation).status, 401);
  EXPECT_EQ(served_, 1);
  EXPECT_EQ(ask("sato", Method::kGet, "/v1/status").status, 200);
  server_.reset();  // before what it refers to
}

TEST_F(GateTest, RefusalsDoNotFillTheDisk) {
  serve_socket();
  settings_.accounts[0].users = {::getuid() + 1};
  const std::uint64_t before = log_->head().sequence;
  for (unsigned i = 0; i < kRefusalsAnHour + 20; ++i) {
    ASSERT_EQ(ask("", Method::kGet, "/v1/status").status, 403);
  }
  EXPECT_EQ(log_->head().sequence, before + kRefusalsAnHour);
  EXPECT_EQ(last().fields.back().first, "further");
}

}  // namespace
}  // namespace warifu::operators
