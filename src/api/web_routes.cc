// Browsers: codes, logins, sessions, and what changes at the site as it happens.
#include "api/event_hub.h"
#include "api/json.h"
#include "operators/gate.h"
#include "web/assets.h"
#include "web/edge_gate.h"
#include "web/pages.h"

namespace warifu::api {
namespace {

using http::Method;
using http::RequestContext;
using operators::Role;

Result<web::Sessions*> sessions_of(Services services) {
  if (services.sessions != nullptr) return services.sessions;
  return fail(Code::kNotFound, "site " + services.site.config.name.text() +
                                   " has no pages on loopback ([web] listen)");
}

json::object session_json(const web::Session& one, const std::string& own) {
  return {{"session", one.id},
          {"operator", one.name},
          {"began", os::utc_text(one.began)},
          {"used", os::utc_text(one.used)},
          {"own", one.id == own}};
}

// The account of whoever asks; nullptr in single-operator mode. Errors: kRefused.
Result<const operators::Account*> account_of(Services services, const RequestContext& context) {
  if (services.operators == nullptr) return nullptr;
  return services.operators->recognise(context);
}

// What of this site is not what it would be in a hospital's machine room, for the pages to say.
json::object honesty_json(Services services) {
  std::set<std::string> origins;
  for (kme::Link* link : services.site.keys.links()) {
    for (keypool::Pool* pool : {&link->send(), &link->receive()}) {
      for (const auto origin : pool->status().origins) {
        origins.emplace(keypool::origin_name(origin));
      }
    }
  }
  return {{"single_operator", services.operators == nullptr},
          {"key_origins", json::array(origins.begin(), origins.end())},
          {"unlocked_secret_memory", secret::has_unlocked_memory()}};
}

Result<json::value> web_json(Services services, RequestContext& context) {
  TRY_ASSIGN(const operators::Account* account, account_of(services, context));
  json::object answer = honesty_json(services);
  answer["site"] = services.site.config.name.text();
  answer["controller"] = services.site.config.controller.text();
  answer["is_controller"] = services.control != nullptr;
  answer["name"] = account == nullptr ? "" : account->name;
  answer["roles"] = json::array();
  if (account != nullptr) {
    for (const std::string& role : account->roles.names()) {
      answer["roles"].as_array().emplace_back(role);
    }
  }
  answer["over"] = context.peer() != nullptr   ? "tls"
                   : context.session().empty() ? "socket"
                                               : "loopback";
  answer["session"] = context.session();
  answer["pages"] = web::assets().size();
  const auto& local = services.site.config.web;
  answer["listen"] = local ? local->listen.text() : "";
  answer["tls_listen"] = "";
  if (services.operators != nullptr && services.operators->settings().tls) {
    answer["tls_listen"] = services.operators->settings().tls->listen.text();
  }
  answer["sessions"] = services.sessions == nullptr ? 0 : services.sessions->list().size();
  answer["followers"] = services.events == nullptr ? 0 : services.events->followers();
  answer["look_seconds"] = services.events == nullptr ? 0 : services.events->look().count();
  return json::value(std::move(answer));
}

// Only a process at the socket shows by itself that it may use the site: a page or a certificate
// far away that makes codes would make sessions that nobody on this machine has asked for.
Result<json::value> make_code(Services services, RequestContext& context) {
  TRY_ASSIGN(web::Sessions * sessions, sessions_of(services));
  if (context.peer() != nullptr || !context.session().empty()) {
    return fail(Code::kRefused, "codes are given at the site's own socket only (warifu web code)");
  }
  TRY_ASSIGN(const operators::Account* account, account_of(services, context));
  TRY_ASSIGN(std::string code,
             sessions->make_code(account == nullptr ? std::nullopt : context.user(),
                                 account == nullptr ? "" : account->name));
  return json::value{{"site", services.site.config.name.text()},
                     {"code", std::move(code)},
                     {"seconds", web::kCodeLife.count()},
                     {"url", "http://" + services.site.config.web->listen.text() + "/"}};
}

void log_in(Services services, RequestContext& context) {
  const auto work = [&]() -> Result<web::SessionSecrets> {
    TRY_ASSIGN(web::Sessions * sessions, sessions_of(services));
    if (context.peer() != nullptr || context.user()) {
      return fail(Code::kRefused, "logins are for browsers at the address of [web]");
    }
    TRY_ASSIGN(const json::object body, body_object(context));
    TRY_ASSIGN(const std::string code, text_field(body, "code"));
    return sessions->login(code);
  };
  const auto secrets = work();
  if (!secrets) return answer_error(context, secrets.error());
  const web::Settings& settings = services.sessions->settings();
  const json::object body = {{"session", secrets->id}, {"key", secrets->key}};
  http::Response answer{.body = http::Body::of(json::serialize(body))};
  answer.headers.add("Set-Cookie", web::cookie_name(settings.listen.port) + "=" + secrets->cookie +
                                       "; HttpOnly; SameSite=Strict; Path=/; Max-Age=" +
                                       std::to_string(settings.session.count()));
  context.respond(std::move(answer));
}

Result<json::value> end_session(Services services, RequestContext& context, const std::string& id) {
  TRY_ASSIGN(web::Sessions * sessions, sessions_of(services));
  TRY_ASSIGN(const operators::Account* account, account_of(services, context));
  const auto session = sessions->find(id);
  if (!session) return fail(Code::kNotFound, "there is no session " + id);
  const bool own = account == nullptr || session->name == account->name;
  if (!own) {
    TRY(services.operators->require(context, {Role::kOfficer}, "ending another one's session"));
  }
  TRY(sessions->end(id));
  return json::value{{"session", id}, {"ended", true}};
}

Result<json::value> list_sessions(Services services, RequestContext& context) {
  TRY_ASSIGN(web::Sessions * sessions, sessions_of(services));
  json::array list;
  for (const web::Session& one : sessions->list()) {
    list.push_back(session_json(one, context.session()));
  }
  return json::value{{"site", services.site.config.name.text()}, {"sessions", std::move(list)}};
}

void follow(Services services, RequestContext& context) {
  const auto account = account_of(services, context);
  if (!account) return answer_error(context, account.error());
  if (services.events == nullptr) {
    return answer_error(context, {Code::kNotFound, "nothing is told here"});
  }
  EventHub::Follower follower{.feed = std::make_shared<http::Feed>(), .session = context.session()};
  follower.sees_jobs = *account == nullptr ||
                       (*account)->roles.meets({Role::kBiobank, Role::kHospital, Role::kAuditor});
  const auto last = context.request().headers.find("Last-Event-ID");
  http::Headers headers;
  headers.add("X-Accel-Buffering", "no");
  const auto begun = context.begin_feed(follower.feed, "text/event-stream", headers);
  if (begun) return services.events->follow(std::move(follower), last.value_or(""));
  if (begun.error().code == Code::kBusy) answer_error(context, begun.error());
}

Result<json::value> history_json(Services services, RequestContext& context) {
  const auto peer = context.request().query.find("peer");
  if (!peer) return fail(Code::kInvalidArgument, "'peer' is missing");
  TRY_ASSIGN(const SiteName name, SiteName::parse(std::string(*peer)));
  if (services.events == nullptr || services.site.keys.link_to(name) == nullptr) {
    return fail(Code::kNotFound, "there is no link to " + name.text());
  }
  json::array list;
  for (const LinkMoment& one : services.events->history(name)) {
    list.push_back({one.time.value, one.send_bytes, one.receive_bytes, std::round(one.inflow),
                    std::round(one.outflow)});
  }
  return json::value{{"peer", name.text()},
                     {"step_seconds", kHistoryStep.count()},
                     {"columns",
                      {"time_ms", "send_residual_bytes", "receive_available_bytes",
                       "inflow_bits_per_second", "outflow_bits_per_second"}},
                     {"moments", std::move(list)}};
}

}  // namespace

void add_web_routes(http::Router& router, Services services) {
  web::add_page_routes(router);
  const auto on = [&](Method method, const char* path, auto work) {
    router.add(method, path, json_handler([services, work](RequestContext& context) {
                 return work(services, context);
               }));
  };
  on(Method::kGet, "/v1/web", web_json);
  on(Method::kPost, "/v1/web/code", make_code);
  router.add(Method::kPost, "/v1/web/login",
             [services](RequestContext& context) { log_in(services, context); },
             {.max_body = 1024});
  on(Method::kPost, "/v1/web/logout", [](Services all, RequestContext& context) {
    return end_session(all, context, context.session());
  });
  on(Method::kGet, "/v1/web/sessions", list_sessions);
  on(Method::kPost, "/v1/web/sessions/{session}/end", [](Services all, RequestContext& context) {
    return end_session(all, context, context.parameter("session"));
  });
  on(Method::kGet, "/v1/links/history", history_json);
  router.add(Method::kGet, "/v1/events",
             [services](RequestContext& context) { follow(services, context); });
}

}  // namespace warifu::api
