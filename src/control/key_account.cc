// Ledger entries and protections of a route.
#include "control/key_account.h"

#include <algorithm>

#include <boost/json.hpp>

#include "otp/otp.h"

namespace warifu::control {
namespace {

const EdgeState* find_edge(const Snapshot& snapshot, const SiteName& from, const SiteName& to) {
  const auto it = std::ranges::find_if(
      snapshot.edges, [&](const EdgeState& edge) { return edge.from == from && edge.to == to; });
  return it == snapshot.edges.end() ? nullptr : &*it;
}

std::string origins_text(const EdgeState* edge) {
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

Result<Route> parse_route(const std::string& text) {
  Route route;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(" > ", at), text.size());
    TRY_ASSIGN(SiteName site, SiteName::parse(text.substr(at, end - at)));
    route.push_back(std::move(site));
    at = end + 3;
  }
  return route;
}

std::string protections_json(const Route& route, const Snapshot& snapshot) {
  boost::json::array hops;
  for (std::size_t i = 0; i + 1 < route.size(); ++i) {
    const EdgeState* edge = find_edge(snapshot, route[i], route[i + 1]);
    boost::json::array origins;
    if (edge != nullptr) {
      for (const auto origin : edge->origins) origins.emplace_back(keypool::origin_name(origin));
    }
    hops.push_back({{"from", route[i].text()},
                    {"to", route[i + 1].text()},
                    {"class", edge == nullptr ? "unknown" : kme::link_class_name(edge->link_class)},
                    {"origins", std::move(origins)}});
  }
  return boost::json::serialize(hops);
}

Result<> record_route_use(catalog::Catalog& catalog, const JobId& job, const Route& route,
                          const Snapshot& snapshot, const BulkUse& use) {
  std::vector<catalog::LinkUse> uses;
  for (std::size_t i = 0; i + 1 < route.size(); ++i) {
    const EdgeState* edge = find_edge(snapshot, route[i], route[i + 1]);
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
