// `warifu link preshare|import|status`, `warifu site shares|audit`.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/disk_cmd.h"
#include "apps/key_commands.h"
#include "apps/network.h"
#include "apps/output.h"
#include "apps/site_commands.h"
#include "apps/switch_cmd.h"
#include "base/units.h"
#include "config/site_config.h"
#include "kme/preshare.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

struct LinkPlace {
  LinkId id;
  PadOffset end;  // of the sending direction's stream
};

// Where a direction's stream ends now, told by the site that sends it.
Result<LinkPlace> place_of(const std::string& site_dir, const std::string& peer) {
  ApiClient client(site_dir);
  TRY_ASSIGN(const json::value links, client.get("/v1/links"));
  for (const auto& link : links.at("links").as_array()) {
    if (text_of(link, "peer") != peer) continue;
    TRY_ASSIGN(const LinkId id, LinkId::parse(text_of(link, "id")));
    return LinkPlace{id, {number_of(link.at("send"), "synced_end")}};
  }
  return fail(Code::kNotFound, "there is no link to " + peer);
}

// "lsa: key over 2 disjoint paths; relays so far: cloud2, tommo, tuh".
void add_relays(const json::value& link, std::vector<std::string>& lines) {
  const std::uint64_t paths = number_of(link, "relay_paths");
  if (paths == 0) return;
  std::string relays;
  for (const auto& relay : link.at("relays").as_array()) {
    relays += (relays.empty() ? "" : ", ") + std::string(relay.as_string());
  }
  lines.push_back(fmt::format(
      "{}: relayed key over {}; relays so far: {}", text_of(link, "peer"),
      paths == 1 ? "one path, whose relays know it" : fmt::format("{} disjoint paths", paths),
      relays.empty() ? "none" : relays));
}

}  // namespace

Result<> link_preshare(const Common& common, const PreshareOptions& options) {
  if (options.out.empty() == options.disks.empty()) {
    return fail(Code::kInvalidArgument,
                "say where: --out FOLDER for two files, or --disk DIR --disk DIR for a disk set");
  }
  TRY_ASSIGN(const std::uint64_t size, parse_size(options.size));
  TRY_ASSIGN(const std::uint64_t back,
             parse_size(options.back.empty() ? options.size : options.back));
  TRY_ASSIGN(const SiteName a, SiteName::parse(options.a));
  TRY_ASSIGN(const SiteName b, SiteName::parse(options.b));
  const auto dir_of = [&](const SiteName& site) { return common.net + "/sites/" + site.text(); };
  TRY_ASSIGN(const auto config, config::load_site_config(dir_of(a) + "/site.toml"));
  const auto peer = std::ranges::find_if(
      config.peers, [&](const config::PeerConfig& p) { return p.link.peer == b; });
  if (peer == config.peers.end()) {
    return fail(Code::kNotFound, "there is no link " + a.text() + "-" + b.text());
  }
  TRY_ASSIGN(const LinkPlace at_a, place_of(dir_of(a), b.text()));
  TRY_ASSIGN(const LinkPlace at_b, place_of(dir_of(b), a.text()));
  if (at_a.id != at_b.id) {
    return fail(Code::kRefused, "the pools at " + a.text() + " and at " + b.text() +
                                    " are of different links: begin the link anew at both ends");
  }
  const kme::PresharePlan plan{at_a.id, a, b, at_a.end, at_b.end, size, back};
  if (!options.disks.empty()) {
    if (peer->link.link_class != kme::LinkClass::kPreshared) {
      return fail(Code::kRefused, "the link " + a.text() + "-" + b.text() +
                                      " is not preshared: its streams grow by themselves, a disk "
                                      "set would not continue them");
    }
    return preshare_disks(common, options, plan);
  }
  const std::string stem = fmt::format("{}/{}-{}.", options.out, a.text(), b.text());
  const std::string files[2] = {stem + a.text(), stem + b.text()};
  {
    ProgressLine progress("random numbers");
    TRY(kme::make_preshare(
        os::real_system(), plan, files[0], files[1],
        [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); }));
  }
  if (common.json) {
    print_json({{"link", a.text() + "-" + b.text()},
                {"bytes_per_direction", size},
                {"bytes_back", back},
                {"files", {files[0], files[1]}}});
  } else {
    fmt::print("{}\n{}\nbring each file to its site and take it in with: warifu link import\n",
               files[0], files[1]);
  }
  return {};
}

Result<> link_import(const Common& common, const ImportOptions& options) {
  const int what =
      (options.file.empty() ? 0 : 1) + (options.disk.empty() ? 0 : 1) + (options.abandon ? 1 : 0);
  if (what != 1) {
    return fail(Code::kInvalidArgument, "give one of a file, --disk DIR and --abandon");
  }
  if (options.file.empty()) return import_disk(common, options);
  ApiClient client(common);
  std::error_code ignored;
  const std::string path = std::filesystem::absolute(options.file, ignored).string();
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/links/import", {{"path", path}, {"wipe", options.wipe}}));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("link to {}: {} to send, {} to receive\n", text_of(answer, "peer"),
               human_bytes(number_of(answer, "send_bytes")),
               human_bytes(number_of(answer, "receive_bytes")));
  }
  return {};
}

Result<> link_status(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/links"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> relays;
  for (const auto& link : answer.at("links").as_array()) {
    const json::value& send = link.at("send");
    const json::value& receive = link.at("receive");
    std::string origins;
    for (const auto& origin : send.at("origins").as_array()) {
      origins += (origins.empty() ? "" : "+") + std::string(origin.as_string());
    }
    rows.push_back({text_of(link, "peer"), text_of(link, "class"),
                    human_bytes(number_of(link, "residual_bytes")),
                    human_bytes(number_of(receive, "available_bytes")),
                    human_bytes(number_of(link, "leased_bytes")),
                    human_bit_rate(link.at("inflow_bits_per_second").to_number<double>()),
                    human_bytes(number_of(send, "payload_bytes")),
                    human_bytes(number_of(send, "share_bytes")),
                    human_bytes(number_of(send, "tag_bytes") + number_of(send, "hash_key_bytes")),
                    origins, text_of(link, "device")});
    add_relays(link, relays);
  }
  print_table({"PEER", "CLASS", "RESIDUAL", "RECEIVE", "LEASED", "INFLOW", "SENT", "SHARES", "TAGS",
               "KEY FROM", "DEVICE"},
              rows);
  for (const std::string& line : relays) fmt::print("{}\n", line);
  print_link_switches(answer);
  return {};
}

Result<> site_shares(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(json::value status, client.get("/v1/status"));
  json::array& shares = status.at("shares").as_array();
  // Page by page; each begins behind the last share of the one before.
  for (std::size_t page = shares.size();
       page > 0 && shares.size() < number_of(status, "share_count");) {
    TRY_ASSIGN(const json::value more,
               client.get("/v1/status?most=20000&after=" + text_of(shares.back(), "id")));
    const json::array& behind = more.at("shares").as_array();
    page = behind.size();
    shares.insert(shares.end(), behind.begin(), behind.end());
  }
  if (common.json) {
    print_json(status);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& share : status.at("shares").as_array()) {
    rows.push_back({text_of(share, "letter"), text_of(share, "object"), text_of(share, "id"),
                    human_bytes(number_of(share, "bytes")),
                    text_of(share, "damage").empty() ? "good" : "damaged"});
  }
  print_table({"SHARE", "OBJECT", "ID", "SIZE", "STATE"}, rows);
  for (const auto& share : status.at("shares").as_array()) {
    if (const std::string why = text_of(share, "damage"); !why.empty()) fmt::print("{}\n", why);
  }
  for (const auto& problem : status.at("problems").as_array()) {
    fmt::print("problem: {}: {}\n", text_of(problem, "path"), text_of(problem, "reason"));
  }
  return {};
}

}  // namespace warifu::apps
