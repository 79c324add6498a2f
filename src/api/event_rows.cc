// Rows, each a JSON object with its key in "id".
#include "api/event_rows.h"

#include <cmath>

#include "api/device_json.h"
#include "api/job_error.h"
#include "api/json.h"
#include "base/reason.h"

namespace warifu::api {
namespace {

constexpr std::uint64_t kJobs = 200;
constexpr std::int64_t kRecentMs = 3600LL * 1000;
constexpr double kDigits = 1000;  // rates to three digits, so that rows change when rates do

double rounded(double rate) {
  if (!(rate > 0)) return 0;
  const double unit = std::pow(10.0, std::floor(std::log10(rate))) / kDigits;
  return std::round(rate / unit) * unit;
}

void put(EventTable::Rows& rows, std::string key, json::object row) {
  row["id"] = key;
  rows[std::move(key)] = json::serialize(row);
}

json::object direction_row(const kme::DirectionReport& report) {
  return {{"state", kme::key_state_name(report.state)},
          {"available_bytes", report.available_bytes},
          {"residual_bytes", report.residual_bytes},
          {"leased_bytes", report.leased_bytes},
          {"quarantined_bytes", report.quarantined_bytes},
          {"inflow_bits_per_second", rounded(report.inflow_bits_per_second)},
          {"outflow_bits_per_second", rounded(report.outflow_bits_per_second)}};
}

std::set<std::string> origins_of(kme::Link& link) {
  std::set<std::string> names;
  for (keypool::Pool* pool : {&link.send(), &link.receive()}) {
    for (const auto origin : pool->status().origins) names.emplace(keypool::origin_name(origin));
  }
  return names;
}

json::value edge_json(const planner::EdgeState* edge) {
  if (edge == nullptr) return nullptr;
  return {{"residual_bytes", edge->residual_bytes},
          {"inflow_bits_per_second", rounded(edge->inflow_bits_per_second)},
          {"carries", edge->carries}};
}

// Alerts of one kind about one thing. "serious": something is lost or stands still; "warning": it
// may come to that.
void alert(EventTable::Rows& rows, const char* kind, const char* severity,
           const std::string& subject, const std::string& detail) {
  put(rows, std::string(kind) + " " + subject,
      {{"kind", kind}, {"severity", severity}, {"subject", subject}, {"detail", detail}});
}

// Something that failed: by code and reason a page says why in its reader's language.
struct Failed {
  std::string message;
  std::string code;
  std::string_view reason;
};

Failed failed(const Error& error) {
  return {error.message, std::string(code_name(error.code)), reason_name(error.reason)};
}

void alert(EventTable::Rows& rows, const char* kind, const char* severity,
           const std::string& subject, const Failed& why) {
  put(rows, std::string(kind) + " " + subject,
      {{"kind", kind},
       {"severity", severity},
       {"subject", subject},
       {"detail", why.message},
       {"code", why.code},
       {"reason", why.reason}});
}

// States of a device that call for nobody.
bool is_quiet(std::string_view state) {
  return state.starts_with("delivering") || state == "paused" || state == "not asked yet";
}

void link_alerts(Services services, EventTable::Rows& rows) {
  for (kme::Link* link : services.site.keys.links()) {
    const kme::LinkReport report = link->report();
    for (const auto& [name, way] :
         {std::pair{"send", &report.send}, {"receive", &report.receive}}) {
      const std::string subject = report.peer + " (" + name + ")";
      const std::string left = std::to_string(way->available_bytes);
      if (way->state == kme::KeyState::kEmpty) alert(rows, "key_empty", "serious", subject, left);
      if (way->state == kme::KeyState::kWarning) alert(rows, "key_low", "warning", subject, left);
      if (way->quarantined_bytes > 0) {
        alert(rows, "key_quarantined", "warning", subject, std::to_string(way->quarantined_bytes));
      }
    }
    for (const kme::DeviceStatus& device : report.devices) {
      const std::string subject = report.peer + " (" + device.name + ")";
      if (!is_quiet(device.state)) {
        alert(rows, "device_state", "warning", subject,
              Failed{device.state, std::string(code_name(device.trouble)),
                     reason_name(device.reason)});
      }
      for (const Error& alarm : device.alarms) {
        alert(rows, "device_alarm", "serious",
              subject + " " + std::string(reason_name(alarm.reason)), failed(alarm));
      }
    }
  }
}

}  // namespace

Holdings count_holdings(Services services) {
  Holdings holdings{.free_bytes = services.site.shares.free_bytes().value_or(0)};
  const auto totals = services.site.shares.totals();
  if (!totals) return holdings;  // whoever needs the shares says so
  holdings.shares = totals->shares;
  holdings.bytes = totals->bytes;
  if (services.scrubber == nullptr) return holdings;
  for (const auto& [share, damage] : services.scrubber->status().state.damage) {
    holdings.damage.emplace(share.text(), error_of_text(Code::kCorrupt, damage.why));
  }
  return holdings;
}

EventTable::Rows site_rows(Services services, const Holdings& holdings) {
  const auto& config = services.site.config;
  EventTable::Rows rows;
  put(rows, "site",
      {{"site", config.name.text()},
       {"controller", config.controller.text()},
       {"is_controller", config.is_controller()},
       {"single_operator", services.operators == nullptr},
       {"shares", holdings.shares},
       {"share_bytes", holdings.bytes},
       {"free_bytes", holdings.free_bytes >> 26 << 26},  // to 64 MiB
       {"log_records", services.site.log.head().sequence},
       {"unlocked_secret_memory", secret::has_unlocked_memory()}});
  return rows;
}

EventTable::Rows link_rows(Services services) {
  EventTable::Rows rows;
  for (kme::Link* link : services.site.keys.links()) {
    const kme::LinkReport report = link->report();
    json::array devices;
    for (const kme::DeviceStatus& device : report.devices) {
      json::array reasons;
      for (const Error& alarm : device.alarms) reasons.emplace_back(reason_name(alarm.reason));
      devices.push_back({{"name", device.name},
                         {"state", device.state},
                         {"code", code_name(device.trouble)},
                         {"reason", reason_name(device.reason)},
                         {"qber", device.qber ? json::value(*device.qber) : json::value(nullptr)},
                         {"alarms", alarms_json(device)},
                         {"alarm_reasons", std::move(reasons)}});
    }
    const std::set<std::string> origins = origins_of(*link);
    put(rows, report.peer,
        {{"peer", report.peer},
         {"class", report.link_class},
         {"paths", report.relay_paths},
         {"origins", json::array(origins.begin(), origins.end())},
         {"carries_shares", link->carries_shares()},
         {"send", direction_row(report.send)},
         {"receive", direction_row(report.receive)},
         {"devices", std::move(devices)}});
  }
  return rows;
}

EventTable::Rows network_site_rows(Services services, const NetworkLook& look) {
  const auto& config = services.site.config;
  std::map<SiteName, Error> missing;
  if (look.view) missing = {look.view->missing.begin(), look.view->missing.end()};
  EventTable::Rows rows;
  for (const config::SiteEntry& site : config.sites) {
    const bool own = site.name == config.name;
    const auto silent = missing.find(site.name);
    const char* state = own                       ? "up"
                        : !look.view              ? "unknown"
                        : silent == missing.end() ? "up"
                                                  : "silent";
    json::object row = {
        {"site", site.name.text()},
        {"own", own},
        {"controller", site.name == config.controller},
        {"labels", json::array(site.labels.begin(), site.labels.end())},
        {"region", site.region},
        {"accepts_shares", site.accepts_shares},
        {"state", state},
        {"why", silent == missing.end() ? "" : silent->second.message},
        {"code", silent == missing.end() ? "" : code_name(silent->second.code)},
        {"reason", silent == missing.end() ? "" : reason_name(silent->second.reason)},
        {"free_bytes", nullptr}};
    if (look.view) {
      const auto free = look.view->snapshot.free_bytes.find(site.name);
      if (free != look.view->snapshot.free_bytes.end()) {
        row["free_bytes"] = free->second >> 26 << 26;
      }
    }
    put(rows, site.name.text(), std::move(row));
  }
  return rows;
}

EventTable::Rows network_link_rows(Services services, const NetworkLook& look) {
  std::map<std::pair<SiteName, SiteName>, const planner::EdgeState*> edges;
  if (look.view) {
    for (const planner::EdgeState& edge : look.view->snapshot.edges) {
      edges[{edge.from, edge.to}] = &edge;
    }
  }
  const auto of = [&](const SiteName& from, const SiteName& to) {
    const auto found = edges.find({from, to});
    return edge_json(found == edges.end() ? nullptr : found->second);
  };
  EventTable::Rows rows;
  for (const config::LinkEntry& link : services.site.config.links) {
    put(rows, link.a.text() + "|" + link.b.text(),
        {{"a", link.a.text()},
         {"b", link.b.text()},
         {"class", kme::link_class_name(link.link_class)},
         {"paths", link.paths},
         {"there", of(link.a, link.b)},
         {"back", of(link.b, link.a)}});
  }
  return rows;
}

EventTable::Rows job_rows(Services services) {
  EventTable::Rows rows;
  if (services.control == nullptr) return rows;
  const auto jobs = services.control->catalog.list_jobs({}, {.count = kJobs});
  if (!jobs) return rows;
  for (const catalog::Job& job : *jobs) {
    const auto before = services.control->jobs.before(job.job);
    put(rows, job.job.text(),
        {{"kind", catalog::kind_name(job.kind)},
         {"state", catalog::state_name(job.state)},
         {"priority", catalog::priority_name(job.priority)},
         {"step", job.step},
         {"object", job.object ? job.object->text() : ""},
         {"progress_bytes", job.progress_bytes},
         {"total_bytes", job.total_bytes},
         {"error", error_message(job)},
         {"error_code", error_code(job)},
         {"error_reason", error_reason(job)},
         {"refused", was_refused(job)},
         {"jobs_before", before ? json::value(*before) : json::value(nullptr)},
         {"created_ms", job.created.value},
         {"updated_ms", job.updated.value},
         {"expected_end_ms", job.expected_end ? job.expected_end->value : 0}});
  }
  return rows;
}

EventTable::Rows alert_rows(Services services, const NetworkLook& look, const Holdings& holdings) {
  EventTable::Rows rows;
  link_alerts(services, rows);
  if (look.view) {
    for (const auto& [site, why] : look.view->missing) {
      alert(rows, "site_silent", "serious", site.text(), failed(why));
    }
  }
  for (const auto& [share, why] : holdings.damage) {
    alert(rows, "share_damaged", "serious", share, failed(why));
  }
  if (services.logs != nullptr) {
    for (const auto& [site, state] : services.logs->status()) {
      if (state.differs_at == 0) continue;
      alert(rows, "log_differs", "serious", site.text(), std::to_string(state.differs_at));
    }
  }
  if (secret::has_unlocked_memory()) alert(rows, "unlocked_memory", "warning", "", "");
  if (services.control == nullptr) return rows;
  const auto failed =
      services.control->catalog.list_jobs({.state = catalog::JobState::kFailed}, {.count = 20});
  const std::int64_t since = services.site.system.clock.now().value - kRecentMs;
  if (!failed) return rows;
  for (const catalog::Job& job : *failed) {
    if (job.updated.value < since || was_refused(job)) continue;
    alert(rows, "job_failed", "warning", job.job.text(),
          Failed{error_message(job), error_code(job), error_reason(job)});
  }
  return rows;
}

}  // namespace warifu::api
