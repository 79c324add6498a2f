// Reading and checking of the configuration, and routes over its links.
#include "control/site_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include <toml++/toml.h>

namespace warifu::control {
namespace {

std::unexpected<Error> bad(const std::string& file, const toml::node* node, std::string_view what) {
  const auto line = node == nullptr ? 0 : node->source().begin.line;
  return fail(Code::kInvalidArgument, line == 0 ? fmt::format("{}: {}", file, what)
                                                : fmt::format("{}:{}: {}", file, line, what));
}

// One table of the file, read key by key; what was not read is unknown.
class Table {
 public:
  Table(const toml::table& table, std::string name, const std::string& file)
      : table_(table), name_(std::move(name)), file_(file) {}

  Result<std::string> text(const char* key) {
    seen_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return bad(file_, &table_, fmt::format("'{}.{}' is missing", name_, key));
    const auto value = node->value<std::string>();
    if (!node->is_string() || !value || value->empty()) {
      return bad(file_, node, fmt::format("'{}.{}' must be a text in quotes", name_, key));
    }
    return *value;
  }
  Result<std::string> text_or(const char* key, std::string otherwise) {
    seen_.insert(key);
    if (table_.get(key) == nullptr) return otherwise;
    return text(key);
  }
  Result<std::int64_t> number(const char* key, std::int64_t least, std::int64_t most) {
    seen_.insert(key);
    const toml::node* node = table_.get(key);
    const auto value = node == nullptr ? std::nullopt : node->value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      return bad(file_, node == nullptr ? &table_ : node,
                 fmt::format("'{}.{}' must be a number from {} to {}", name_, key, least, most));
    }
    return *value;
  }
  // A number, with or without a fraction.
  Result<double> real(const char* key, double least, double most) {
    seen_.insert(key);
    const toml::node* node = table_.get(key);
    const auto value =
        node == nullptr || !node->is_number() ? std::nullopt : node->value<double>();
    if (!value || !(*value >= least && *value <= most)) {
      return bad(file_, node == nullptr ? &table_ : node,
                 fmt::format("'{}.{}' must be a number from {} to {}", name_, key, least, most));
    }
    return *value;
  }
  // The same for a setting that may be left out; `value` is then the default.
  Result<> number_or(const char* key, std::int64_t least, std::int64_t most, std::int64_t& value) {
    seen_.insert(key);
    if (table_.get(key) == nullptr) return {};
    TRY_ASSIGN(value, number(key, least, most));
    return {};
  }
  Result<bool> flag(const char* key, bool otherwise) {
    seen_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return otherwise;
    const auto value = node->value_exact<bool>();
    if (!value) return bad(file_, node, fmt::format("'{}.{}' must be true or false", name_, key));
    return *value;
  }
  // The text of `key` through `parse`, its error placed at the line.
  template <typename Parse>
  auto parsed(const char* key, Parse parse) -> decltype(parse(std::string())) {
    TRY_ASSIGN(const std::string value, text(key));
    auto result = parse(value);
    if (!result) {
      return bad(file_, table_.get(key),
                 fmt::format("'{}.{}': {}", name_, key, result.error().message));
    }
    return result;
  }
  Result<std::vector<std::string>> texts(const char* key) {
    seen_.insert(key);
    std::vector<std::string> values;
    const toml::array* array = table_[key].as_array();
    if (array == nullptr && table_.get(key) != nullptr) {
      return bad(file_, table_.get(key), fmt::format("'{}.{}' must be a list", name_, key));
    }
    if (array == nullptr) return values;
    for (const toml::node& node : *array) {
      const auto value = node.value_exact<std::string>();
      if (!value) return bad(file_, &node, fmt::format("'{}.{}' must hold texts", name_, key));
      values.push_back(*value);
    }
    return values;
  }
  const toml::table* inner(const char* key) {
    seen_.insert(key);
    return table_[key].as_table();
  }
  // The caller reads this key by itself.
  void note(const char* key) { seen_.insert(key); }
  Result<> finish() {
    for (const auto& [key, node] : table_) {
      if (!seen_.contains(std::string(key.str()))) {
        return bad(file_, &node, fmt::format("'{}.{}' is not a known setting", name_, key.str()));
      }
    }
    return {};
  }

 private:
  const toml::table& table_;
  std::string name_;
  const std::string& file_;
  std::set<std::string> seen_;
};

template <typename Read>
Result<> for_each(const toml::table& root, const char* key, const std::string& file, Read read) {
  const toml::node* node = root.get(key);
  if (node == nullptr) return {};
  const toml::array* array = node->as_array();
  if (array == nullptr) return bad(file, node, fmt::format("write [[{}]]", key));
  for (const toml::node& element : *array) {
    const toml::table* table = element.as_table();
    if (table == nullptr) return bad(file, &element, fmt::format("write [[{}]]", key));
    Table reader(*table, key, file);
    TRY(read(reader, *table));
    TRY(reader.finish());
  }
  return {};
}

Result<keypool::Origin> parse_device_origin(const std::string& text) {
  for (const auto origin : {keypool::Origin::kHardware, keypool::Origin::kSimulatedClicks,
                            keypool::Origin::kRateModel}) {
    if (text == keypool::origin_name(origin)) return origin;
  }
  return fail(Code::kInvalidArgument, "must be HARDWARE, SIMULATED_CLICKS or RATE_MODEL");
}

Result<DeviceConfig> read_device(const toml::table& table, const char* name,
                                 const std::string& file) {
  Table reader(table, name, file);
  DeviceConfig device;
  TRY_ASSIGN(device.url, reader.text("url"));
  TRY_ASSIGN(device.own_sae, reader.text("own_sae"));
  TRY_ASSIGN(device.peer_sae, reader.text("peer_sae"));
  TRY_ASSIGN(device.certificate, reader.text("certificate"));
  TRY_ASSIGN(device.key, reader.text("key"));
  TRY_ASSIGN(device.ca, reader.text("ca"));
  TRY_ASSIGN(device.origin, reader.parsed("origin", parse_device_origin));
  if (table.contains("high_water")) {
    TRY_ASSIGN(device.high_water_bytes, reader.parsed("high_water", parse_size));
  }
  TRY(reader.finish());
  return device;
}

// What a source is, and what its numbers may be called, as far as its kind decides it.
Result<> read_random_kind(Table& reader, const std::string& file, const toml::table& table,
                          RandomSourceConfig& source) {
  TRY_ASSIGN(source.kind, reader.parsed("kind", parse_random_kind));
  using keypool::Origin;
  switch (source.kind) {
    case RandomKind::kKernel: source.settings.origin = Origin::kKernelGenerator; break;
    case RandomKind::kCpu: source.settings.origin = Origin::kCpu; break;
    case RandomKind::kDevice:
    case RandomKind::kFile: {
      source.settings.origin = Origin::kHardware;
      TRY_ASSIGN(source.file, reader.text("path"));
      if (source.kind == RandomKind::kFile || table.contains("origin")) {
        TRY_ASSIGN(source.settings.origin, reader.parsed("origin", kme::parse_random_origin));
      }
      break;
    }
    case RandomKind::kQkd: {
      const toml::table* device = reader.inner("device");
      if (device == nullptr) {
        return bad(file, &table, "'random.source' of kind \"qkd\" needs [random.source.device]");
      }
      TRY_ASSIGN(source.device, read_device(*device, "random.source.device", file));
      source.settings.origin = source.device->origin;
      break;
    }
  }
  return {};
}

Result<> read_random_source(Table& reader, const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  RandomSourceConfig source;
  entropy::FeedSettings& settings = source.settings;
  TRY(read_random_kind(reader, file, table, source));
  TRY_ASSIGN(settings.name,
             reader.text_or("name", std::string(random_kind_name(source.kind))));
  for (const RandomSourceConfig& other : config.random_sources) {
    if (other.settings.name == settings.name) {
      return bad(file, &table,
                 fmt::format("'random.source.name': two sources are called '{}'", settings.name));
    }
  }
  if (settings.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") !=
          std::string::npos ||
      settings.name.size() > 32) {
    return bad(file, table.get("name"),
               fmt::format("'random.source.name': '{}' must be at most 32 of a-z, 0-9 and -",
                           settings.name));
  }
  const bool raw = source.kind == RandomKind::kDevice || source.kind == RandomKind::kFile;
  if (raw || table.contains("min_entropy_per_byte")) {
    TRY_ASSIGN(settings.min_entropy, reader.real("min_entropy_per_byte", entropy::kLeastMinEntropy,
                                                 entropy::kFullEntropy));
  }
  if (table.contains("alpha")) {
    TRY_ASSIGN(const std::int64_t alpha,
               reader.number("alpha", entropy::kLeastAlpha, entropy::kMostAlpha));
    settings.alpha_log2 = static_cast<unsigned>(alpha);
  }
  TRY_ASSIGN(settings.required, reader.flag("required", true));
  TRY_ASSIGN(settings.condition, reader.flag("condition", true));
  config.random_sources.push_back(std::move(source));
  return {};
}

Result<> read_random(const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  Table reader(table, "random", file);
  const toml::node* sources = table.get("source");
  if (sources == nullptr || !sources->is_array()) {
    TRY_ASSIGN(config.random_from, reader.parsed("source", kme::parse_random_from));
    return reader.finish();
  }
  config.random_from = kme::RandomFrom::kSources;
  reader.note("source");
  for (const toml::node& element : *sources->as_array()) {
    const toml::table* entry = element.as_table();
    if (entry == nullptr) return bad(file, &element, "write [[random.source]]");
    Table source(*entry, "random.source", file);
    TRY(read_random_source(source, *entry, config));
    TRY(source.finish());
  }
  if (table.contains("high_water")) {
    TRY_ASSIGN(config.random_high_water, reader.parsed("high_water", parse_size));
    if (config.random_high_water < kme::RandomFiller::kLeastHighWater) {
      return bad(file, table.get("high_water"), "'random.high_water' must be at least 1M");
    }
  }
  const auto holds = [](const RandomSourceConfig& source) {
    return source.settings.required && source.settings.carries_full_entropy();
  };
  if (std::ranges::none_of(config.random_sources, holds)) {
    return bad(file, sources,
               "'random.source': at least one source must be required and either conditioned or of "
               "8 bits of min-entropy per byte");
  }
  return reader.finish();
}

Result<> read_peer(Table& reader, const std::string& file, SiteConfig& config) {
  PeerConfig peer;
  TRY_ASSIGN(peer.link.peer, reader.parsed("site", SiteName::parse));
  TRY_ASSIGN(peer.address, reader.parsed("address", os::HostPort::parse));
  TRY_ASSIGN(peer.link.link_class, reader.parsed("class", kme::parse_link_class));
  TRY_ASSIGN(peer.link.id, reader.parsed("id", LinkId::parse));
  if (const toml::table* device = reader.inner("device"); device != nullptr) {
    TRY_ASSIGN(peer.device, read_device(*device, "peers.device", file));
  }
  const bool qkd = peer.link.link_class == kme::LinkClass::kQkd;
  if (qkd != peer.device.has_value()) {
    return bad(file, nullptr,
               fmt::format("link to {}: a qkd link needs [peers.device], a preshared link has none",
                           peer.link.peer.text()));
  }
  config.peers.push_back(std::move(peer));
  return {};
}

Result<> read_kms(const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  Table reader(table, "kms", file);
  kme::SaeSettings kms;
  TRY_ASSIGN(kms.listen, reader.parsed("listen", os::HostPort::parse));
  TRY_ASSIGN(kms.certificate, reader.text("certificate"));
  TRY_ASSIGN(kms.key, reader.text("key"));
  TRY_ASSIGN(kms.ca, reader.text("ca"));
  TRY_ASSIGN(kms.common_name_first, reader.flag("common_name_first", false));
  TRY(reader.number_or("key_size", 64, kme::kMaxSaeKeyBits, kms.key_size));
  TRY(reader.number_or("min_key_size", 64, kme::kMaxSaeKeyBits, kms.min_key_size));
  TRY(reader.number_or("max_key_size", 64, kme::kMaxSaeKeyBits, kms.max_key_size));
  TRY(reader.number_or("max_keys_per_request", 1, kme::kMaxSaeKeysPerRequest,
                       kms.max_keys_per_request));
  TRY(reader.number_or("max_additional_saes", 0, kme::kMaxAdditionalSaes, kms.max_additional));
  std::int64_t life = kms.life.count();
  TRY(reader.number_or("key_life_seconds", 1, 30 * 86400, life));
  kms.life = std::chrono::seconds(life);
  auto waiting = static_cast<std::int64_t>(kms.max_waiting);
  TRY(reader.number_or("max_waiting_keys", 1, 10'000'000, waiting));
  kms.max_waiting = static_cast<std::uint64_t>(waiting);
  (void)reader.inner("saes");
  TRY(reader.finish());
  TRY(for_each(table, "saes", file, [&](Table& entry, const toml::table&) -> Result<> {
    kme::SaeEntry sae;
    TRY_ASSIGN(sae.id, entry.text("id"));
    TRY_ASSIGN(sae.site, entry.parsed("site", SiteName::parse));
    TRY_ASSIGN(sae.identity, entry.text_or("identity", ""));
    kms.saes.push_back(std::move(sae));
    return {};
  }));
  if (const auto sane = kms.check(config.name); !sane) {
    return bad(file, &table, "[kms]: " + sane.error().message);
  }
  config.kms = std::move(kms);
  return {};
}

Result<> check_whole(const SiteConfig& config, const std::string& file) {
  const auto known = [&](const SiteName& site) { return config.find(site) != nullptr; };
  if (!known(config.name)) {
    return bad(file, nullptr, fmt::format("site '{}' is not among [[sites]]", config.name.text()));
  }
  if (!known(config.controller)) {
    return bad(file, nullptr,
               fmt::format("controller '{}' is not among [[sites]]", config.controller.text()));
  }
  for (std::size_t i = 0; i < config.sites.size(); ++i) {
    for (std::size_t j = i + 1; j < config.sites.size(); ++j) {
      if (config.sites[i].name == config.sites[j].name ||
          config.sites[i].number == config.sites[j].number) {
        return bad(file, nullptr,
                   fmt::format("[[sites]] {} and {} share a name or a number",
                               config.sites[i].name.text(), config.sites[j].name.text()));
      }
    }
  }
  for (const kme::SaeEntry& sae : config.kms ? config.kms->saes : std::vector<kme::SaeEntry>{}) {
    if (!known(sae.site)) {
      return bad(file, nullptr, fmt::format("[[kms.saes]] {}: site '{}' is not among [[sites]]",
                                            sae.id, sae.site.text()));
    }
  }
  for (const LinkEntry& link : config.links) {
    if (!known(link.a) || !known(link.b) || link.a == link.b) {
      return bad(file, nullptr,
                 fmt::format("[[links]] {}-{} must join two different known sites", link.a.text(),
                             link.b.text()));
    }
  }
  for (const PeerConfig& peer : config.peers) {
    const bool listed = std::ranges::any_of(config.links, [&](const LinkEntry& link) {
      return (link.a == config.name && link.b == peer.link.peer) ||
             (link.b == config.name && link.a == peer.link.peer);
    });
    if (!listed) {
      return bad(file, nullptr,
                 fmt::format("[[peers]] {} is not among [[links]]", peer.link.peer.text()));
    }
  }
  return {};
}

Result<> read_all(const toml::table& root, SiteConfig& config) {
  const std::string& file = config.path;
  Table top(root, "file", file);
  const toml::table* site = top.inner("site");
  if (site == nullptr) return bad(file, nullptr, "[site] is missing");
  Table reader(*site, "site", file);
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
  TRY(for_each(root, "sites", file, [&](Table& entry, const toml::table&) -> Result<> {
    SiteEntry parsed;
    TRY_ASSIGN(parsed.name, entry.parsed("name", SiteName::parse));
    TRY_ASSIGN(const std::int64_t number, entry.number("number", 1, limits::kMaxSites));
    parsed.number = static_cast<std::uint8_t>(number);
    TRY_ASSIGN(parsed.labels, entry.texts("labels"));
    config.sites.push_back(std::move(parsed));
    return {};
  }));
  TRY(for_each(root, "links", file, [&](Table& entry, const toml::table&) -> Result<> {
    LinkEntry parsed;
    TRY_ASSIGN(parsed.a, entry.parsed("a", SiteName::parse));
    TRY_ASSIGN(parsed.b, entry.parsed("b", SiteName::parse));
    TRY_ASSIGN(parsed.link_class, entry.parsed("class", kme::parse_link_class));
    config.links.push_back(std::move(parsed));
    return {};
  }));
  TRY(for_each(root, "peers", file, [&](Table& entry, const toml::table&) -> Result<> {
    return read_peer(entry, file, config);
  }));
  if (const toml::table* kms = top.inner("kms"); kms != nullptr) TRY(read_kms(*kms, config));
  for (const auto& [key, node] : root) {
    const std::string_view name = key.str();
    if (name != "site" && name != "random" && name != "sites" && name != "links" &&
        name != "peers" && name != "kms") {
      return bad(file, &node, fmt::format("[{}] is not a known section", name));
    }
  }
  return check_whole(config, file);
}

}  // namespace

Result<RandomKind> parse_random_kind(const std::string& text) {
  for (const auto kind : {RandomKind::kKernel, RandomKind::kCpu, RandomKind::kDevice,
                          RandomKind::kFile, RandomKind::kQkd}) {
    if (text == random_kind_name(kind)) return kind;
  }
  return fail(Code::kInvalidArgument,
              "'" + text + "' must be \"kernel\", \"cpu\", \"device\", \"file\" or \"qkd\"");
}

std::string_view random_kind_name(RandomKind kind) {
  switch (kind) {
    case RandomKind::kKernel: return "kernel";
    case RandomKind::kCpu: return "cpu";
    case RandomKind::kDevice: return "device";
    case RandomKind::kFile: return "file";
    case RandomKind::kQkd: return "qkd";
  }
  return "unknown";
}

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
