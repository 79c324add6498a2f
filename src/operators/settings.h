// Who works with a site, as its configuration says ([operators], docs/operators.md).
//
// Values, checked once when the configuration is read; thread-safe from then on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operators/roles.h"
#include "os/net.h"

namespace warifu::operators {

// One person, or one machine that works like one.
struct Account {
  std::string name;                       // [a-zA-Z0-9._-], 1 to 32 characters; in the log
  RoleSet roles;                          // at least one
  std::vector<std::string> certificates;  // SHA-256 fingerprints, 64 lower-case hex digits
  std::vector<std::uint32_t> users;       // uids at the site's socket
};

// The API over TLS; the same routes as at the socket.
struct TlsListener {
  os::HostPort listen;
  std::string certificate;  // PEM files of the server
  std::string key;
  std::string ca;  // PEM, signs the operators' certificates
};

struct Settings {
  std::vector<Account> accounts;
  std::optional<TlsListener> tls;
  bool two_person = false;     // acts that the table marks need a second operator (proposals.h)
  bool second_factor = false;  // acts that the table marks need a passphrase (passphrases.h)

  // nullptr: nobody has it.
  [[nodiscard]] const Account* by_certificate(std::string_view fingerprint) const;
  [[nodiscard]] const Account* by_user(std::uint32_t user) const;
  [[nodiscard]] const Account* find(std::string_view name) const;
  // True when somebody else than the site's own user may open the socket.
  [[nodiscard]] bool has_users() const;
  // Errors: kInvalidArgument: no account, a name that is none or stands twice, an account without
  // role or without a way to be recognised, two_person with one account, one certificate or uid for
  // two people, certificates without a TLS listener to show them at.
  [[nodiscard]] Result<> check() const;
};

// 64 hexadecimal digits of any case, with or without colons, as openssl prints them. Errors:
// kInvalidArgument.
[[nodiscard]] Result<std::string> parse_fingerprint(std::string_view text);

}  // namespace warifu::operators
