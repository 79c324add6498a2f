// `warifu keys ...`: what key there is, who used it, and what an operator may do with it.
//
// Commands that destroy key only look without --yes, and say what they would do.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/key_commands.h"
#include "apps/output.h"
#include "apps/switch_cmd.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
using Rows = std::vector<std::vector<std::string>>;

std::string bytes_of(const json::value& object, const char* key) {
  return human_bytes(number_of(object, key));
}

void print_ways(const json::value& answer);
void print_disks(const json::value& answer);

std::string rate_of(const json::value& object, const char* key) {
  return human_bit_rate(object.at(key).to_number<double>());
}

void add_link_rows(const json::value& link, Rows& rows) {
  for (const char* direction : {"send", "receive"}) {
    const json::value& of = link.at(direction);
    const json::value& oldest = of.at("oldest_seconds");
    rows.push_back({text_of(link, "peer"), direction, text_of(of, "state"),
                    bytes_of(of, "available_bytes"), bytes_of(of, "residual_bytes"),
                    human_bytes(number_of(of, "leased_bytes") + number_of(of, "reserved_bytes")),
                    human_bytes(number_of(of, "floor_bytes")), bytes_of(of, "emergency_bytes"),
                    rate_of(of, "inflow_bits_per_second"), rate_of(of, "outflow_bits_per_second"),
                    oldest.is_null() ? "-" : human_seconds(oldest.to_number<double>()),
                    bytes_of(of, "unsynced_bytes"), bytes_of(of, "quarantined_bytes")});
  }
}

void print_links(const json::value& answer) {
  Rows rows;
  Rows devices;
  for (const auto& link : answer.at("links").as_array()) {
    add_link_rows(link, rows);
    for (const auto& device : link.at("devices").as_array()) {
      const auto number = [&](const char* key, auto text) {
        const json::value& value = device.at(key);
        return value.is_null() ? std::string("-") : text(value.to_number<double>());
      };
      std::string state = text_of(device, "state");
      for (const auto& alarm : device.at("alarms").as_array()) {
        const std::string text(alarm.as_string());
        if (state.find(text) == std::string::npos) state += "; ALARM: " + text;
      }
      devices.push_back({text_of(link, "peer"), text_of(device, "name"),
                         number("qber", [](double q) { return fmt::format("{:.2f} %", q * 100); }),
                         number("rate_bits_per_second", human_bit_rate),
                         bytes_of(link, "lost_bytes") +
                             (link.at("lost_is_estimate").as_bool() ? " (estimate)" : ""),
                         state});
    }
  }
  print_table({"PEER", "WAY", "STATE", "AVAILABLE", "RESIDUAL", "RESERVED", "FLOOR", "EMERGENCY",
               "INFLOW", "OUTFLOW", "OLDEST", "UNSYNCED", "QUARANTINE"},
              rows);
  print_link_switches(answer);
  print_disks(answer);
  if (devices.empty()) return;
  fmt::print("\n");
  print_table({"PEER", "DEVICE", "QBER", "RATE", "LOST", "STATE"}, devices);
  print_ways(answer);
}

// Disk sets on their way in.
void print_disks(const json::value& answer) {
  Rows rows;
  for (const auto& link : answer.at("links").as_array()) {
    const json::value& disk = link.at("disk");
    if (disk.is_null()) continue;
    const auto of_all = [&](const char* key) {
      return fmt::format("{}/{}", number_of(disk, key), number_of(disk, "pieces"));
    };
    rows.push_back({text_of(link, "peer"), of_all("held"), bytes_of(disk, "held_bytes"),
                    of_all("agreed"), disk.at("wipe").as_bool() ? of_all("wiped") : "-",
                    text_of(disk, "state")});
  }
  if (rows.empty()) return;
  fmt::print("\n");
  print_table({"PEER", "DISK PIECES IN", "KEY", "AGREED", "WIPED", "STATE"}, rows);
}

std::string paths_text(const json::value& paths) {
  std::string text;
  for (const auto& path : paths.as_array()) {
    std::string one;
    for (const auto& site : path.as_array()) {
      one += (one.empty() ? "" : " > ") + std::string(site.as_string());
    }
    text += (text.empty() ? "" : " + ") + one;
  }
  return text;
}

// How the key of relayed links has come.
void print_ways(const json::value& answer) {
  Rows rows;
  for (const auto& link : answer.at("links").as_array()) {
    if (link.at("relay").is_null()) continue;
    for (const auto& way : link.at("relay").at("ways").as_array()) {
      rows.push_back({text_of(link, "peer"), std::to_string(number_of(way, "segments")),
                      bytes_of(way, "bytes"), text_of(way, "last"), paths_text(way.at("paths"))});
    }
  }
  if (rows.empty()) return;
  fmt::print("\n");
  print_table({"PEER", "SEGMENTS", "KEY", "LAST", "RELAYED OVER"}, rows);
}

// "?a=b&c=d" of those that are set.
std::string query(std::initializer_list<std::pair<const char*, std::string>> fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    text += (text.empty() ? "?" : "&") + std::string(name) + "=" + url_text(value);
  }
  return text;
}

void print_segments(const json::value& answer) {
  Rows rows;
  for (const auto& segment : answer.at("segments").as_array()) {
    const json::value& offset = segment.at("offset");
    rows.push_back({text_of(segment, "peer"), text_of(segment, "direction"),
                    std::to_string(number_of(segment, "number")), text_of(segment, "state"),
                    text_of(segment, "origin"),
                    offset.is_null() ? "-" : std::to_string(number_of(segment, "offset")),
                    std::to_string(number_of(segment, "bytes")), text_of(segment, "created")});
  }
  print_table({"PEER", "WAY", "NUMBER", "STATE", "ORIGIN", "OFFSET", "BYTES", "CREATED"}, rows);
}

Result<> show_segments(const Common& common, const std::string& path) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get(path));
  if (common.json) {
    print_json(answer);
  } else {
    print_segments(answer);
  }
  return {};
}

void say_only_looked(bool applied) {
  if (!applied) fmt::print("nothing was changed; --yes does it\n");
}

}  // namespace

Result<> keys_status(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/keys"));
  if (common.json) {
    print_json(answer);
  } else {
    print_links(answer);
  }
  return {};
}

Result<> keys_watch(const Common& common, const KeysWatchOptions& options) {
  TRY_ASSIGN(const std::uint64_t seconds, parse_duration(options.interval));
  ApiClient client(common);
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  for (std::uint64_t round = 1;; ++round) {
    TRY_ASSIGN(const json::value answer, client.get("/v1/keys"));
    if (common.json) {
      print_json(answer);
    } else {
      if (terminal) fmt::print("\033[H\033[2J");
      print_links(answer);
      if (!terminal) fmt::print("\n");
    }
    // Whoever reads has gone: nothing more to tell.
    if (std::fflush(stdout) != 0 || round == options.rounds) return {};
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
  }
}

Result<> keys_list(const Common& common, const KeysOptions& options) {
  return show_segments(common, "/v1/keys/segments" + query({{"peer", options.peer}}));
}

Result<> keys_quarantine_list(const Common& common, const KeysOptions& options) {
  return show_segments(common, "/v1/keys/quarantine" + query({{"peer", options.peer}}));
}

Result<> keys_quarantine_discard(const Common& common, const KeysOptions& options) {
  if (!options.yes) {
    TRY(keys_quarantine_list(common, options));
    if (!common.json) say_only_looked(false);
    return {};
  }
  ApiClient client(common);
  json::object body = {{"peer", options.peer}};
  if (!options.direction.empty()) body["direction"] = options.direction;
  if (options.segment) body["number"] = *options.segment;
  TRY_ASSIGN(const json::value answer, client.post("/v1/keys/quarantine/discard", body));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("{} segments discarded, {}\n", number_of(answer, "segments"),
               bytes_of(answer, "bytes"));
  }
  return {};
}

Result<> keys_reconcile(const Common& common, const KeysOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/keys/reconcile", {{"peer", options.peer}, {"apply", options.yes}}));
  if (common.json) {
    print_json(answer);
    return {};
  }
  Rows rows;
  for (const char* direction : {"send", "receive"}) {
    const json::value& of = answer.at(direction);
    for (const char* end : {"here", "there"}) {
      const std::string name(end);
      rows.push_back({direction, end, std::to_string(number_of(of.at(end), "mark")),
                      std::to_string(number_of(of.at(end), "end")),
                      std::to_string(number_of(of, "mark")), std::to_string(number_of(of, "end")),
                      bytes_of(of, ("burn_" + name + "_bytes").c_str()),
                      bytes_of(of, ("quarantine_" + name + "_bytes").c_str())});
    }
  }
  print_table({"WAY", "END", "MARK", "STREAM END", "NEW MARK", "NEW END", "BURN", "QUARANTINE"},
              rows);
  const bool in_step =
      answer.at("send").at("in_step").as_bool() && answer.at("receive").at("in_step").as_bool();
  if (in_step) fmt::print("both ends are in step\n");
  if (!in_step) say_only_looked(answer.at("applied").as_bool());
  return {};
}

Result<> burn_at_both(const Common& common, const char* path, const json::object& body) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.post(path, body));
  if (common.json) {
    print_json(answer);
    return {};
  }
  const bool applied = answer.at("applied").as_bool();
  fmt::print("{} of the key to send and {} of the key to receive {} burnt at both ends\n",
             bytes_of(answer, "send_bytes"), bytes_of(answer, "receive_bytes"),
             applied ? "are" : "would be");
  say_only_looked(applied);
  return {};
}

Result<> keys_retire(const Common& common, const KeysOptions& options) {
  json::object body = {{"peer", options.peer}, {"apply", options.yes}, {"all", options.all}};
  if (!options.older_than.empty()) {
    TRY_ASSIGN(body["older_than_seconds"], parse_duration(options.older_than));
  }
  if (!options.origin.empty()) body["origin"] = options.origin;
  return burn_at_both(common, "/v1/keys/retire", body);
}

Result<> keys_burn(const Common& common, const KeysOptions& options) {
  json::object body = {{"peer", options.peer}, {"apply", options.yes}};
  TRY_ASSIGN(body["bytes"], parse_size(options.bytes));
  if (!options.direction.empty()) body["direction"] = options.direction;
  return burn_at_both(common, "/v1/keys/burn", body);
}

Result<> keys_trail(const Common& common, const KeysOptions& options) {
  std::string seconds;
  if (!options.since.empty()) {
    TRY_ASSIGN(const std::uint64_t number, parse_duration(options.since));
    seconds = std::to_string(number);
  }
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.get("/v1/keys/trail" + query({{"peer", options.peer},
                                                  {"job", options.job},
                                                  {"seconds", seconds},
                                                  {"most", std::to_string(options.most)}})));
  if (common.json) {
    print_json(answer);
    return {};
  }
  Rows rows;
  for (const auto& record : answer.at("records").as_array()) {
    rows.push_back({text_of(record, "time"), text_of(record, "peer"), text_of(record, "direction"),
                    std::to_string(number_of(record, "offset")),
                    std::to_string(number_of(record, "bytes")), text_of(record, "use"),
                    text_of(record, "job")});
  }
  print_table({"TIME", "PEER", "WAY", "OFFSET", "BYTES", "USE", "JOB"}, rows);
  const std::uint64_t lost = number_of(answer, "lost_records");
  if (lost > 0) fmt::print("{} records could not be written and are lost\n", lost);
  return {};
}

}  // namespace warifu::apps
