// Sections of a site's configuration, each read by its own file; site_config.cc puts them together.
//
// Every function reads one table into `config` or says in which line what is wrong
// (kInvalidArgument, with file and line).
#pragma once

#include "config/site_config.h"
#include "config/table.h"

namespace warifu::config {

// Whether only this machine reaches it, by the names that pages and clients use.
[[nodiscard]] inline bool is_loopback(const os::HostPort& address) {
  return address.host == "127.0.0.1" || address.host == "localhost";
}

// [keys], [metrics] and [store]; [keys] before [[peers]], which take its levels as their defaults.
[[nodiscard]] Result<> read_keys(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_metrics(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_store(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_random(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_kms(const toml::table& table, SiteConfig& config);
// After [[links]] and [[peers]].
[[nodiscard]] Result<> read_refresh(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_log(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_jobs(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_catalog(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_cards(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_break_glass(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_uploads(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_genome(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_operators(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_htsget(const toml::table& table, SiteConfig& config);
[[nodiscard]] Result<> read_web(const toml::table& table, SiteConfig& config);
// One [[peers]]; `reader` reads `table`.
[[nodiscard]] Result<> read_peer(ConfigTable& reader, const toml::table& table, SiteConfig& config);
// One [[sites]].
[[nodiscard]] Result<> read_site_entry(ConfigTable& entry, const toml::table& table,
                                       SiteConfig& config);
// A key device; `name` is the table's, for errors.
[[nodiscard]] Result<DeviceConfig> read_device(const toml::table& table, const char* name,
                                               const std::string& file);

}  // namespace warifu::config
