// From method and path to a handler.
//
// A pattern is "/api/v1/keys/{sae}/status"; a last segment "{rest...}" takes all that remains.
// Patterns are tried in the order they were added. Immutable once the server has it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/message.h"

namespace warifu::http {

class RequestContext;
using Handler = std::function<void(RequestContext&)>;

struct RouteOptions {
  bool stream_body = false;  // the handler reads the body itself with read_body_some()
  bool secret_body = false;  // bodies of request and response live in secret memory or are wiped
  std::size_t max_body = 1024 * 1024;  // of a body that is not streamed; larger: 413
};

using Parameters = std::map<std::string, std::string, std::less<>>;

class Gatekeeper;

class Router {
 public:
  struct Route {
    Method method;
    std::string path;  // the pattern as it was added
    std::vector<std::string> pattern;
    Handler handler;
    RouteOptions options;
  };
  struct Match {
    const Route* route = nullptr;  // nullptr: see `allowed`
    Parameters parameters;
    std::string allowed;  // "GET, POST" when the path is known under other methods only
  };

  // HEAD is answered by the route for GET, without the body.
  void add(Method method, std::string_view pattern, Handler handler, RouteOptions options = {});
  [[nodiscard]] Match match(Method method, const std::vector<std::string>& segments) const;
  // All routes, in the order they were added.
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

  // Asked about every request that has a route; without one every request is served.
  void set_gatekeeper(std::shared_ptr<Gatekeeper> keeper) { keeper_ = std::move(keeper); }
  [[nodiscard]] Gatekeeper* gatekeeper() const { return keeper_.get(); }

 private:
  std::vector<Route> routes_;
  std::shared_ptr<Gatekeeper> keeper_;
};

// Stands between requests and handlers: who may use a route, and what is noted of it. Called from
// several threads at once; admit() and run() of one request by the same thread.
class Gatekeeper {
 public:
  virtual ~Gatekeeper() = default;
  // Before a byte of the body is read. False: it has answered, and the handler is not called.
  [[nodiscard]] virtual bool admit(RequestContext& context, const Router::Route& route) = 0;
  // In the place of the handler, which it calls or answers for.
  virtual void run(RequestContext& context, const Router::Route& route) = 0;
};

}  // namespace warifu::http
