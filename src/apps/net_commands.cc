// `warifu net up|down|status`.
#include <fmt/format.h>

#include <algorithm>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/api_front.h"
#include "apps/emergency_text.h"
#include "apps/network.h"
#include "apps/output.h"
#include "apps/site_commands.h"

namespace warifu::apps {
namespace {

constexpr std::size_t kMostShown = 12;  // shares of a site, in the table

Result<std::vector<ProcessEntry>> choose(const Network& network, const NetOptions& options) {
  if (options.only.empty()) return network.processes;
  std::vector<ProcessEntry> chosen;
  for (const std::string& name : options.only) {
    const auto it = std::ranges::find(network.processes, name, &ProcessEntry::name);
    if (it == network.processes.end()) {
      return fail(Code::kNotFound,
                  fmt::format("'{}' is not a site or device of this network", name));
    }
    chosen.push_back(*it);
  }
  return chosen;
}

std::string site_dir(const ProcessEntry& entry) {
  return entry.config.substr(0, entry.config.rfind('/'));
}

void print_names(const Common& common, const char* what, const std::vector<ProcessEntry>& entries) {
  boost::json::array names;
  std::string text;
  for (const ProcessEntry& entry : entries) {
    names.emplace_back(entry.name);
    text += " " + entry.name;
  }
  if (common.json) {
    print_json({{what, names}});
  } else {
    fmt::print("{}:{}\n", what, text);
  }
}

boost::json::object site_status(const Network& network, const ProcessEntry& entry) {
  const auto pid = running_pid(network, entry);
  boost::json::object site = {{"name", entry.name},
                              {"running", pid.has_value()},
                              {"pid", pid.value_or(0)},
                              {"dir", site_dir(entry)}};
  site["reachable"] = false;
  site["shares"] = boost::json::array();
  if (!pid) return site;
  ApiClient client(site_dir(entry));
  const auto status = client.get("/v1/status");
  // A site that refuses us is there; it has operators, and we are none of them.
  site["reachable"] = status.has_value() || status.error().code == Code::kRefused;
  if (!status) return site;
  for (const char* key : {"listen", "controller", "share_count", "shares", "free_bytes", "problems",
                          "single_operator", "break_glass", "emergencies"}) {
    if (const auto* value = status->as_object().if_contains(key)) site[key] = *value;
  }
  return site;
}

}  // namespace

Result<> net_up(const Common& common, const NetOptions& options) {
  TRY_ASSIGN(const Network network, load_network(common.net));
  TRY_ASSIGN(const auto entries, choose(network, options));
  for (const ProcessEntry& entry : entries) TRY(start_process(network, entry));
  print_names(common, "running", entries);
  return {};
}

Result<> net_down(const Common& common, const NetOptions& options) {
  TRY_ASSIGN(const Network network, load_network(common.net));
  TRY_ASSIGN(auto entries, choose(network, options));
  std::ranges::reverse(entries);  // sites before their devices
  for (const ProcessEntry& entry : entries) TRY(stop_process(network, entry));
  print_names(common, "stopped", entries);
  return {};
}

Result<> net_status(const Common& common) {
  TRY_ASSIGN(const Network network, load_network(common.net));
  boost::json::array sites;
  boost::json::array devices;
  for (const ProcessEntry& entry : network.processes) {
    if (entry.is_site) {
      sites.push_back(site_status(network, entry));
    } else {
      const auto pid = running_pid(network, entry);
      devices.push_back(
          {{"name", entry.name}, {"running", pid.has_value()}, {"pid", pid.value_or(0)}});
    }
  }
  if (common.json) {
    print_json({{"sites", sites}, {"devices", devices}});
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& site : sites) {
    std::string shares;
    std::size_t shown = 0;
    for (const auto& share : site.at("shares").as_array()) {
      if (++shown > kMostShown) break;
      shares += (shares.empty() ? "" : " ") + text_of(share, "letter") + ":" +
                text_of(share, "object").substr(0, 8);
    }
    if (shown > kMostShown) {
      shares += fmt::format(" and {} more", number_of(site, "share_count") - kMostShown);
    }
    rows.push_back({text_of(site, "name"), site.at("reachable").as_bool() ? "up" : "down",
                    text_of(site, "listen"), shares.empty() ? "-" : shares});
  }
  for (const auto& device : devices) {
    rows.push_back({text_of(device, "name"), device.at("running").as_bool() ? "up" : "down", "",
                    "key device (rate model)"});
  }
  print_table({"NAME", "STATE", "ADDRESS", "SHARES (share:object)"}, rows);
  const auto single = std::ranges::count_if(sites, [](const auto& site) {
    const auto* mode = site.as_object().if_contains("single_operator");
    return mode != nullptr && mode->as_bool();
  });
  // Every site knows of an emergency; share control knows the persons' names, and what they were
  // told.
  for (const auto& site : sites) {
    if (text_of(site, "name") == text_of(site, "controller")) print_emergencies(site);
  }
  if (single > 0) fmt::print("{} of {} sites: {}\n", single, sites.size(), single_operator_text());
  return {};
}

}  // namespace warifu::apps
