// Recognising, judging, noting.
#include "operators/gate.h"

#include <boost/json.hpp>

#include "audit/actor.h"
#include "base/log.h"
#include "base/reason.h"
#include "operators/answers.h"

namespace warifu::operators {
namespace {

constexpr std::chrono::hours kHour(1);
// How the one who asks shows himself, for messages about people whom nobody knows.
std::string shown(const http::RequestContext& context) {
  if (context.peer() != nullptr) return "certificate " + context.peer()->fingerprint;
  if (context.user()) return "user " + std::to_string(*context.user());
  return "nothing";
}

}  // namespace

Result<const Account*> Gate::recognise(const http::RequestContext& context) const {
  const Account* account = nullptr;
  if (context.peer() != nullptr) {
    account = settings_.by_certificate(context.peer()->fingerprint);
  } else if (context.user()) {
    account = settings_.by_user(*context.user());
  }
  if (account != nullptr) return account;
  return fail(Code::kRefused, shown(context) + " is no operator of this site ([operators])",
              Reason::kNoOperator);
}

unsigned Gate::count_refusal(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Hour& hour = hours_[name];
  const auto now = system_.clock.monotonic();
  if (hour.refusals == 0 || now - hour.began >= kHour) hour = {.began = now, .refusals = 0};
  return ++hour.refusals;
}

std::unexpected<Error> Gate::refuse(const std::string& name, const std::string& what,
                                    const Error& why, const std::string& needs) {
  refusals_.note(LogLevel::kWarning, "operators (" + name + ")",
                 what + " was refused: " + why.message);
  const unsigned count = count_refusal(name);
  if (count <= kRefusalsAnHour) {
    audit::Fields fields = {{"operator", name.empty() ? "unknown" : name}, {"act", what}};
    if (!needs.empty()) fields.emplace_back("needs", needs);
    if (name.empty()) fields.emplace_back("why", why.message);
    if (count == kRefusalsAnHour) fields.emplace_back("further", "not recorded within this hour");
    if (auto noted = log_.append("operator_refused", fields); !noted) {
      return std::unexpected(std::move(noted).error());
    }
  }
  return std::unexpected(why);
}

Result<> Gate::judge(const http::RequestContext& context, const http::Router::Route& route) {
  const std::string act = act_text(route);
  const auto account = recognise(context);
  if (!account) return refuse("", act, account.error(), "");
  const std::string& name = (*account)->name;
  const RouteRule* rule = find_rule(route.method, route.path);
  if (rule == nullptr)
    return refuse(name, act, {Code::kRefused, "no role may use " + act, Reason::kRole}, "no role");
  if ((*account)->roles.meets(rule->roles)) return {};
  return refuse(
      name, act,
      {Code::kRefused,
       act + " needs the role " + rule->roles.text() + ", which " + name + " does not have",
       Reason::kRole},
      rule->roles.text());
}

Result<> Gate::require(const http::RequestContext& context, RoleSet roles,
                       const std::string& what) {
  TRY_ASSIGN(const Account* account, recognise(context));
  if (account->roles.meets(roles)) return {};
  return refuse(
      account->name, what,
      {Code::kRefused,
       what + " needs the role " + roles.text() + ", which " + account->name + " does not have",
       Reason::kRole},
      roles.text());
}

bool Gate::admit(http::RequestContext& context, const http::Router::Route& route) {
  const auto judged = judge(context, route);
  if (!judged) answer_error(context, judged.error());
  return judged && is_confirmed(context, route);
}

// Answers 401 when it is not: the client then asks for the passphrase and tries once more.
bool Gate::is_confirmed(http::RequestContext& context, const http::Router::Route& route) {
  const RouteRule* rule = find_rule(route.method, route.path);
  if (rules_.passphrases == nullptr || rule->care == RouteCare::kUsual) return true;
  const auto account = recognise(context);
  const auto given = context.request().headers.find(kConfirmationField);
  if (given && rules_.passphrases->spend((*account)->name, *given)) return true;
  http::Response answer =
      error_answer({Code::kRefused, act_text(route) + " needs " + (*account)->name +
                                        "'s passphrase (warifu: --passphrase-file)"});
  answer.status = 401;
  answer.headers.add("WWW-Authenticate", kConfirmationField);
  context.respond(std::move(answer));
  return false;
}

void Gate::confirm(http::RequestContext& context, const Account& account) {
  const auto confirmation = rules_.passphrases->confirm(account.name, context.body().view());
  context.body().wipe();
  if (!confirmation && confirmation.error().code == Code::kRefused) {
    const auto refused = refuse(account.name, "passphrase", confirmation.error(), "");
    return answer_error(context, refused.error());
  }
  if (!confirmation) return answer_error(context, confirmation.error());
  const boost::json::object body = {{"confirmation", *confirmation},
                                    {"seconds", kConfirmationLife.count()}};
  context.respond({.body = http::Body::of(boost::json::serialize(body))});
}

void Gate::run(http::RequestContext& context, const http::Router::Route& route) {
  const auto account = recognise(context);
  const RouteRule* rule = find_rule(route.method, route.path);
  WARIFU_CHECK(account.has_value() && rule != nullptr);  // admit() has seen both
  const audit::ActingOperator acting((*account)->name);
  if (rules_.passphrases != nullptr && rule->kind == RouteKind::kConfirm) {
    return confirm(context, **account);
  }
  if (TwoPersons* two = rules_.two_persons; two != nullptr) {
    if (rule->care == RouteCare::kTwoPersons) return two->propose(context, route, **account);
    if (rule->kind == RouteKind::kApprove) return two->approve(context, **account);
    if (rule->kind == RouteKind::kReject) return two->reject(context, **account);
  }
  if (rule->kind == RouteKind::kAct) {
    audit::Fields fields = {{"act", act_text(route)}};
    for (auto& id : ids_of(context, route)) fields.push_back(std::move(id));
    if (const auto noted = log_.append("operator_act", fields); !noted) {
      return answer_error(context, noted.error());
    }
  }
  route.handler(context);
}

}  // namespace warifu::operators
