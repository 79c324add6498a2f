// Links: their devices, levels of their pools, and where the figures are shown; how shares are
// kept.
#include <fmt/format.h>

#include "config/sections.h"
#include "kme/rate_model_config.h"

namespace warifu::config {
namespace {

constexpr std::uint64_t kLeastRelayed = 2ULL << 20;  // a part, and more than the control floor
constexpr std::uint64_t kMostRelayed = 64ULL << 30;

Result<keypool::Origin> parse_device_origin(const std::string& text) {
  for (const auto origin : {keypool::Origin::kHardware, keypool::Origin::kSimulatedClicks,
                            keypool::Origin::kRateModel}) {
    if (text == keypool::origin_name(origin)) return origin;
  }
  return fail(Code::kInvalidArgument, "must be HARDWARE, SIMULATED_CLICKS or RATE_MODEL");
}

// Levels that [keys] sets for all links and a [[peers]] for its own.
Result<> read_levels(ConfigTable& reader, kme::KeyLimits& limits) {
  TRY(reader.size_if_set("emergency_reserve", limits.emergency_bytes));
  TRY(reader.size_if_set("ready", limits.ready_bytes));
  TRY(reader.size_if_set("empty", limits.empty_bytes));
  TRY(reader.size_if_set("relay_reserve", limits.relay_reserve_bytes));
  return {};
}

Result<> check_levels(const kme::KeyLimits& limits, const std::string& file,
                      const toml::table& table, const std::string& of) {
  if (limits.empty_bytes < limits.ready_bytes) return {};
  return bad_config(file, &table, of + ": 'empty' must be less than 'ready'");
}

Result<os::HostPort> parse_loopback(const std::string& text) {
  TRY_ASSIGN(os::HostPort address, os::HostPort::parse(text));
  if (is_loopback(address) || address.host == "::1") return address;
  return fail(Code::kInvalidArgument,
              "must be a loopback address, for example \"127.0.0.1:9464\": there is no protection");
}

// One [peers.device], or several [[peers.device]].
Result<> read_devices(ConfigTable& reader, const toml::table& table, const std::string& file,
                      PeerConfig& peer) {
  const toml::table* one = reader.inner("device");
  const toml::node* node = table.get("device");
  if (one != nullptr) {
    TRY_ASSIGN(DeviceConfig device, read_device(*one, "peers.device", file));
    peer.devices.push_back(std::move(device));
  } else if (node != nullptr) {
    const toml::array* list = node->as_array();
    if (list == nullptr) return bad_config(file, node, "write [peers.device] or [[peers.device]]");
    for (const toml::node& element : *list) {
      const toml::table* inner = element.as_table();
      if (inner == nullptr) return bad_config(file, &element, "write [[peers.device]]");
      TRY_ASSIGN(DeviceConfig device, read_device(*inner, "peers.device", file));
      peer.devices.push_back(std::move(device));
    }
  }
  if (peer.devices.size() > 16) return bad_config(file, node, "a link has at most 16 devices");
  return {};
}

}  // namespace

Result<DeviceConfig> read_device(const toml::table& table, const char* name,
                                 const std::string& file) {
  ConfigTable reader(table, name, file);
  DeviceConfig device;
  TRY_ASSIGN(device.url, reader.text("url"));
  TRY_ASSIGN(device.own_sae, reader.text("own_sae"));
  TRY_ASSIGN(device.peer_sae, reader.text("peer_sae"));
  TRY_ASSIGN(device.certificate, reader.text("certificate"));
  TRY_ASSIGN(device.key, reader.text("key"));
  TRY_ASSIGN(device.ca, reader.text("ca"));
  TRY_ASSIGN(device.origin, reader.parsed("origin", parse_device_origin));
  TRY(reader.size_if_set("high_water", device.high_water_bytes));
  TRY_ASSIGN(device.alarms.qber, reader.fraction("qber_alarm"));
  if (reader.has("rate_alarm")) {
    TRY_ASSIGN(const std::uint64_t rate, reader.parsed("rate_alarm", kme::parse_bit_rate));
    device.alarms.rate_bits_per_second = static_cast<double>(rate);
  }
  TRY(reader.finish());
  return device;
}

Result<> read_keys(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "keys", config.path);
  TRY(read_levels(reader, config.key_limits));
  TRY(reader.size_if_set("trail", config.key_limits.trail_bytes));
  if (reader.has("hysteresis_percent")) {
    TRY_ASSIGN(const std::int64_t percent, reader.number("hysteresis_percent", 0, 50));
    config.key_limits.hysteresis_percent = static_cast<unsigned>(percent);
  }
  TRY(reader.finish());
  return check_levels(config.key_limits, config.path, table, "[keys]");
}

Result<> read_metrics(const toml::table& table, SiteConfig& config) {
  ConfigTable reader(table, "metrics", config.path);
  TRY_ASSIGN(config.metrics_listen, reader.parsed("listen", parse_loopback));
  return reader.finish();
}

Result<> read_store(const toml::table& table, SiteConfig& config) {
  constexpr std::uint64_t kLeastRate = 64 << 10;
  constexpr std::int64_t kMostDays = 3650;
  ConfigTable reader(table, "store", config.path);
  if (reader.has("scrub_rate")) {
    const auto rate = [](const std::string& text) {
      return text == "0" ? Result<std::uint64_t>(0) : parse_size(text);
    };
    TRY_ASSIGN(config.scrub_rate, reader.parsed("scrub_rate", rate));
    if (config.scrub_rate != 0 && config.scrub_rate < kLeastRate) {
      return bad_config(config.path, table.get("scrub_rate"),
                        "'store.scrub_rate' must be at least 64K (a second), or \"0\"");
    }
  }
  std::int64_t days = config.scrub_interval.count() / 24;
  TRY(reader.number_or("scrub_interval_days", 1, kMostDays, days));
  config.scrub_interval = std::chrono::hours(24 * days);
  TRY_ASSIGN(config.auto_repair, reader.flag("auto_repair", true));
  TRY_ASSIGN(config.auto_reshare, reader.flag("auto_reshare", true));
  return reader.finish();
}

Result<> read_peer(ConfigTable& reader, const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  PeerConfig peer;
  TRY_ASSIGN(peer.link.peer, reader.parsed("site", SiteName::parse));
  TRY_ASSIGN(peer.address, reader.parsed("address", os::HostPort::parse));
  TRY_ASSIGN(peer.link.link_class, reader.parsed("class", kme::parse_link_class));
  if (reader.has("id")) {
    TRY_ASSIGN(peer.link.id, reader.parsed("id", LinkId::parse));
  }
  TRY(read_devices(reader, table, file, peer));
  peer.link.limits = config.key_limits;
  TRY(read_levels(reader, peer.link.limits));
  TRY(check_levels(peer.link.limits, file, table, "link to " + peer.link.peer.text()));
  const bool qkd = peer.link.link_class == kme::LinkClass::kQkd;
  if (qkd == peer.devices.empty()) {
    return bad_config(file, &table,
                      fmt::format("link to {}: a qkd link needs [peers.device], a {} link has none",
                                  peer.link.peer.text(),
                                  qkd ? "preshared" : kme::link_class_name(peer.link.link_class)));
  }
  if (peer.link.link_class == kme::LinkClass::kRelayed) {
    TRY(reader.size_if_set("high_water", peer.high_water_bytes));
    if (peer.high_water_bytes < kLeastRelayed || peer.high_water_bytes > kMostRelayed) {
      return bad_config(file, &table,
                        fmt::format("link to {}: 'high_water' of a relayed link must be from 2M "
                                    "to 64G",
                                    peer.link.peer.text()));
    }
  }
  config.peers.push_back(std::move(peer));
  return {};
}

}  // namespace warifu::config
