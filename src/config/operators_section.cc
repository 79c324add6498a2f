// [operators]: who works with the site (operators/settings.h).
#include "config/sections.h"

namespace warifu::config {
namespace {

Result<operators::Account> read_account(ConfigTable& reader, const toml::table& table,
                                        const std::string& file) {
  operators::Account account;
  TRY_ASSIGN(account.name, reader.text("name"));
  TRY_ASSIGN(const auto roles, reader.texts("roles"));
  for (const std::string& text : roles) {
    const auto role = operators::parse_role(text);
    if (!role) return bad_config(file, table.get("roles"), role.error().message);
    account.roles.add(*role);
  }
  TRY_ASSIGN(const auto certificates, reader.texts("certificates"));
  for (const std::string& text : certificates) {
    auto one = operators::parse_fingerprint(text);
    if (!one) return bad_config(file, table.get("certificates"), one.error().message);
    account.certificates.push_back(std::move(*one));
  }
  TRY_ASSIGN(account.users, reader.users("users"));
  return account;
}

}  // namespace

Result<> read_operators(const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  ConfigTable reader(table, "operators", file);
  operators::Settings settings;
  if (reader.has("listen")) {
    operators::TlsListener tls;
    TRY_ASSIGN(tls.listen, reader.parsed("listen", os::HostPort::parse));
    TRY_ASSIGN(tls.certificate, reader.text("certificate"));
    TRY_ASSIGN(tls.key, reader.text("key"));
    TRY_ASSIGN(tls.ca, reader.text("ca"));
    settings.tls = std::move(tls);
  }
  TRY_ASSIGN(settings.two_person, reader.flag("two_person", false));
  TRY_ASSIGN(settings.second_factor, reader.flag("second_factor", false));
  (void)reader.inner("accounts");
  TRY(reader.finish());
  TRY(for_each(table, "accounts", file,
               [&](ConfigTable& entry, const toml::table& account) -> Result<> {
                 TRY_ASSIGN(auto read, read_account(entry, account, file));
                 settings.accounts.push_back(std::move(read));
                 return {};
               }));
  if (const auto sane = settings.check(); !sane) {
    return bad_config(file, &table, "[operators]: " + sane.error().message);
  }
  config.operators = std::move(settings);
  return {};
}

}  // namespace warifu::config
