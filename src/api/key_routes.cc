// What operators see of the key of a site's links, and what they may do with it.
#include <limits>
#include <set>

#include "api/device_json.h"
#include "api/disk_json.h"
#include "api/json.h"
#include "api/metrics.h"
#include "api/switch_json.h"
#include "keypool/entropy.h"
#include "kme/reconcile.h"
#include "viewing/view_desk.h"

namespace warifu::api {
namespace {

using http::RequestContext;
using keypool::SegmentState;

json::array paths_json(const std::vector<kme::RelayPath>& paths) {
  json::array list;
  for (const kme::RelayPath& path : paths) {
    json::array sites;
    for (const SiteName& site : path) sites.emplace_back(site.text());
    list.push_back(std::move(sites));
  }
  return list;
}

constexpr std::pair<const char*, keypool::Direction> kDirections[] = {
    {"send", keypool::Direction::kSend}, {"receive", keypool::Direction::kReceive}};

keypool::Pool& pool_of(kme::Link& link, keypool::Direction direction) {
  return direction == keypool::Direction::kSend ? link.send() : link.receive();
}

json::object direction_json(const kme::DirectionReport& report) {
  json::object object = {{"state", kme::key_state_name(report.state)},
                         {"available_bytes", report.available_bytes},
                         {"residual_bytes", report.residual_bytes},
                         {"leased_bytes", report.leased_bytes},
                         {"reserved_bytes", report.reserved_bytes},
                         {"floor_bytes", report.floor_bytes},
                         {"emergency_bytes", report.emergency_bytes},
                         {"unsynced_bytes", report.unsynced_bytes},
                         {"quarantined_bytes", report.quarantined_bytes},
                         {"inflow_bits_per_second", report.inflow_bits_per_second},
                         {"outflow_bits_per_second", report.outflow_bits_per_second}};
  object["oldest_seconds"] =
      report.oldest_seconds ? json::value(*report.oldest_seconds) : json::value(nullptr);
  return object;
}

json::value number_or_null(const std::optional<double>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

// Of a relayed link: how its key comes, and over whom it came. Null for other links.
json::value relay_json(const kme::LinkReport& report) {
  if (report.relay_paths == 0) return nullptr;
  json::array ways;
  for (const kme::RelayWaySet& set : report.ways) {
    ways.push_back({{"paths", paths_json(set.paths)},
                    {"segments", set.segments},
                    {"bytes", set.bytes},
                    {"last", os::utc_text(set.last)}});
  }
  return {{"paths", report.relay_paths}, {"ways", std::move(ways)}};
}

std::set<std::string> names_of(std::uint16_t origins) {
  std::set<std::string> names;
  for (const auto origin : keypool::Entropy::from_bits(origins).origins) {
    names.emplace(keypool::origin_name(origin));
  }
  return names;
}

json::object report_json(const kme::LinkReport& report) {
  json::array devices;
  for (const kme::DeviceStatus& device : report.devices) {
    devices.push_back({{"name", device.name},
                       {"state", device.state},
                       {"qber", number_or_null(device.qber)},
                       {"rate_bits_per_second", number_or_null(device.rate_bits_per_second)},
                       {"alarms", alarms_json(device)}});
  }
  return {{"peer", report.peer},
          {"class", report.link_class},
          {"send", direction_json(report.send)},
          {"receive", direction_json(report.receive)},
          {"lost_bytes", report.saturation.lost_bytes},
          {"lost_is_estimate", report.saturation.estimated},
          {"devices", std::move(devices)},
          {"relay", relay_json(report)}};
}

std::vector<kme::LinkReport> reports(Services services) {
  std::vector<kme::LinkReport> list;
  for (kme::Link* link : services.site.keys.links()) list.push_back(link->report());
  return list;
}

// Errors: kNotFound.
Result<kme::Link*> find_link(Services services, const std::string& name) {
  TRY_ASSIGN(const SiteName peer, SiteName::parse(name));
  kme::Link* link = services.site.keys.link_to(peer);
  if (link == nullptr) return fail(Code::kNotFound, "there is no link to " + name);
  return link;
}

// The links that ?peer= names; all without it.
Result<std::vector<kme::Link*>> links_of(Services services, RequestContext& context) {
  const auto peer = context.request().query.find("peer");
  if (!peer) return services.site.keys.links();
  TRY_ASSIGN(kme::Link * link, find_link(services, std::string(*peer)));
  return std::vector<kme::Link*>{link};
}

const char* state_name(SegmentState state) {
  switch (state) {
    case SegmentState::kIngested: return "ingested";
    case SegmentState::kSynced: return "synced";
    case SegmentState::kQuarantined: return "quarantined";
  }
  return "quarantined";
}

Result<json::value> segments_json(Services services, RequestContext& context,
                                  std::optional<SegmentState> only) {
  TRY_ASSIGN(const auto links, links_of(services, context));
  json::array list;
  for (kme::Link* link : links) {
    for (const auto& [name, direction] : kDirections) {
      for (const auto& entry : pool_of(*link, direction).segments()) {
        if (only && entry.state != *only) continue;
        json::object row = {
            {"peer", link->peer().text()},           {"direction", name},
            {"number", entry.number.value},          {"origin", keypool::origin_name(entry.origin)},
            {"state", state_name(entry.state)},      {"bytes", entry.length},
            {"created", os::utc_text(entry.created)}};
        if (const kme::RelayWays* ways = link->relay_ways()) {
          const std::set<std::string> parts = names_of(entry.parts);
          row["parts"] = json::array(parts.begin(), parts.end());
          row["paths"] = paths_json(ways->of(direction, entry.number));
        }
        row["offset"] = entry.state == SegmentState::kSynced ? json::value(entry.base.value)
                                                             : json::value(nullptr);
        list.push_back(std::move(row));
      }
    }
  }
  return json::value{{"site", services.site.config.name.text()}, {"segments", std::move(list)}};
}

// What is to be done, and the link that its body names.
struct LinkOrder {
  json::object body;
  kme::Link* link = nullptr;
};

Result<LinkOrder> link_order(Services services, RequestContext& context) {
  LinkOrder order;
  TRY_ASSIGN(order.body, body_object(context));
  TRY_ASSIGN(const std::string peer, text_field(order.body, "peer"));
  TRY_ASSIGN(order.link, find_link(services, peer));
  return order;
}

// "send" or "receive". Errors: kInvalidArgument.
Result<std::string> direction_field(const json::object& body) {
  TRY_ASSIGN(std::string direction, text_field(body, "direction"));
  if (direction == "send" || direction == "receive") return direction;
  return fail(Code::kInvalidArgument,
              "direction '" + direction + "' must be \"send\" or \"receive\"");
}

Result<json::value> discard(Services services, RequestContext& context) {
  TRY_ASSIGN(const auto order, link_order(services, context));
  std::string only_direction;
  if (order.body.contains("direction")) {
    TRY_ASSIGN(only_direction, direction_field(order.body));
  }
  std::optional<std::uint64_t> only_number;
  if (order.body.contains("number")) {
    TRY_ASSIGN(only_number,
               number_field(order.body, "number", std::numeric_limits<std::int64_t>::max()));
  }
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  for (const auto& [name, direction] : kDirections) {
    if (!only_direction.empty() && only_direction != name) continue;
    keypool::Pool& pool = pool_of(*order.link, direction);
    for (const auto& entry : pool.segments()) {
      if (entry.state != SegmentState::kQuarantined) continue;
      if (only_number && entry.number.value != *only_number) continue;
      TRY(pool.discard(entry.number));
      ++segments;
      bytes += entry.length;
    }
  }
  if (segments == 0) return fail(Code::kNotFound, "no such segment is quarantined");
  return json::value{{"peer", order.link->peer().text()}, {"segments", segments}, {"bytes", bytes}};
}

kme::AskPeer ask_of(Services services, const kme::Link& link) {
  return [services, peer = link.peer()](kme::IntakeMethod method, Bytes body) {
    return services.site.caller.ask(peer, static_cast<std::uint16_t>(method), std::move(body));
  };
}

bool flag_of(const json::object& body, const char* name) {
  const json::value* value = body.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

json::object difference_json(const kme::Difference& difference) {
  const auto end = [](const kme::EndState& state) {
    return json::object{{"mark", state.mark.value},
                        {"end", state.end.value},
                        {"next_segment", state.next.value},
                        {"segments", state.runs.size()}};
  };
  return {{"in_step", difference.in_step()},
          {"here", end(difference.here)},
          {"there", end(difference.there)},
          {"mark", difference.to.mark.value},
          {"end", difference.to.end.value},
          {"burn_here_bytes", difference.burn_here},
          {"burn_there_bytes", difference.burn_there},
          {"quarantine_here_bytes", difference.quarantine_here},
          {"quarantine_there_bytes", difference.quarantine_there}};
}

Result<json::value> reconcile(Services services, RequestContext& context) {
  TRY_ASSIGN(const auto order, link_order(services, context));
  TRY_ASSIGN(const auto result, kme::reconcile(*order.link, ask_of(services, *order.link),
                                               flag_of(order.body, "apply")));
  return json::value{{"peer", order.link->peer().text()},
                     {"applied", result.applied},
                     {"send", difference_json(result.send)},
                     {"receive", difference_json(result.receive)}};
}

Result<kme::RetireOrder> retire_order(Services services, const json::object& body) {
  kme::RetireOrder order{.all = flag_of(body, "all")};
  if (body.contains("older_than_seconds")) {
    TRY_ASSIGN(const std::uint64_t seconds,
               number_field(body, "older_than_seconds", 1'000'000'000'000));
    order.older_than = os::UnixMs{services.site.system.clock.now().value -
                                  static_cast<std::int64_t>(seconds) * 1000};
  }
  if (body.contains("origin")) {
    TRY_ASSIGN(const std::string name, text_field(body, "origin"));
    for (std::uint8_t number = 1; number < 16; ++number) {
      const auto origin = keypool::origin_from_number(number);
      if (origin && keypool::origin_name(*origin) == name) order.origin = *origin;
    }
    if (!order.origin) return fail(Code::kInvalidArgument, "'" + name + "' is no origin of key");
  }
  if (!order.all && !order.older_than && !order.origin) {
    return fail(Code::kInvalidArgument, "say which key: older_than_seconds, origin or all");
  }
  return order;
}

Result<json::value> burn_as(const kme::RetireOrder& what, Services services,
                            const LinkOrder& order) {
  TRY_ASSIGN(const auto result, kme::retire(*order.link, what, ask_of(services, *order.link),
                                            flag_of(order.body, "apply")));
  return json::value{{"peer", order.link->peer().text()},
                     {"applied", result.applied},
                     {"send_bytes", result.send_bytes},
                     {"receive_bytes", result.receive_bytes}};
}

Result<json::value> retire(Services services, RequestContext& context) {
  TRY_ASSIGN(const auto order, link_order(services, context));
  TRY_ASSIGN(const kme::RetireOrder what, retire_order(services, order.body));
  return burn_as(what, services, order);
}

Result<json::value> burn(Services services, RequestContext& context) {
  TRY_ASSIGN(const auto order, link_order(services, context));
  kme::RetireOrder what;
  TRY_ASSIGN(what.bytes, number_field(order.body, "bytes", UINT64_MAX >> 1));
  if (*what.bytes == 0) return fail(Code::kInvalidArgument, "'bytes' must be larger than 0");
  if (order.body.contains("direction")) {
    TRY_ASSIGN(const std::string direction, direction_field(order.body));
    what.send = direction == "send";
    what.receive = direction == "receive";
  }
  return burn_as(what, services, order);
}

Result<json::value> trail_json(Services services, RequestContext& context) {
  TRY_ASSIGN(const auto links, links_of(services, context));
  keypool::TrailQuery query;
  TRY_ASSIGN(query.most, query_number(context, "most", 1000));
  TRY_ASSIGN(const std::uint64_t seconds, query_number(context, "seconds", 0));
  if (seconds > 0 && seconds < 1'000'000'000'000) {
    query.from = {services.site.system.clock.now().value -
                  static_cast<std::int64_t>(seconds) * 1000};
  }
  if (const auto job = context.request().query.find("job")) {
    TRY_ASSIGN(query.job, JobId::parse(*job));
  }
  json::array list;
  std::uint64_t lost = 0;
  for (kme::Link* link : links) {
    for (const auto& [name, direction] : kDirections) {
      keypool::Trail* trail = pool_of(*link, direction).trail();
      if (trail == nullptr) continue;
      TRY_ASSIGN(const auto records, trail->read(query));
      lost += trail->lost();
      for (const keypool::TrailRecord& record : records) {
        list.push_back({{"time", os::utc_text(record.time)},
                        {"peer", link->peer().text()},
                        {"direction", name},
                        {"offset", record.begin.value},
                        {"bytes", record.length.value},
                        {"use", keypool::trail_use_name(record.use)},
                        {"job", record.job.is_zero() ? "" : record.job.text()}});
      }
    }
  }
  return json::value{{"site", services.site.config.name.text()},
                     {"records", std::move(list)},
                     {"lost_records", lost}};
}

void answer_metrics(Services services, RequestContext& context) {
  const std::string site = services.site.config.name.text();
  std::string text = metrics_text(site, reports(services));
  if (services.scrubber != nullptr) text += scrub_metrics_text(site, services.scrubber->status());
  if (services.control != nullptr) {
    text += view_metrics_text(site, services.control->views.figures());
  }
  http::Response response{.body = http::Body::of(text)};
  response.content_type = kMetricsType;
  context.respond(std::move(response));
}

}  // namespace

void add_key_routes(http::Router& router, Services services) {
  using http::Method;
  const auto on = [&](Method method, const char* path, auto work) {
    router.add(method, path, json_handler([services, work](RequestContext& context) {
                 return work(services, context);
               }));
  };
  on(Method::kGet, "/v1/keys", [](Services s, RequestContext&) -> Result<json::value> {
    json::array links;
    for (const kme::LinkReport& report : reports(s)) {
      json::object link = report_json(report);
      const kme::DiskIntake* disk = s.disks->to(*SiteName::parse(report.peer));
      link["switches"] = link_switches_json(s, report.peer);
      link["disk"] = disk_json(disk == nullptr ? std::nullopt : disk->status());
      links.push_back(std::move(link));
    }
    return json::value{{"site", s.site.config.name.text()}, {"links", std::move(links)}};
  });
  on(Method::kGet, "/v1/keys/segments",
     [](Services s, RequestContext& c) { return segments_json(s, c, std::nullopt); });
  on(Method::kGet, "/v1/keys/quarantine",
     [](Services s, RequestContext& c) { return segments_json(s, c, SegmentState::kQuarantined); });
  on(Method::kPost, "/v1/keys/quarantine/discard", discard);
  on(Method::kPost, "/v1/keys/reconcile", reconcile);
  on(Method::kPost, "/v1/keys/retire", retire);
  on(Method::kPost, "/v1/keys/burn", burn);
  on(Method::kGet, "/v1/keys/trail", trail_json);
  add_metrics_route(router, services);
}

void add_metrics_route(http::Router& router, Services services) {
  router.add(http::Method::kGet, "/metrics",
             [services](RequestContext& context) { answer_metrics(services, context); });
}

}  // namespace warifu::api
