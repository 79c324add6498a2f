// [catalog]: where copies of the catalog are kept. [jobs]: how many run at once.
// [refresh]: how old shares become. [log]: its witnesses.
#include <algorithm>

#include "base/units.h"
#include "control/config_sections.h"

namespace warifu::control {

Result<> read_refresh(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "refresh", config.path);
  TRY_ASSIGN(const std::uint64_t seconds, reader.parsed("interval", parse_duration));
  if (seconds == 0 || seconds > 36'500ULL * 86'400) {
    return bad_config(config.path, table.get("interval"),
                      "'refresh.interval' must be 1 s to 36500 days, like \"365d\"");
  }
  config.refresh_interval = std::chrono::seconds(seconds);
  if (reader.has("reserve")) {
    TRY_ASSIGN(config.refresh_reserve, reader.parsed("reserve", parse_size));
  }
  return reader.finish();
}

Result<> read_log(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "log", config.path);
  TRY_ASSIGN(const std::uint64_t seconds, reader.parsed("witness_interval", parse_duration));
  if (seconds > 86'400) {
    return bad_config(config.path, table.get("witness_interval"),
                      "'log.witness_interval' must be 0s to 24h");
  }
  config.log_interval = std::chrono::seconds(seconds);
  return reader.finish();
}

Result<> read_jobs(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "jobs", config.path);
  std::int64_t active = config.active_jobs;
  TRY(reader.number_or("active", 1, 64, active));
  config.active_jobs = static_cast<unsigned>(active);
  return reader.finish();
}

Result<> read_catalog(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "catalog", config.path);
  TRY_ASSIGN(const auto names, reader.texts("copies"));
  std::int64_t threshold = 2, seconds = 30;
  TRY(reader.number_or("threshold", 2, sharing::kMaxShares, threshold));
  TRY(reader.number_or("copy_interval", 1, 86'400, seconds));
  TRY(reader.finish());
  config.copies.interval = std::chrono::seconds(seconds);
  for (const std::string& name : names) {
    const auto bad = [&](const std::string& why) {
      return bad_config(config.path, table.get("copies"), "'catalog.copies': " + name + why);
    };
    const auto parsed = SiteName::parse(name);
    if (!parsed) return bad(": " + parsed.error().message);
    const SiteName& holder = *parsed;
    if (std::ranges::find(config.copies.holders, holder) != config.copies.holders.end()) {
      return bad(" stands twice");
    }
    // A site on the way would see a share that is not its own.
    const auto peer = std::ranges::find_if(
        config.peers, [&](const PeerConfig& p) { return p.link.peer == holder; });
    if (peer == config.peers.end()) return bad(" has no link to this site");
    const LinkEntry* link = find_link(config.links, config.name, holder);
    if (link != nullptr && link->is_relayed() && link->paths < 2) {
      return bad(" gets its key over one path, whose relays know it");
    }
    config.copies.holders.push_back(holder);
  }
  if (names.empty()) return {};
  const auto scheme = sharing::Scheme::threshold_of(static_cast<unsigned>(threshold),
                                                    static_cast<unsigned>(names.size()));
  if (!scheme) {
    return bad_config(config.path, table.get("copies"),
                      "'catalog.copies' must name at least 'threshold' sites, two or more");
  }
  config.copies.scheme = *scheme;
  return {};
}

}  // namespace warifu::control
