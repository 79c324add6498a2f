// Ledger entries and protections of a route.
#include "control/key_account.h"

#include <algorithm>
#include <sstream>

#include <boost/json.hpp>

#include "otp/otp.h"

namespace warifu::control {
namespace {

std::string origins_text(const planner::EdgeState* edge) {
  std::string text;
  if (edge == nullptr) return "UNKNOWN";
  for (const auto origin : edge->origins) {
    text += (text.empty() ? "" : "+") + std::string(keypool::origin_name(origin));
  }
  return text.empty() ? "UNKNOWN" : text;
}

}  // namespace

BulkUse bulk_use(const sharing::RecordLayout& records, std::uint64_t first, std::uint64_t count) {
  const std::uint64_t windows = (count + limits::kWindowFrames - 1) / limits::kWindowFrames;
  return {records.lengths({first}, count), count * otp::kTagBytes + windows * mac::kBlockBytes};
}

Result<planner::Route> parse_route(const std::string& text) {
  planner::Route route;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(" > ", at), text.size());
    TRY_ASSIGN(SiteName site, SiteName::parse(text.substr(at, end - at)));
    route.push_back(std::move(site));
    at = end + 3;
  }
  return route;
}

std::vector<Protections::Hop> hops_of(const planner::Route& route,
                                      const planner::Snapshot& snapshot) {
  std::vector<Protections::Hop> hops;
  for (std::size_t i = 0; i + 1 < route.size(); ++i) {
    const planner::EdgeState* edge = planner::find_edge(snapshot, route[i], route[i + 1]);
    Protections::Hop hop{.from = route[i].text(), .to = route[i + 1].text()};
    hop.link_class = edge == nullptr ? "unknown" : kme::link_class_name(edge->link_class);
    if (edge != nullptr) {
      for (const auto origin : edge->origins)
        hop.origins.emplace_back(keypool::origin_name(origin));
      hop.relay_paths = edge->relay_paths;
      for (const SiteName& relay : edge->relays) hop.relays.push_back(relay.text());
    }
    hops.push_back(std::move(hop));
  }
  return hops;
}

// Reads origins_text() back.
std::vector<Protections::Hop> hops_of(const std::vector<catalog::LinkUse>& uses) {
  std::vector<Protections::Hop> hops;
  for (const catalog::LinkUse& use : uses) {
    Protections::Hop hop{use.from.text(), use.to.text(), use.link_class, {}};
    std::istringstream origins(use.origin);
    for (std::string origin; std::getline(origins, origin, '+');) hop.origins.push_back(origin);
    hops.push_back(std::move(hop));
  }
  return hops;
}

std::string protections_json(const Protections& protections) {
  boost::json::array hops;
  for (const auto& hop : protections.hops) {
    boost::json::array origins(hop.origins.begin(), hop.origins.end());
    boost::json::object fields = {{"from", hop.from},
                                  {"to", hop.to},
                                  {"class", hop.link_class},
                                  {"origins", std::move(origins)}};
    if (hop.relay_paths > 0) {
      fields["paths"] = hop.relay_paths;
      fields["relays"] = boost::json::array(hop.relays.begin(), hop.relays.end());
    }
    hops.push_back(std::move(fields));
  }
  return boost::json::serialize(boost::json::object{{"drawn", protections.drawn},
                                                    {"random", protections.entropy.bits()},
                                                    {"hops", std::move(hops)}});
}

Result<Protections> parse_protections(const std::string& text) {
  Protections protections;
  if (text.empty()) return protections;
  boost::json::error_code bad;
  const boost::json::value value = boost::json::parse(text, bad);
  try {
    if (bad) return fail(Code::kCorrupt, "the protections of a share are damaged");
    const auto& fields = value.as_object();
    protections.drawn = fields.at("drawn").as_bool();
    protections.entropy =
        keypool::Entropy::from_bits(fields.at("random").to_number<std::uint16_t>());
    for (const auto& entry : fields.at("hops").as_array()) {
      const auto& hop = entry.as_object();
      Protections::Hop out{.from = std::string(hop.at("from").as_string()),
                           .to = std::string(hop.at("to").as_string()),
                           .link_class = std::string(hop.at("class").as_string())};
      for (const auto& origin : hop.at("origins").as_array()) {
        out.origins.emplace_back(origin.as_string());
      }
      if (const auto* relays = hop.if_contains("relays")) {
        out.relay_paths = hop.at("paths").to_number<unsigned>();
        for (const auto& relay : relays->as_array()) out.relays.emplace_back(relay.as_string());
      }
      protections.hops.push_back(std::move(out));
    }
  } catch (const std::exception& problem) {  // Boost.JSON's own word for a missing or other field
    return fail(Code::kCorrupt,
                std::string("the protections of a share are damaged: ") + problem.what());
  }
  return protections;
}

Result<> record_route_use(catalog::Catalog& catalog, const JobId& job, const planner::Route& route,
                          const planner::Snapshot& snapshot, const BulkUse& use) {
  std::vector<catalog::LinkUse> uses;
  for (std::size_t i = 0; i + 1 < route.size(); ++i) {
    const planner::EdgeState* edge = planner::find_edge(snapshot, route[i], route[i + 1]);
    uses.push_back({.from = route[i],
                    .to = route[i + 1],
                    .link_class = std::string(
                        edge == nullptr ? "preshared" : kme::link_class_name(edge->link_class)),
                    .origin = origins_text(edge),
                    .payload_bytes = use.payload_bytes,
                    .tag_bytes = use.tag_bytes,
                    .key_bytes = use.payload_bytes + use.tag_bytes});
  }
  if (uses.empty()) return {};
  return catalog.add_link_use(job, uses);
}

}  // namespace warifu::control
