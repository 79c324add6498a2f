// The gate in front of a site's API: who asks, may he, and a line in the log before it is done.
//
// An operator is recognised by the certificate that the TLS listener has verified, or by the uid
// that the kernel tells of the process at the socket; by nothing that the request says. Acts that
// the table marks may need a confirmation besides (passphrases.h), in the header
// kConfirmationField, or a second operator (two_persons.h). Refusals are in the log too, at most
// kRefusalsAnHour of each operator (and of all unknown ones together) in an hour, so that nobody
// fills the disk with them.
//
// Ownership: settings, log and system must outlive it. Thread-safe.
#pragma once

#include <map>
#include <mutex>

#include "audit/log.h"
#include "base/log_limit.h"
#include "http/context.h"
#include "operators/passphrases.h"
#include "operators/route_table.h"
#include "operators/two_persons.h"

namespace warifu::operators {

inline constexpr unsigned kRefusalsAnHour = 200;
inline constexpr std::string_view kConfirmationField = "Warifu-Confirmation";

class Gate final : public http::Gatekeeper {
 public:
  // Both are nullptr where their rule is off, and must outlive it.
  struct Rules {
    TwoPersons* two_persons = nullptr;
    Passphrases* passphrases = nullptr;
  };
  Gate(os::System system, const Settings& settings, audit::Log& log, Rules rules)
      : system_(system), settings_(settings), log_(log), rules_(rules) {}

  [[nodiscard]] bool admit(http::RequestContext& context,
                           const http::Router::Route& route) override;
  void run(http::RequestContext& context, const http::Router::Route& route) override;

  // Who asks. Errors: kRefused: nobody whom this site knows.
  [[nodiscard]] Result<const Account*> recognise(const http::RequestContext& context) const;
  // For handlers whose request's body says what is wanted: may the one who asks do `what`, which
  // is for `roles`? Errors: kRefused, and it is in the log; kNoSpace, kIo of the log.
  [[nodiscard]] Result<> require(const http::RequestContext& context, RoleSet roles,
                                 const std::string& what);
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] TwoPersons* two_persons() const { return rules_.two_persons; }

 private:
  struct Hour {
    std::chrono::nanoseconds began{};
    unsigned refusals = 0;
  };
  Result<> judge(const http::RequestContext& context, const http::Router::Route& route);
  std::unexpected<Error> refuse(const std::string& name, const std::string& what, const Error& why,
                                const std::string& needs);
  bool is_confirmed(http::RequestContext& context, const http::Router::Route& route);
  void confirm(http::RequestContext& context, const Account& account);
  unsigned count_refusal(const std::string& name);

  os::System system_;
  const Settings& settings_;
  audit::Log& log_;
  Rules rules_;
  std::mutex mutex_;
  std::map<std::string, Hour> hours_;  // by operator; "" stands for all unknown ones
  LogLimit refusals_{"refusals"};
};

}  // namespace warifu::operators
