// Statuses as in docs/api.md.
#include "operators/answers.h"

#include <boost/json.hpp>

#include "base/reason.h"

namespace warifu::operators {
namespace {

constexpr std::size_t kMaxIdBytes = 64;

int status_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return 400;
    case Code::kRefused: return 403;
    case Code::kNotFound: return 404;
    case Code::kBusy: return 409;
    case Code::kUnavailable: return 503;
    case Code::kNoSpace: return 507;
    default: return 500;
  }
}

}  // namespace

http::Response error_answer(const Error& error) {
  boost::json::object body = {{"message", error.message}, {"code", code_name(error.code)}};
  if (error.reason != Reason::kNone) body["reason"] = reason_name(error.reason);
  return {.status = status_of(error.code), .body = http::Body::of(boost::json::serialize(body))};
}

void answer_error(http::RequestContext& context, const Error& error) {
  context.respond(error_answer(error));
}

std::string act_text(const http::Router::Route& route) {
  return std::string(http::method_name(route.method)) + " " + route.path;
}

audit::Fields ids_of(const http::RequestContext& context, const http::Router::Route& route) {
  audit::Fields fields;
  for (const std::string& part : route.pattern) {
    if (!part.starts_with('{') || part == "{person}") continue;
    const std::string name = part.substr(1, part.size() - 2);
    fields.emplace_back(name, context.parameter(name).substr(0, kMaxIdBytes));
  }
  return fields;
}

}  // namespace warifu::operators
