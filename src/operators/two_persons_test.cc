// The rule of two persons before a real server: proposed, approved by somebody else, done once.
#include "operators/two_persons.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "operators/gate_test_support.h"

namespace warifu::operators {
namespace {

class TwoPersonsTest : public testing::Test, protected ServedGate {
 protected:
  TwoPersonsTest() {
    restart();
    serve_tls();
  }

  ~TwoPersonsTest() override { server_.reset(); }  // a worker may still note that an act is done

  // As after a kill: what was only in memory is gone.
  void restart() {
    server_.reset();
    gate_.reset();
    rule_ = *TwoPersons::open(system_, identities_.dir() + "/proposals", settings_, *log_);
    gate_ =
        std::make_shared<Gate>(system_, settings_, *log_, Gate::Rules{.two_persons = rule_.get()});
    rule_->learn(router());
  }

  std::string propose(const std::string& who = "sato") {
    const http::Response answer =
        ask(who, Method::kPost, "/v1/objects/77/delete?x=1", "{\"why\":\"asked\"}");
    EXPECT_EQ(answer.status, 202);
    return std::string(boost::json::parse(answer.body.text()).at("proposal").as_string());
  }
  int decide(const std::string& who, const std::string& id, const std::string& what = "approve") {
    return ask(who, Method::kPost, "/v1/proposals/" + id + "/" + what).status;
  }

  std::unique_ptr<TwoPersons> rule_;
};

TEST_F(TwoPersonsTest, ASecondOperatorHasItDoneExactlyAsProposedAndOnce) {
  const std::string id = propose();
  EXPECT_EQ(served_, 0);
  EXPECT_EQ(last().event, "operator_proposed");
  EXPECT_EQ(decide("sato", id), 403);
  EXPECT_EQ(decide("ito", id), 403);
  EXPECT_EQ(served_, 0);
  EXPECT_EQ(decide("mori", id), 200);
  EXPECT_EQ(served_, 1);
  EXPECT_EQ(acting_, "sato+mori");
  EXPECT_EQ(body_, "{\"why\":\"asked\"}");
  EXPECT_EQ(last().fields.back().second, "sato+mori");
  EXPECT_EQ(decide("mori", id), 403);
  EXPECT_EQ(decide("sato", id), 403);
  EXPECT_EQ(served_, 1);
  const Proposal done = rule_->proposals().list().at(0);
  EXPECT_EQ(done.state, ProposalState::kDone);
  EXPECT_EQ(done.status, 200);
}

TEST_F(TwoPersonsTest, TheLogHasBothAndWhatExactly) {
  const std::string id = propose();
  const std::string digest = last().fields.at(3).second;
  EXPECT_EQ(decide("mori", id), 200);
  bool found = false;
  const auto records = log_->read(1, 100).value();
  for (const audit::Record& record : records) {
    if (record.event != "operator_approved") continue;
    found = true;
    EXPECT_EQ(record.fields, (audit::Fields{{"proposal", id},
                                            {"act", "POST /v1/objects/{object}/delete"},
                                            {"digest", digest},
                                            {"proposed_by", "sato"},
                                            {"operator", "mori"}}));
  }
  EXPECT_TRUE(found);
}

TEST_F(TwoPersonsTest, AProposalOutlivesTheSiteAndARejectedOneIsOver) {
  const std::string kept = propose();
  const std::string dropped = propose();
  restart();
  serve_tls();
  EXPECT_EQ(decide("ito", dropped, "reject"), 403);
  EXPECT_EQ(decide("mori", dropped, "reject"), 200);
  EXPECT_EQ(decide("mori", dropped), 403);
  EXPECT_EQ(served_, 0);
  EXPECT_EQ(decide("mori", kept), 200);
  EXPECT_EQ(served_, 1);
}

TEST_F(TwoPersonsTest, WhoLostTheRoleProposesNothingAnyMore) {
  const std::string id = propose();
  settings_.accounts[0].roles = {Role::kAuditor};
  EXPECT_EQ(decide("mori", id), 403);
  EXPECT_EQ(served_, 0);
}

TEST_F(TwoPersonsTest, WrongIdsAreTold) {
  EXPECT_EQ(decide("mori", std::string(32, '0')), 404);
  EXPECT_EQ(decide("mori", "no-id"), 400);
}

TEST_F(TwoPersonsTest, OtherRoutesAreDoneAtOnce) {
  EXPECT_EQ(ask("sato", Method::kGet, "/v1/status").status, 200);
  EXPECT_EQ(served_, 1);
}

}  // namespace
}  // namespace warifu::operators
