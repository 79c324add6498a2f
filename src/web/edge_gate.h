// What stands in front of the API where browsers come to it.
//
// A browser sends cookies and shows certificates for pages of any origin, so who it is proves
// nothing about who wants a request. Therefore, at every listener: what a browser says comes from
// another origin (Origin, Sec-Fetch-Site) is refused, and what changes something needs kPageField
// too, which pages of other origins cannot send; htsget excepted, whose authority is a view's token
// and which names the origins that may ask. At the listener on loopback besides: the name that
// was dialled (Host) is one of the loopback's, against names that are made to point here; and every
// request of the API belongs to a session, whose key stands in kPageField. Then the operators' gate
// decides, if there is one.
//
// Ownership: sessions must outlive it. Thread-safe.
#pragma once

#include <memory>

#include "http/context.h"
#include "web/sessions.h"

namespace warifu::web {

inline constexpr std::string_view kPageField = "Warifu-Page";

class EdgeGate final : public http::Gatekeeper {
 public:
  // `sessions`: nullptr at the TLS listener, where certificates say who asks. `port`: of the
  // listener. `inner`: nullptr in single-operator mode.
  EdgeGate(Sessions* sessions, std::uint16_t port, std::shared_ptr<http::Gatekeeper> inner)
      : sessions_(sessions), port_(port), inner_(std::move(inner)) {}

  [[nodiscard]] bool admit(http::RequestContext& context,
                           const http::Router::Route& route) override;
  void run(http::RequestContext& context, const http::Router::Route& route) override;

 private:
  bool has_session(http::RequestContext& context) const;
  [[nodiscard]] bool passes(const http::Router::Route& route) const;

  Sessions* sessions_;
  std::uint16_t port_;
  std::shared_ptr<http::Gatekeeper> inner_;
};

// What every gate in front of browsers asks first; false: it was answered.
// The name that was dialled is one of loopback's (421 else).
[[nodiscard]] bool check_loopback_name(http::RequestContext& context, std::uint16_t port);
// It comes from a page of this origin (403 else): as the browser says, and, for what changes
// something, by kPageField. `scheme`: "http", where everything comes from browsers, or "https",
// where programs come too.
[[nodiscard]] bool check_origin(http::RequestContext& context, const http::Router::Route& route,
                                std::string_view scheme);

// "warifu_session_8443": one per port, as cookies are shared by all ports of a host.
[[nodiscard]] std::string cookie_name(std::uint16_t port);
// The cookie's value in a request; empty when it has none.
[[nodiscard]] std::string_view cookie_of(const http::RequestContext& context,
                                         std::string_view name);

}  // namespace warifu::web
