// Reading and checking of the configuration, and routes over its links.
#include "config/site_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <span>

#include "config/sections.h"

namespace warifu::config {
namespace {

// Relays must be known, and so many that the paths can be disjoint at all.
Result<> check_relayed(const SiteConfig& config, const std::string& file) {
  for (std::size_t i = 0; i < config.links.size(); ++i) {
    const LinkEntry& link = config.links[i];
    const std::string name = fmt::format("[[links]] {}-{}", link.a.text(), link.b.text());
    for (const SiteName& relay : link.via) {
      if (config.find(relay) == nullptr || relay == link.a || relay == link.b) {
        return bad_config(
            file, nullptr,
            fmt::format("{}: 'via' names {}, which is no other site", name, relay.text()));
      }
    }
    for (std::size_t j = 0; j < i; ++j) {
      const bool twice = config.links[j].joins(link.a, link.b);
      if (twice && (link.is_relayed() || config.links[j].is_relayed())) {
        return bad_config(file, nullptr, name + " has a link of its own and needs no relayed one");
      }
    }
    if (!link.is_relayed()) continue;
    if (!kme::disjoint_paths(relay_graph(config.links, link), link.a, link.b, link.paths, 0)) {
      return bad_config(file, nullptr,
                        fmt::format("{}: there are no {} paths over different sites{}", name,
                                    link.paths, link.paths > 1 ? "; see 'paths'" : ""));
    }
  }
  return {};
}

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
  TRY(check_relayed(config, file));
  for (const PeerConfig& peer : config.peers) {
    const LinkEntry* link = find_link(config.links, config.name, peer.link.peer);
    if (link == nullptr) {
      return bad_config(file, nullptr,
                        fmt::format("[[peers]] {} is not among [[links]]", peer.link.peer.text()));
    }
    const bool relayed = peer.link.link_class == kme::LinkClass::kRelayed;
    if (relayed != link->is_relayed()) {
      return bad_config(file, nullptr,
                        fmt::format("link to {}: it is relayed in [[links]] or in [[peers]] only",
                                    peer.link.peer.text()));
    }
  }
  return {};
}

// What follows from the whole file: the paths of a relayed link stand in [[links]].
void complete_links(SiteConfig& config) {
  for (LinkEntry& link : config.links) {
    if (!link.is_relayed() || !link.via.empty()) continue;
    for (const SiteEntry& site : config.sites) {
      if (site.name != link.a && site.name != link.b) link.via.push_back(site.name);
    }
  }
  for (PeerConfig& peer : config.peers) {
    const LinkEntry* link = find_link(config.links, config.name, peer.link.peer);
    if (link != nullptr) peer.link.relay_paths = link->paths;
  }
}

Result<LinkEntry> read_link(ConfigTable& entry, const toml::table& table, const std::string& file) {
  LinkEntry link;
  TRY_ASSIGN(link.a, entry.parsed("a", SiteName::parse));
  TRY_ASSIGN(link.b, entry.parsed("b", SiteName::parse));
  TRY_ASSIGN(link.link_class, entry.parsed("class", kme::parse_link_class));
  if (!link.is_relayed()) return link;
  std::int64_t paths = 2;
  TRY(entry.number_or("paths", 1, kme::kMaxRelayPaths, paths));
  link.paths = static_cast<unsigned>(paths);
  TRY_ASSIGN(const auto via, entry.texts("via"));
  for (const std::string& name : via) {
    auto site = SiteName::parse(name);
    if (!site) return bad_config(file, table.get("via"), "'links.via': " + site.error().message);
    link.via.push_back(std::move(*site));
  }
  return link;
}

Result<> read_own(const toml::table& site, SiteConfig& config) {
  ConfigTable reader(site, "site", config.path);
  TRY_ASSIGN(config.name, reader.parsed("name", SiteName::parse));
  TRY_ASSIGN(config.listen, reader.parsed("listen", os::HostPort::parse));
  TRY_ASSIGN(config.api_socket, reader.text("api_socket"));
  TRY_ASSIGN(config.data_dir, reader.text("data_dir"));
  TRY_ASSIGN(config.log_file, reader.text_or("log_file", ""));
  TRY_ASSIGN(config.controller, reader.parsed("controller", SiteName::parse));
  TRY_ASSIGN(config.policy, reader.text_or("policy", ""));
  TRY_ASSIGN(config.allow_unlocked_memory, reader.flag("allow_unlocked_memory", false));
  TRY_ASSIGN(config.key_as_share, reader.flag("key_as_share", true));
  return reader.finish();
}

// A section that may be left out.
struct Section {
  std::string_view name;
  Result<> (*read)(const toml::table& table, SiteConfig& config);
};
// Limits in [keys] are those of every peer that has none of its own.
constexpr std::array kSectionsBeforeLists = {
    Section{"random", read_random}, Section{"keys", read_keys}, Section{"metrics", read_metrics},
    Section{"store", read_store}};
constexpr std::array kLists = {"sites", "links", "peers"};
constexpr std::array kSections = {Section{"catalog", read_catalog},
                                  Section{"cards", read_cards},
                                  Section{"break_glass", read_break_glass},
                                  Section{"genome", read_genome},
                                  Section{"uploads", read_uploads},
                                  Section{"jobs", read_jobs},
                                  Section{"refresh", read_refresh},
                                  Section{"log", read_log},
                                  Section{"kms", read_kms},
                                  Section{"operators", read_operators},
                                  Section{"web", read_web},
                                  Section{"htsget", read_htsget}};

// What is no table is refused, not passed over: [operators] left out means that everybody may do
// everything.
Result<> read_sections(const toml::table& root, std::span<const Section> sections,
                       SiteConfig& config) {
  for (const Section& section : sections) {
    const toml::node* node = root.get(section.name);
    if (node == nullptr) continue;
    if (!node->is_table()) {
      return bad_config(config.path, node,
                        fmt::format("write [{0}], and lists in it as [[{0}.NAME]]", section.name));
    }
    TRY(section.read(*node->as_table(), config));
  }
  return {};
}

Result<> read_lists(const toml::table& root, SiteConfig& config) {
  const std::string& file = config.path;
  TRY(for_each(root, "sites", file, [&](ConfigTable& entry, const toml::table& table) {
    return read_site_entry(entry, table, config);
  }));
  TRY(for_each(root, "links", file, [&](ConfigTable& entry, const toml::table& table) -> Result<> {
    TRY_ASSIGN(LinkEntry parsed, read_link(entry, table, file));
    config.links.push_back(std::move(parsed));
    return {};
  }));
  return for_each(root, "peers", file, [&](ConfigTable& entry, const toml::table& table) {
    return read_peer(entry, table, config);
  });
}

Result<> check_sections(const toml::table& root, const std::string& file) {
  for (const auto& [key, node] : root) {
    const std::string_view name = key.str();
    const auto has = [&](const auto& sections) {
      return std::ranges::find(sections, name, &Section::name) != sections.end();
    };
    const bool known = name == "site" || has(kSectionsBeforeLists) || has(kSections) ||
                       std::ranges::find(kLists, name) != kLists.end();
    if (!known) return bad_config(file, &node, fmt::format("[{}] is not a known section", name));
  }
  return {};
}

Result<> read_all(const toml::table& root, SiteConfig& config) {
  const toml::table* site = root["site"].as_table();
  if (site == nullptr) return bad_config(config.path, nullptr, "[site] is missing");
  TRY(read_own(*site, config));
  TRY(read_sections(root, kSectionsBeforeLists, config));
  TRY(read_lists(root, config));
  TRY(read_sections(root, kSections, config));
  TRY(check_sections(root, config.path));
  complete_links(config);
  return check_whole(config, config.path);
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

// A path to a site and the links it takes, the last in the order of the network first.
struct Reached {
  std::vector<std::size_t> links;
  std::vector<SiteName> path;
};

// The path with fewest links that have key of their own. Of several, the one whose last link in the
// order of the network comes first, and so on: as if link i weighed a little more, by 2^i. So there
// is one best path between two sites, the same in both directions and for every site on it.
std::vector<SiteName> shortest_path(const std::vector<LinkEntry>& links, const SiteName& from,
                                    const SiteName& to) {
  std::map<SiteName, Reached> known = {{from, {{}, {from}}}};
  std::map<SiteName, Reached> edge = known;
  while (!edge.empty() && !known.contains(to)) {
    std::map<SiteName, Reached> next;
    for (std::size_t i = 0; i < links.size(); ++i) {
      if (links[i].is_relayed()) continue;
      for (const auto& [here, there] :
           {std::pair{links[i].a, links[i].b}, std::pair{links[i].b, links[i].a}}) {
        const auto at = edge.find(here);
        if (at == edge.end() || known.contains(there)) continue;
        Reached reached = at->second;
        reached.links.push_back(i);
        std::ranges::sort(reached.links, std::greater{});
        reached.path.push_back(there);
        const auto best = next.find(there);
        if (best == next.end()) {
          next.emplace(there, std::move(reached));
        } else if (reached.links < best->second.links) {
          best->second = std::move(reached);
        }
      }
    }
    known.insert(next.begin(), next.end());
    edge = std::move(next);
  }
  const auto found = known.find(to);
  return found == known.end() ? std::vector<SiteName>{} : found->second.path;
}

}  // namespace

const LinkEntry* find_link(const std::vector<LinkEntry>& links, const SiteName& x,
                           const SiteName& y) {
  const auto it =
      std::ranges::find_if(links, [&](const LinkEntry& link) { return link.joins(x, y); });
  return it == links.end() ? nullptr : &*it;
}

std::set<SiteName> key_relays(const std::vector<LinkEntry>& links,
                              const std::vector<SiteName>& route) {
  std::set<SiteName> relays;
  for (std::size_t i = 0; i + 1 < route.size(); ++i) {
    const LinkEntry* link = find_link(links, route[i], route[i + 1]);
    if (link == nullptr || !link->is_relayed() || link->paths > 1) continue;
    relays.insert(link->via.begin(), link->via.end());
  }
  return relays;
}

std::vector<kme::RelayEdge> relay_graph(const std::vector<LinkEntry>& links,
                                        const LinkEntry& relayed) {
  const auto may = [&](const SiteName& site) {
    return site == relayed.a || site == relayed.b ||
           std::ranges::find(relayed.via, site) != relayed.via.end();
  };
  std::vector<kme::RelayEdge> edges;
  for (const LinkEntry& link : links) {
    if (link.is_relayed() || !may(link.a) || !may(link.b)) continue;
    edges.push_back({link.a, link.b, std::nullopt, 0});
    edges.push_back({link.b, link.a, std::nullopt, 0});
  }
  return edges;
}

std::vector<SiteName> travel_route(const std::vector<LinkEntry>& links, const SiteName& from,
                                   const SiteName& to) {
  const LinkEntry* link = find_link(links, from, to);
  if (link != nullptr && link->is_relayed()) return {from, to};
  return shortest_path(links, from, to);
}

channel::Routes make_routes(const SiteConfig& config) {
  channel::Routes routes{.self = config.name};
  for (const PeerConfig& peer : config.peers) {
    routes.addresses[peer.link.peer] = peer.address;
    if (peer.link.link_class == kme::LinkClass::kRelayed) routes.relayed.insert(peer.link.peer);
  }
  for (const SiteEntry& site : config.sites) {
    if (site.name == config.name) continue;
    const auto path = shortest_path(config.links, config.name, site.name);
    if (path.size() > 1) routes.next_hop[site.name] = path[1];
  }
  return routes;
}

}  // namespace warifu::config
