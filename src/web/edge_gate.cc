// Host, origin, session; in this order.
#include "web/edge_gate.h"

#include "operators/answers.h"
#include "web/pages.h"

namespace warifu::web {
namespace {

using http::Method;
using http::RequestContext;
using http::Router;

constexpr std::string_view kLogin = "/v1/web/login";
constexpr std::string_view kHtsget = "/htsget/";

void refuse(RequestContext& context, int status, const Error& why) {
  http::Response answer = operators::error_answer(why);
  answer.status = status;
  if (status == 401) answer.headers.add("WWW-Authenticate", "Warifu-Session");
  context.respond(std::move(answer));
}

std::string_view field(const RequestContext& context, std::string_view name) {
  return context.request().headers.find(name).value_or("");
}

// These handlers look at the origin for themselves ([htsget] origins).
bool is_by_token(const Router::Route& route) {
  return route.path.starts_with(kHtsget);
}

}  // namespace

std::string cookie_name(std::uint16_t port) {
  return "warifu_session_" + std::to_string(port);
}

std::string_view cookie_of(const RequestContext& context, std::string_view name) {
  std::string_view rest = field(context, "Cookie");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with(name) && one.substr(name.size()).starts_with('=')) {
      return one.substr(name.size() + 1);
    }
  }
  return "";
}

bool check_loopback_name(RequestContext& context, std::uint16_t own) {
  std::string_view host = field(context, "Host");
  const std::string port = ":" + std::to_string(own);
  if (host.ends_with(port)) {
    host.remove_suffix(port.size());
    if (host == "127.0.0.1" || host == "localhost" || host == "[::1]") return true;
  }
  refuse(context, 421, {Code::kRefused, "this site is not served under that name here"});
  return false;
}

// Browsers tell the origin with everything that changes something, and where a request comes from
// with everything; programs that are no browsers tell neither, and cannot be misused by a page.
bool check_origin(RequestContext& context, const Router::Route& route, std::string_view scheme) {
  const std::string_view origin = field(context, "Origin");
  const std::string_view from = field(context, "Sec-Fetch-Site");
  const std::string own = std::string(scheme) + "://" + std::string(field(context, "Host"));
  const bool changes = route.method != Method::kGet;
  const bool browser =
      scheme == "http" || !origin.empty() || !from.empty() || !field(context, "Cookie").empty();
  const char* why = nullptr;
  if (!origin.empty() && origin != own) why = "it comes from a page of another origin";
  if (!from.empty() && from != "same-origin") why = "it comes from a page of another origin";
  if (changes && browser && origin.empty()) why = "a browser says which origin (Origin) it is for";
  if (changes && browser && field(context, kPageField).empty()) {
    why = "what changes something needs the header Warifu-Page";
  }
  if (why == nullptr) return true;
  refuse(context, 403, {Code::kRefused, operators::act_text(route) + " was refused: " + why});
  return false;
}

bool EdgeGate::has_session(RequestContext& context) const {
  const auto session =
      sessions_->recognise(cookie_of(context, cookie_name(port_)), field(context, kPageField));
  if (session) {
    context.stand_for(session->user, session->id);
    return true;
  }
  refuse(context, 401, session.error());
  return false;
}

// Pages are the same for everybody, who logs in has no session yet, and what is looked at in a view
// goes by the view's token, which no browser sends by itself.
bool EdgeGate::passes(const Router::Route& route) const {
  return sessions_ != nullptr &&
         (is_page_route(route) || route.path == kLogin || is_by_token(route));
}

bool EdgeGate::admit(RequestContext& context, const Router::Route& route) {
  if (sessions_ != nullptr && !check_loopback_name(context, port_)) return false;
  const std::string_view scheme = sessions_ != nullptr ? "http" : "https";
  const bool any_origin = is_page_route(route) || is_by_token(route);
  if (!any_origin && !check_origin(context, route, scheme)) return false;
  if (passes(route)) return true;
  if (sessions_ != nullptr && !has_session(context)) return false;
  return inner_ == nullptr || inner_->admit(context, route);
}

void EdgeGate::run(RequestContext& context, const Router::Route& route) {
  if (inner_ == nullptr || passes(route)) return route.handler(context);
  inner_->run(context, route);
}

}  // namespace warifu::web
