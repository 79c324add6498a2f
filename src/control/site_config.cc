// Reading and checking of the configuration, and routes over its links.
#include "control/site_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>

#include "control/config_sections.h"

namespace warifu::control {
namespace {

Result<> check_whole(const SiteConfig& config, const std::string& file) {
  const auto known = [&](const SiteName& site) { return config.find(site) != nullptr; };
  if (!known(config.name)) {
    return bad_config(file, nullptr,
                      fmt::format("site '{}' is not among [[sites]]", config.name.text()));
  }
  if (!known(config.controller)) {
    return bad_config(
        file, nullptr,
        fmt::format("controller '{}' is not among [[sites]]", config.controller.text()));
  }
  for (std::size_t i = 0; i < config.sites.size(); ++i) {
    for (std::size_t j = i + 1; j < config.sites.size(); ++j) {
      if (config.sites[i].name == config.sites[j].name ||
          config.sites[i].number == config.sites[j].number) {
        return bad_config(file, nullptr,
                          fmt::format("[[sites]] {} and {} share a name or a number",
                                      config.sites[i].name.text(), config.sites[j].name.text()));
      }
    }
  }
  for (const kme::SaeEntry& sae : config.kms ? config.kms->saes : std::vector<kme::SaeEntry>{}) {
    if (!known(sae.site)) {
      return bad_config(file, nullptr,
                        fmt::format("[[kms.saes]] {}: site '{}' is not among [[sites]]", sae.id,
                                    sae.site.text()));
    }
  }
  for (const LinkEntry& link : config.links) {
    if (!known(link.a) || !known(link.b) || link.a == link.b) {
      return bad_config(file, nullptr,
                        fmt::format("[[links]] {}-{} must join two different known sites",
                                    link.a.text(), link.b.text()));
    }
  }
  for (const PeerConfig& peer : config.peers) {
    const bool listed = std::ranges::any_of(config.links, [&](const LinkEntry& link) {
      return (link.a == config.name && link.b == peer.link.peer) ||
             (link.b == config.name && link.a == peer.link.peer);
    });
    if (!listed) {
      return bad_config(file, nullptr,
                        fmt::format("[[peers]] {} is not among [[links]]", peer.link.peer.text()));
    }
  }
  return {};
}

Result<> read_all(const toml::table& root, SiteConfig& config) {
  const std::string& file = config.path;
  ConfigTable top(root, "file", file);
  const toml::table* site = top.inner("site");
  if (site == nullptr) return bad_config(file, nullptr, "[site] is missing");
  ConfigTable reader(*site, "site", file);
  TRY_ASSIGN(config.name, reader.parsed("name", SiteName::parse));
  TRY_ASSIGN(config.listen, reader.parsed("listen", os::HostPort::parse));
  TRY_ASSIGN(config.api_socket, reader.text("api_socket"));
  TRY_ASSIGN(config.data_dir, reader.text("data_dir"));
  TRY_ASSIGN(config.log_file, reader.text_or("log_file", ""));
  TRY_ASSIGN(config.controller, reader.parsed("controller", SiteName::parse));
  TRY_ASSIGN(config.policy, reader.text_or("policy", ""));
  TRY_ASSIGN(config.allow_unlocked_memory, reader.flag("allow_unlocked_memory", false));
  TRY_ASSIGN(config.key_as_share, reader.flag("key_as_share", true));
  TRY(reader.finish());
  if (const toml::table* random = top.inner("random"); random != nullptr) {
    TRY(read_random(*random, config));
  }
  if (const toml::table* keys = top.inner("keys"); keys != nullptr) TRY(read_keys(*keys, config));
  if (const toml::table* metrics = top.inner("metrics"); metrics != nullptr) {
    TRY(read_metrics(*metrics, config));
  }
  TRY(for_each(root, "sites", file, [&](ConfigTable& entry, const toml::table&) -> Result<> {
    SiteEntry parsed;
    TRY_ASSIGN(parsed.name, entry.parsed("name", SiteName::parse));
    TRY_ASSIGN(const std::int64_t number, entry.number("number", 1, limits::kMaxSites));
    parsed.number = static_cast<std::uint8_t>(number);
    TRY_ASSIGN(parsed.labels, entry.texts("labels"));
    config.sites.push_back(std::move(parsed));
    return {};
  }));
  TRY(for_each(root, "links", file, [&](ConfigTable& entry, const toml::table&) -> Result<> {
    LinkEntry parsed;
    TRY_ASSIGN(parsed.a, entry.parsed("a", SiteName::parse));
    TRY_ASSIGN(parsed.b, entry.parsed("b", SiteName::parse));
    TRY_ASSIGN(parsed.link_class, entry.parsed("class", kme::parse_link_class));
    config.links.push_back(std::move(parsed));
    return {};
  }));
  TRY(for_each(root, "peers", file, [&](ConfigTable& entry, const toml::table& table) {
    return read_peer(entry, table, config);
  }));
  if (const toml::table* kms = top.inner("kms"); kms != nullptr) TRY(read_kms(*kms, config));
  for (const auto& [key, node] : root) {
    const std::string_view name = key.str();
    constexpr std::array kSections = {"site",  "random", "keys",  "metrics",
                                      "sites", "links",  "peers", "kms"};
    if (std::ranges::find(kSections, name) == kSections.end()) {
      return bad_config(file, &node, fmt::format("[{}] is not a known section", name));
    }
  }
  return check_whole(config, file);
}

}  // namespace

const SiteEntry* SiteConfig::find(const SiteName& site) const {
  const auto it = std::ranges::find(sites, site, &SiteEntry::name);
  return it == sites.end() ? nullptr : &*it;
}

Result<SiteConfig> load_site_config(const std::string& path) {
  TRY_ASSIGN(const Bytes text, os::read_file(os::real_files(), path, 1 << 20));
  SiteConfig config;
  config.path = path;
  try {
    const toml::table root = toml::parse(as_text(text), path);
    TRY(read_all(root, config));
  } catch (const toml::parse_error& error) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}:{}: {}", path, error.source().begin.line, error.description()));
  }
  return config;
}

namespace {

// One of the paths with fewest links; ties go by the order of the links.
std::vector<SiteName> shortest_path(const std::vector<LinkEntry>& links, const SiteName& from,
                                    const SiteName& to) {
  std::map<SiteName, SiteName> came_from = {{from, from}};
  std::deque<SiteName> queue = {from};
  while (!queue.empty() && !came_from.contains(to)) {
    const SiteName here = queue.front();
    queue.pop_front();
    for (const LinkEntry& link : links) {
      if (link.a != here && link.b != here) continue;
      const SiteName& next = link.a == here ? link.b : link.a;
      if (came_from.emplace(next, here).second) queue.push_back(next);
    }
  }
  std::vector<SiteName> path;
  if (!came_from.contains(to)) return path;
  for (SiteName at = to; at != from; at = came_from[at]) path.push_back(at);
  path.push_back(from);
  std::ranges::reverse(path);
  return path;
}

}  // namespace

std::vector<SiteName> travel_route(const std::vector<LinkEntry>& links, const SiteName& from,
                                   const SiteName& to) {
  std::vector<SiteName> route = {from};
  while (route.back() != to) {
    const auto rest = shortest_path(links, route.back(), to);
    if (rest.empty()) return {};
    route.push_back(rest[1]);
  }
  return route;
}

channel::Routes make_routes(const SiteConfig& config) {
  channel::Routes routes{.self = config.name};
  for (const PeerConfig& peer : config.peers) routes.addresses[peer.link.peer] = peer.address;
  for (const SiteEntry& site : config.sites) {
    if (site.name == config.name) continue;
    const auto path = travel_route(config.links, config.name, site.name);
    if (path.size() > 1) routes.next_hop[site.name] = path[1];
  }
  return routes;
}

}  // namespace warifu::control
