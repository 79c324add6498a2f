// Who works with the site, and as whom it sees the one who asks.
#include "api/json.h"
#include "operators/gate.h"

namespace warifu::api {
namespace {

json::array texts_json(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::object account_json(const operators::Account& account) {
  return {{"name", account.name},
          {"roles", texts_json(account.roles.names())},
          {"certificates", texts_json(account.certificates)},
          {"users", json::array(account.users.begin(), account.users.end())}};
}

json::object mode_json(Services services) {
  const bool single = services.operators == nullptr;
  return {{"site", services.site.config.name.text()}, {"single_operator", single}};
}

Result<json::value> operators_json(Services services) {
  json::object answer = mode_json(services);
  json::array list;
  answer["listen"] = "";
  if (services.operators != nullptr) {
    const operators::Settings& settings = services.operators->settings();
    if (settings.tls) answer["listen"] = settings.tls->listen.text();
    for (const operators::Account& one : settings.accounts) list.push_back(account_json(one));
  }
  answer["operators"] = std::move(list);
  return json::value(std::move(answer));
}

Result<json::value> own_json(Services services, http::RequestContext& context) {
  json::object answer = mode_json(services);
  answer["over"] = context.peer() != nullptr ? "tls" : "socket";
  if (services.operators == nullptr) {
    answer["name"] = "";
    answer["roles"] = json::array();
    return json::value(std::move(answer));
  }
  TRY_ASSIGN(const operators::Account* account, services.operators->recognise(context));
  answer["name"] = account->name;
  answer["roles"] = texts_json(account->roles.names());
  return json::value(std::move(answer));
}

json::object proposal_json(const operators::Proposal& one) {
  return {{"proposal", one.id.text()},
          {"state", operators::proposal_state_name(one.state)},
          {"act", one.act},
          {"target", one.target},
          {"body", as_text(one.body)},
          {"proposer", one.proposer},
          {"decider", one.decider},
          {"status", one.status},
          {"made", os::utc_text(one.made)},
          {"expires", os::utc_text(one.expires)}};
}

Result<json::value> proposals_json(Services services) {
  json::object answer = mode_json(services);
  operators::TwoPersons* rule =
      services.operators == nullptr ? nullptr : services.operators->two_persons();
  answer["two_person"] = rule != nullptr;
  json::array list;
  if (rule != nullptr) {
    for (const operators::Proposal& one : rule->proposals().list()) {
      list.push_back(proposal_json(one));
    }
  }
  answer["proposals"] = std::move(list);
  return json::value(std::move(answer));
}

// Where there is a second factor, the gate confirms by itself.
Result<json::value> no_factor(http::RequestContext&) {
  return fail(Code::kNotFound, "this site asks for no passphrase ([operators] second_factor)");
}

// Where the rule is on, the gate decides proposals itself and never comes here.
Result<json::value> no_rule(http::RequestContext&) {
  return fail(Code::kNotFound, "this site has no rule of two persons ([operators] two_person)");
}

}  // namespace

void add_operator_routes(http::Router& router, Services services) {
  router.add(http::Method::kGet, "/v1/operators",
             json_handler([services](http::RequestContext&) { return operators_json(services); }));
  router.add(http::Method::kGet, "/v1/operators/me",
             json_handler([services](http::RequestContext& context) {
               return own_json(services, context);
             }));
  router.add(http::Method::kPost, "/v1/operators/confirm", json_handler(no_factor),
             {.secret_body = true, .max_body = operators::kMaxPassphrase});
  router.add(http::Method::kGet, "/v1/proposals",
             json_handler([services](http::RequestContext&) { return proposals_json(services); }));
  for (const char* path : {"/v1/proposals/{proposal}/approve", "/v1/proposals/{proposal}/reject"}) {
    router.add(http::Method::kPost, path, json_handler(no_rule));
  }
}

}  // namespace warifu::api
