// Segment by segment comparison; sites have tens of routes, not thousands.
#include "http/router.h"

#include <optional>

#include "base/limits.h"

namespace warifu::http {
namespace {

bool is_parameter(std::string_view part) {
  return part.starts_with('{') && part.ends_with('}');
}
bool is_rest(std::string_view part) {
  return part.starts_with('{') && part.ends_with("...}");
}

std::string joined(std::span<const std::string> segments) {
  std::string text;
  for (const std::string& segment : segments) {
    if (!text.empty()) text += '/';
    text += segment;
  }
  return text;
}

std::optional<Parameters> fit(const std::vector<std::string>& pattern,
                              const std::vector<std::string>& segments) {
  Parameters parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string& part = pattern[i];
    if (is_rest(part)) {
      if (segments.size() < i) return std::nullopt;
      parameters[part.substr(1, part.size() - 5)] = joined(std::span(segments).subspan(i));
      return parameters;
    }
    if (i >= segments.size()) return std::nullopt;
    if (is_parameter(part)) {
      if (segments[i].empty()) return std::nullopt;
      parameters[part.substr(1, part.size() - 2)] = segments[i];
    } else if (part != segments[i]) {
      return std::nullopt;
    }
  }
  if (pattern.size() != segments.size()) return std::nullopt;
  return parameters;
}

}  // namespace

void Router::add(Method method, std::string_view pattern, Handler handler, RouteOptions options) {
  Request shape;
  shape.target = pattern;
  WARIFU_CHECK(parse_target(shape) && options.max_body <= limits::kMaxHttpBody);
  for (std::size_t i = 0; i + 1 < shape.segments.size(); ++i) {
    WARIFU_CHECK(!is_rest(shape.segments[i]));
  }
  routes_.push_back(
      {method, std::string(pattern), std::move(shape.segments), std::move(handler), options});
}

Router::Match Router::match(Method method, const std::vector<std::string>& segments) const {
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  Match found;
  for (const Route& route : routes_) {
    auto parameters = fit(route.pattern, segments);
    if (!parameters) continue;
    if (route.method == wanted) {
      found.route = &route;
      found.parameters = std::move(*parameters);
      return found;
    }
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += method_name(route.method);
  }
  return found;
}

}  // namespace warifu::http
