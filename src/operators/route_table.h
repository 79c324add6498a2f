// Which role may use which route of a site's API: one table, to be read from top to bottom.
//
// A route that does not stand in it is refused to everybody, and a test holds it against the routes
// that are served, so a new one is thought about before it is used. Constant; thread-safe.
#pragma once

#include <span>

#include "http/router.h"
#include "operators/roles.h"

namespace warifu::operators {

enum class RouteKind : std::uint8_t {
  kLook,     // tells something; not in the log
  kAct,      // does something, or gives a secret or a genome out: in the log before it is done
  kStep,     // carries an act on that is in the log since it began
  kApprove,  // decides a proposal; who has the act's own role may
  kReject,
  kConfirm,  // the second factor itself
};

// What an act takes besides its role, where the configuration says so.
enum class RouteCare : std::uint8_t {
  kUsual,
  kConfirmed,   // the second factor
  kTwoPersons,  // the second factor of two operators, one after the other
};

struct RouteRule {
  http::Method method;
  std::string_view path;  // as the router has it
  RoleSet roles;          // any of them
  RouteKind kind;
  RouteCare care = RouteCare::kUsual;
};

[[nodiscard]] std::span<const RouteRule> route_table();
// nullptr: there is no such row.
[[nodiscard]] const RouteRule* find_rule(http::Method method, std::string_view path);

}  // namespace warifu::operators
