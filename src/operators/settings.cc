// Looking people up, and the rules that accounts follow.
#include "operators/settings.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"

namespace warifu::operators {
namespace {

constexpr std::size_t kMaxName = 32;
constexpr std::size_t kFingerprintBytes = 32;

bool is_name(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kMaxName && std::ranges::all_of(text, good);
}

}  // namespace

const Account* Settings::by_certificate(std::string_view fingerprint) const {
  const auto found = std::ranges::find_if(accounts, [&](const Account& account) {
    return std::ranges::find(account.certificates, fingerprint) != account.certificates.end();
  });
  return found == accounts.end() ? nullptr : &*found;
}

const Account* Settings::by_user(std::uint32_t user) const {
  const auto found = std::ranges::find_if(accounts, [&](const Account& account) {
    return std::ranges::find(account.users, user) != account.users.end();
  });
  return found == accounts.end() ? nullptr : &*found;
}

const Account* Settings::find(std::string_view name) const {
  const auto found = std::ranges::find(accounts, name, &Account::name);
  return found == accounts.end() ? nullptr : &*found;
}

bool Settings::has_users() const {
  return std::ranges::any_of(accounts, [](const Account& one) { return !one.users.empty(); });
}

Result<> Settings::check() const {
  const auto wrong = [](const std::string& what) { return fail(Code::kInvalidArgument, what); };
  if (accounts.empty())
    return wrong("there is no [[operators.accounts]]: nobody could do anything");
  if (two_person && accounts.size() < 2) {
    return wrong("'two_person' with one operator: nobody could approve anything");
  }
  std::set<std::string> names, certificates;
  std::set<std::uint32_t> users;
  for (const Account& account : accounts) {
    if (!is_name(account.name)) {
      return wrong("operator '" + account.name + "': a name has 1 to 32 of a-z A-Z 0-9 . _ -");
    }
    const std::string who = "operator " + account.name;
    if (!names.insert(account.name).second) return wrong(who + " stands there twice");
    if (account.roles.empty()) return wrong(who + " has no role");
    if (account.certificates.empty() && account.users.empty()) {
      return wrong(who + " cannot be recognised: give 'certificates' or 'users'");
    }
    if (!account.certificates.empty() && !tls) {
      return wrong(who + " has a certificate, but there is no 'listen' to show it at");
    }
    for (const std::string& one : account.certificates) {
      if (!certificates.insert(one).second) return wrong(who + " has another one's certificate");
    }
    for (const std::uint32_t one : account.users) {
      if (!users.insert(one).second) {
        return wrong(who + " has another one's user " + std::to_string(one));
      }
    }
  }
  return {};
}

Result<std::string> parse_fingerprint(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ':') digits += c;
  }
  const auto bytes = from_hex(digits);
  if (!bytes || bytes->size() != kFingerprintBytes) {
    return fail(Code::kInvalidArgument,
                "'" + std::string(text) + "' is no SHA-256 fingerprint (64 hexadecimal digits)");
  }
  return to_hex(*bytes);
}

}  // namespace warifu::operators
