// Proposing, deciding, carrying out.
#include "operators/two_persons.h"

#include <boost/json.hpp>

#include "audit/actor.h"
#include "base/log.h"
#include "base/reason.h"
#include "crypto/crypto.h"
#include "operators/answers.h"
#include "operators/route_table.h"

namespace warifu::operators {
namespace {

// What exactly was proposed, in the log: one value for target and body.
std::string digest_of(const Proposal& proposal) {
  Bytes all(proposal.target.begin(), proposal.target.end());
  all.push_back('\n');
  all.insert(all.end(), proposal.body.begin(), proposal.body.end());
  return to_hex(crypto::sha256(all));
}

http::Request request_of(const Proposal& proposal) {
  const std::size_t space = proposal.act.find(' ');
  return {.method = http::method_from(proposal.act.substr(0, space)),
          .target = proposal.target,
          .headers = {},
          .body = http::Body(proposal.body),
          .segments = {},
          .query = {}};
}

}  // namespace

Result<std::unique_ptr<TwoPersons>> TwoPersons::open(os::System system, std::string file,
                                                     const Settings& settings, audit::Log& log) {
  std::unique_ptr<TwoPersons> rule(new TwoPersons(settings, log));
  TRY_ASSIGN(rule->proposals_, Proposals::open(system, std::move(file)));
  return rule;
}

void TwoPersons::learn(const http::Router& router) {
  for (const http::Router::Route& route : router.routes()) {
    const RouteRule* rule = find_rule(route.method, route.path);
    if (rule == nullptr || rule->care != RouteCare::kTwoPersons) continue;
    // A body that is streamed or secret cannot wait in a file.
    WARIFU_CHECK(!route.options.stream_body && !route.options.secret_body);
    marked_.add(route.method, route.path, route.handler, route.options);
  }
}

void TwoPersons::propose(http::RequestContext& context, const http::Router::Route& route,
                         const Account& account) {
  const http::Request& request = context.request();
  const auto made = [&]() -> Result<Proposal> {
    TRY_ASSIGN(Proposal proposal,
               proposals_->add(account.name, act_text(route), request.target, request.body.view()));
    audit::Fields fields = {{"proposal", proposal.id.text()}, {"act", proposal.act}};
    for (auto& id : ids_of(context, route)) fields.push_back(std::move(id));
    fields.emplace_back("digest", digest_of(proposal));
    const auto noted = log_.append("operator_proposed", fields);
    if (noted) return proposal;
    (void)proposals_->reject(proposal.id, account.name);  // what is not in the log is not proposed
    return std::unexpected(noted.error());
  }();
  if (!made) return answer_error(context, made.error());
  log_info("proposal " + made->id.text() + " of " + account.name + ": " + made->act);
  const boost::json::object body = {
      {"proposal", made->id.text()}, {"act", made->act}, {"expires", os::utc_text(made->expires)}};
  context.respond({.status = 202, .body = http::Body::of(boost::json::serialize(body))});
}

Result<Proposal> TwoPersons::allowed(const http::RequestContext& context, const Account& account) {
  TRY_ASSIGN(const ProposalId id, ProposalId::parse(context.parameter("proposal")));
  TRY_ASSIGN(Proposal proposal, proposals_->find(id));
  const std::size_t space = proposal.act.find(' ');
  const RouteRule* rule = find_rule(http::method_from(proposal.act.substr(0, space)),
                                    std::string_view(proposal.act).substr(space + 1));
  const bool marked = rule != nullptr && rule->care == RouteCare::kTwoPersons;
  if (!marked) return fail(Code::kRefused, "'" + proposal.act + "' needs no second operator now");
  if (!account.roles.meets(rule->roles)) {
    return fail(Code::kRefused,
                "proposal " + id.text() + " needs the role " + rule->roles.text() + ", which " +
                    account.name + " does not have",
                Reason::kRole);
  }
  const Account* proposer = settings_.find(proposal.proposer);
  if (proposer == nullptr || !proposer->roles.meets(rule->roles)) {
    return fail(Code::kRefused, proposal.proposer + ", who proposed it, is not entitled to it now");
  }
  return proposal;
}

Result<Proposal> TwoPersons::approved(const http::RequestContext& context, const Account& account) {
  TRY_ASSIGN(const Proposal proposal, allowed(context, account));
  TRY_ASSIGN(Proposal decided, proposals_->approve(proposal.id, account.name));
  TRY(log_.append("operator_approved", {{"proposal", decided.id.text()},
                                        {"act", decided.act},
                                        {"digest", digest_of(decided)},
                                        {"proposed_by", decided.proposer}}));
  return decided;
}

void TwoPersons::approve(http::RequestContext& context, const Account& account) {
  const auto decided = approved(context, account);
  if (!decided) {
    (void)log_.append("operator_refused",
                      {{"act", "approve"},
                       {"proposal", context.parameter("proposal").substr(0, 64)},
                       {"why", decided.error().message}});
    return answer_error(context, decided.error());
  }
  carry_out(context, *decided);
  if (const auto noted = proposals_->done(decided->id, context.status()); !noted) {
    log_error("proposal " + decided->id.text() + " was carried out, but " + noted.error().message);
  }
}

void TwoPersons::carry_out(http::RequestContext& context, const Proposal& proposal) {
  http::Request request = request_of(proposal);
  const bool read = http::parse_target(request).has_value();
  http::Router::Match match;
  if (read) match = marked_.match(request.method, request.segments);
  if (match.route == nullptr) {
    return answer_error(context, {Code::kNotFound, "'" + proposal.act + "' is not served here"});
  }
  const audit::ActingOperator both(proposal.proposer + "+" + proposal.decider);
  context.become(std::move(request), std::move(match.parameters));
  match.route->handler(context);
}

void TwoPersons::reject(http::RequestContext& context, const Account& account) {
  const auto done = [&]() -> Result<Proposal> {
    TRY_ASSIGN(const Proposal proposal, allowed(context, account));
    TRY_ASSIGN(Proposal decided, proposals_->reject(proposal.id, account.name));
    TRY(log_.append("operator_rejected", {{"proposal", decided.id.text()},
                                          {"act", decided.act},
                                          {"proposed_by", decided.proposer}}));
    return decided;
  }();
  if (!done) return answer_error(context, done.error());
  const boost::json::object body = {{"proposal", done->id.text()},
                                    {"state", proposal_state_name(done->state)}};
  context.respond({.body = http::Body::of(boost::json::serialize(body))});
}

}  // namespace warifu::operators
