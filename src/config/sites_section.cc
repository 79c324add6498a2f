// [[sites]]: who there is, where it stands and what it can fail together with.
#include <algorithm>

#include "config/sections.h"
#include "config/site_selector.h"

namespace warifu::config {
namespace {

constexpr std::size_t kMaxRegion = 32;
constexpr std::size_t kMaxDomain = 64;
constexpr std::size_t kMaxDomains = 16;  // of one site

bool consists_of(const std::string& text, std::string_view more) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || more.contains(c);
  });
}

}  // namespace

Result<std::string> parse_region(const std::string& text) {
  const bool sound = !text.empty() && text.size() <= kMaxRegion && consists_of(text, "-");
  if (sound && text != "same" && text != "other") return text;
  return fail(Code::kInvalidArgument,
              fmt::format("'{}' is no region: 1 to {} characters of a-z, 0-9, '-', and neither "
                          "'same' nor 'other'",
                          text, kMaxRegion));
}

Result<std::string> parse_failure_domain(const std::string& text) {
  if (text.starts_with(kRegionPrefix)) {
    return fail(Code::kInvalidArgument,
                "'" + text + "': a region is a failure domain already; write it as 'region'");
  }
  const bool sound = !text.empty() && text.size() <= kMaxDomain && consists_of(text, "-:._");
  if (sound) return text;
  return fail(
      Code::kInvalidArgument,
      fmt::format("'{}' is no failure domain: 1 to {} characters of a-z, 0-9, '-', ':', '.', '_'",
                  text, kMaxDomain));
}

Result<> read_site_entry(ConfigTable& entry, const toml::table& table, SiteConfig& config) {
  SiteEntry parsed;
  TRY_ASSIGN(parsed.name, entry.parsed("name", SiteName::parse));
  TRY_ASSIGN(const std::int64_t number, entry.number("number", 1, limits::kMaxSites));
  parsed.number = static_cast<std::uint8_t>(number);
  TRY_ASSIGN(parsed.labels, entry.texts("labels"));
  for (const std::string& label : parsed.labels) {
    if (!label.starts_with(kRegionPrefix)) continue;
    return bad_config(config.path, table.get("labels"),
                      "'sites.labels': '" + label + "' is no label; write 'region'");
  }
  TRY_ASSIGN(parsed.accepts_shares, entry.flag("accepts_shares", true));
  if (entry.has("weight")) {
    TRY_ASSIGN(parsed.weight, entry.real("weight", 0.01, 100));
  }
  if (entry.has("region")) {
    TRY_ASSIGN(parsed.region, entry.parsed("region", parse_region));
  }
  TRY_ASSIGN(parsed.failure_domains, entry.texts("failure_domains"));
  const auto bad = [&](const std::string& why) {
    return bad_config(config.path, table.get("failure_domains"), "'sites.failure_domains': " + why);
  };
  if (parsed.failure_domains.size() > kMaxDomains) {
    return bad(fmt::format("a site lies in at most {}", kMaxDomains));
  }
  for (const std::string& domain : parsed.failure_domains) {
    const auto sound = parse_failure_domain(domain);
    if (!sound) return bad(sound.error().message);
    if (std::ranges::count(parsed.failure_domains, domain) > 1)
      return bad(domain + " stands twice");
  }
  config.sites.push_back(std::move(parsed));
  return {};
}

}  // namespace warifu::config
