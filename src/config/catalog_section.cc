// [catalog]: where copies of the catalog are kept. [cards]: where shares of card records are, and
// how long a lost card delays another one, whose signature cards count. [jobs]: how many run at
// once. [uploads]: how long they are kept. [refresh]: how old shares become. [log]: its witnesses.
#include <algorithm>

#include "base/units.h"
#include "config/sections.h"

namespace warifu::config {

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
  TRY_ASSIGN(const std::uint64_t seconds, reader.parsed("witness_interval", parse_delay));
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

Result<> read_uploads(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "uploads", config.path);
  TRY_ASSIGN(const std::uint64_t seconds, reader.parsed("keep", parse_duration));
  if (seconds == 0 || seconds > 90ULL * 86'400) {
    return bad_config(config.path, table.get("keep"), "'uploads.keep' must be 1s to 90d");
  }
  config.upload_keep = std::chrono::seconds(seconds);
  return reader.finish();
}

namespace {

// The sites of a list that keep shares of something for this one, and the threshold: "2 of 3" of
// them. Empty: nowhere.
struct Holders {
  std::vector<SiteName> sites;
  sharing::Scheme scheme;
};

Result<Holders> read_holders(ConfigTable& reader, const toml::table& table, const char* section,
                             const char* key, const SiteConfig& config, bool may_be_own) {
  TRY_ASSIGN(const auto names, reader.texts(key));
  std::int64_t threshold = 2;
  TRY(reader.number_or("threshold", 2, sharing::kMaxShares, threshold));
  const std::string setting = fmt::format("'{}.{}'", section, key);
  Holders holders;
  for (const std::string& name : names) {
    const auto bad = [&](const std::string& why) {
      return bad_config(config.path, table.get(key), setting + ": " + name + why);
    };
    const auto parsed = SiteName::parse(name);
    if (!parsed) return bad(": " + parsed.error().message);
    const SiteName& holder = *parsed;
    if (std::ranges::find(holders.sites, holder) != holders.sites.end())
      return bad(" stands twice");
    holders.sites.push_back(holder);
    if (may_be_own && holder == config.name) continue;
    // A site on the way would see a share that is not its own.
    const auto peer = std::ranges::find_if(
        config.peers, [&](const PeerConfig& p) { return p.link.peer == holder; });
    if (peer == config.peers.end()) return bad(" has no link to this site");
    const LinkEntry* link = find_link(config.links, config.name, holder);
    if (link != nullptr && link->is_relayed() && link->paths < 2) {
      return bad(" gets its key over one path, whose relays know it");
    }
  }
  if (names.empty()) return holders;
  const auto scheme = sharing::Scheme::threshold_of(static_cast<unsigned>(threshold),
                                                    static_cast<unsigned>(names.size()));
  if (!scheme) {
    return bad_config(config.path, table.get(key),
                      setting + " must name at least 'threshold' sites, two or more");
  }
  holders.scheme = *scheme;
  return holders;
}

}  // namespace

Result<> read_catalog(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "catalog", config.path);
  TRY_ASSIGN(const Holders holders,
             read_holders(reader, table, "catalog", "copies", config, false));
  std::int64_t seconds = 30;
  TRY(reader.number_or("copy_interval", 1, 86'400, seconds));
  TRY(reader.finish());
  config.copies = {holders.sites, holders.scheme, std::chrono::seconds(seconds)};
  return {};
}

namespace {

// Whose signature cards count here, and how it is known that one was revoked.
Result<> read_signature_cards(ConfigTable& reader, const toml::table& table, SiteConfig& config) {
  consent::SignatureSettings& settings = config.signature_cards;
  const auto files = [&](const char* key, std::vector<std::string>& into) -> Result<> {
    if (!reader.has(key)) return {};
    TRY_ASSIGN(into, reader.texts(key));
    return {};
  };
  TRY(files("trust_anchors", settings.trust_anchors));
  TRY(files("test_anchors", settings.test_anchors));
  TRY(files("revocation_lists", settings.revocation_lists));
  if (reader.has("revocation_max_age")) {
    TRY_ASSIGN(const std::uint64_t seconds, reader.parsed("revocation_max_age", parse_duration));
    if (seconds == 0 || seconds > 366ULL * 86'400) {
      return bad_config(config.path, table.get("revocation_max_age"),
                        "'cards.revocation_max_age' must be 1s to 366d");
    }
    settings.revocation_max_age = std::chrono::seconds(seconds);
  }
  TRY_ASSIGN(const std::string missing, reader.text_or("revocation_missing", "refuse"));
  if (missing != "refuse" && missing != "accept") {
    return bad_config(config.path, table.get("revocation_missing"),
                      "'cards.revocation_missing' must be \"refuse\" or \"accept\"");
  }
  settings.accept_without_list = missing == "accept";
  return {};
}

}  // namespace

Result<> read_genome(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "genome", config.path);
  TRY_ASSIGN(const auto references, reader.texts("references"));
  for (const std::string& text : references) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
      return bad_config(config.path, table.get("references"),
                        "'genome.references': '" + text + "' must be ASSEMBLY=FILE");
    }
    config.reference_files[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return reader.finish();
}

Result<> read_cards(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "cards", config.path);
  TRY_ASSIGN(const Holders holders, read_holders(reader, table, "cards", "records", config, true));
  if (reader.has("reissue_delay")) {
    TRY_ASSIGN(const std::uint64_t seconds, reader.parsed("reissue_delay", parse_delay));
    if (seconds > 365ULL * 86'400) {
      return bad_config(config.path, table.get("reissue_delay"),
                        "'cards.reissue_delay' must be 0s to 365d");
    }
    config.reissue_delay = std::chrono::seconds(seconds);
  }
  TRY(read_signature_cards(reader, table, config));
  TRY(reader.finish());
  config.records = {holders.sites, holders.scheme};
  return {};
}

}  // namespace warifu::config
