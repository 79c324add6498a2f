// [web]: pages for browsers on the site's own machine (web/settings.h).
#include "base/units.h"
#include "config/sections.h"

namespace warifu::config {
namespace {

constexpr std::uint64_t kLeastLife = 60;
constexpr std::uint64_t kMostLife = 7 * 86'400;
constexpr std::uint64_t kMostLook = 86'400;

Result<os::HostPort> parse_loopback(const std::string& text) {
  TRY_ASSIGN(os::HostPort address, os::HostPort::parse(text));
  if (address.port == 0) return fail(Code::kInvalidArgument, "name a port");
  if (is_loopback(address)) return address;
  return fail(Code::kInvalidArgument,
              "must be a loopback address, for example \"127.0.0.1:8480\": there is no TLS here; "
              "other machines come over [operators] listen");
}

}  // namespace

Result<> read_web(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "web", config.path);
  const auto life = [&](const char* key, std::chrono::seconds& value) -> Result<> {
    if (!reader.has(key)) return {};
    TRY_ASSIGN(const std::uint64_t seconds, reader.parsed(key, parse_duration));
    if (seconds < kLeastLife || seconds > kMostLife) {
      return bad_config(config.path, table.get(key), fmt::format("'web.{}' must be 1m to 7d", key));
    }
    value = std::chrono::seconds(seconds);
    return {};
  };
  web::Settings settings;
  if (reader.has("listen")) {
    TRY_ASSIGN(settings.listen, reader.parsed("listen", parse_loopback));
  }
  TRY(life("session", settings.session));
  TRY(life("idle", settings.idle));
  if (reader.has("look")) {
    TRY_ASSIGN(const std::uint64_t seconds, reader.parsed("look", parse_delay));
    if (seconds > kMostLook) {
      return bad_config(config.path, table.get("look"), "'web.look' must be 0s to 24h");
    }
    config.web_look = std::chrono::seconds(seconds);
  }
  TRY(reader.finish());
  if (reader.has("listen")) config.web = settings;
  return {};
}

}  // namespace warifu::config
