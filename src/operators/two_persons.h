// The rule of two persons: an act that the table marks is proposed by one operator, approved by
// another one, and then done exactly as it was proposed.
//
// The approving request carries the act out, on its own thread and with its own answer. Records of
// what is done name both, as "sato+hara"; no operator's name has a plus sign.
//
// Ownership: settings, log and system must outlive it; learn() before the first request.
// Thread-safe from then on.
#pragma once

#include "audit/log.h"
#include "http/context.h"
#include "operators/proposals.h"
#include "operators/settings.h"

namespace warifu::operators {

class TwoPersons {
 public:
  // `file`: where proposals stand. Errors: those of Proposals::open.
  [[nodiscard]] static Result<std::unique_ptr<TwoPersons>> open(os::System system, std::string file,
                                                                const Settings& settings,
                                                                audit::Log& log);
  // Keeps the handlers of the marked routes, to call them once they are approved.
  void learn(const http::Router& router);

  // In the place of a marked route's handler: answers 202 with the proposal.
  void propose(http::RequestContext& context, const http::Router::Route& route,
               const Account& account);
  // Carries a proposal out, or drops it. Both need the role of the act, and the proposer must still
  // have it. Refusals are answered.
  void approve(http::RequestContext& context, const Account& account);
  void reject(http::RequestContext& context, const Account& account);
  [[nodiscard]] Proposals& proposals() { return *proposals_; }

 private:
  TwoPersons(const Settings& settings, audit::Log& log) : settings_(settings), log_(log) {}
  Result<Proposal> allowed(const http::RequestContext& context, const Account& account);
  Result<Proposal> approved(const http::RequestContext& context, const Account& account);
  void carry_out(http::RequestContext& context, const Proposal& proposal);

  const Settings& settings_;
  audit::Log& log_;
  std::unique_ptr<Proposals> proposals_;
  http::Router marked_;
};

}  // namespace warifu::operators
