// The audit log of a site: records, checkpoints, proofs, what witnesses say.
#include "api/act_json.h"
#include "api/audit_export.h"
#include "api/log_json.h"
#include "api/log_search.h"

namespace warifu::api {
namespace {

constexpr std::uint64_t kMostRecords = 1000;

Result<json::value> records_json(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const std::uint64_t from, query_number(context, "from", 1));
  TRY_ASSIGN(const std::uint64_t most, query_number(context, "most", kMostRecords));
  TRY_ASSIGN(const auto records, services.site.log.read(from, std::min(most, kMostRecords)));
  json::array list;
  for (const audit::Record& record : records) list.push_back(record_json(record));
  return json::value{{"site", services.site.config.name.text()},
                     {"records", services.site.log.head().sequence},
                     {"emergencies", emergencies_json(services)},
                     {"list", std::move(list)}};
}

json::array hashes_json(const std::vector<audit::Digest>& hashes) {
  json::array list;
  for (const audit::Digest& hash : hashes) list.emplace_back(to_hex(hash));
  return list;
}

json::array witnesses_json(const std::map<SiteName, upkeep::WitnessState>& states) {
  json::array list;
  for (const auto& [site, state] : states) {
    json::object entry = {{"witness", site.text()},
                          {"verdict", upkeep::verdict_name(state.verdict)},
                          {"records", state.size},
                          {"asked", state.asked.value == 0 ? "" : os::utc_text(state.asked)},
                          {"problem", state.problem}};
    if (state.differs_at != 0) entry["differs_at"] = state.differs_at;
    list.push_back(std::move(entry));
  }
  return list;
}

Result<json::value> checkpoint_json(Services services,
                                    const std::map<SiteName, upkeep::WitnessState>& states) {
  TRY_ASSIGN(const audit::Note note, services.logs->note());
  json::array seen;
  for (const auto& [site, log] : services.logs->witnessed()) {
    seen.push_back({{"site", site.text()},
                    {"records", log.size},
                    {"root", to_hex(log.root)},
                    {"key", to_hex(log.key)}});
  }
  return json::value{{"site", services.site.config.name.text()},
                     {"records", services.site.log.head().sequence},
                     {"checkpoint_records", note.checkpoint.size},
                     {"root", to_hex(note.checkpoint.root)},
                     {"note", note.text()},
                     {"key", to_hex(services.logs->public_key())},
                     {"witnesses", witnesses_json(states)},
                     {"witnessed", std::move(seen)}};
}

Result<json::value> proof_json(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const std::uint64_t number, query_number(context, "record", 0));
  TRY_ASSIGN(const audit::Note note, services.logs->note());
  TRY_ASSIGN(const auto records, services.site.log.read(std::max<std::uint64_t>(number, 1), 1));
  if (number == 0 || records.empty()) {
    return fail(Code::kNotFound, "there is no record " + std::to_string(number));
  }
  if (number > note.checkpoint.size) {
    return fail(Code::kUnavailable, "record " + std::to_string(number) +
                                        " is behind the last checkpoint; ask for a "
                                        "round of witnesses first");
  }
  const audit::Record& record = records.front();
  TRY_ASSIGN(const auto proof, services.site.log.inclusion(number, note.checkpoint.size));
  json::value answer = record_json(record);
  json::object& object = answer.get_object();
  object["salt"] = to_hex(record.salt);
  object["text"] = record.text;
  object["proof"] = hashes_json(proof);
  object["note"] = note.text();
  object["key"] = to_hex(services.logs->public_key());
  return answer;
}

// That the log of `before` records is the beginning of the one in the last checkpoint.
Result<json::value> consistency_json(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const std::uint64_t before, query_number(context, "before", 0));
  TRY_ASSIGN(const audit::Note note, services.logs->note());
  if (before == 0 || before > note.checkpoint.size) {
    return fail(Code::kInvalidArgument,
                "'before' must be 1 to " + std::to_string(note.checkpoint.size));
  }
  TRY_ASSIGN(const auto root, services.site.log.root(before));
  TRY_ASSIGN(const auto proof, services.site.log.consistency(before, note.checkpoint.size));
  return json::value{{"before", before},
                     {"root_before", to_hex(root)},
                     {"proof", hashes_json(proof)},
                     {"note", note.text()},
                     {"key", to_hex(services.logs->public_key())}};
}

Result<json::value> found_json(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const LogQuery query, read_log_query(context));
  TRY_ASSIGN(const LogFound found, search_log(services.site.log, query));
  json::array list;
  for (const audit::Record& record : found.records) list.push_back(record_json(record));
  return json::value{{"site", services.site.config.name.text()},
                     {"records", services.site.log.head().sequence},
                     {"next", found.next},
                     {"list", std::move(list)}};
}

// The records that a search finds, the oldest first, as a file. What goes wrong behind its
// beginning cuts the stream, so that nobody takes a part for the whole.
void export_records(Services services, http::RequestContext& context) {
  const auto format = context.request().query.find("format").value_or("jsonl");
  auto exporter = make_audit_export(std::string(format), services.site.config.name.text());
  if (!exporter) return answer_error(context, exporter.error());
  auto query = read_log_query(context);
  if (!query) return answer_error(context, query.error());
  const char* type = format == "dicom"  ? "application/xml"
                     : format == "fhir" ? "application/fhir+json"
                                        : "application/x-ndjson";
  if (!context.begin_stream(200, type) || !context.write(as_bytes((*exporter)->head()))) return;
  bool first = true;
  const audit::Head end = services.site.log.head();
  for (std::uint64_t from = 1; from <= end.sequence; from += kMostRecords) {
    const auto records = services.site.log.read(from, kMostRecords);
    if (!records) return;
    std::string text;
    for (const audit::Record& record : *records) {
      if (record.sequence > end.sequence || !fits(record, *query)) continue;
      text += (*exporter)->entry(record_json(record), first);
      first = false;
    }
    if (!context.write(as_bytes(text))) return;
  }
  if (context.write(as_bytes((*exporter)->tail()))) (void)context.finish();
}

Result<json::value> erase(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::uint64_t number, number_field(body, "record", UINT64_MAX));
  TRY_ASSIGN(const std::string reason, text_field(body, "reason"));
  TRY(services.site.log.erase(number, reason));
  return json::value{{"record", number}, {"erased", true}};
}

}  // namespace

json::value record_json(const audit::Record& record) {
  json::object fields;
  for (const auto& [name, value] : record.fields) fields[name] = value;
  json::object entry = {{"seq", record.sequence}, {"leaf", to_hex(record.leaf)}};
  if (record.erased) {
    entry["erased"] = true;
    return entry;
  }
  entry["time"] = os::utc_text(record.time);
  entry["time_ms"] = record.time.value;
  entry["event"] = record.event;
  entry["fields"] = std::move(fields);
  return entry;
}

void add_log_routes(http::Router& router, Services services) {
  using http::Method;
  const auto on = [&](Method method, const char* path, auto work) {
    router.add(method, path, json_handler([services, work](http::RequestContext& context) {
                 return work(services, context);
               }));
  };
  on(Method::kGet, "/v1/log", records_json);
  on(Method::kGet, "/v1/log/checkpoint",
     [](Services all, http::RequestContext&) { return checkpoint_json(all, all.logs->status()); });
  on(Method::kPost, "/v1/log/round",
     [](Services all, http::RequestContext&) { return checkpoint_json(all, all.logs->round()); });
  on(Method::kGet, "/v1/log/proof", proof_json);
  on(Method::kGet, "/v1/log/consistency", consistency_json);
  on(Method::kGet, "/v1/log/search", found_json);
  router.add(Method::kGet, "/v1/log/export",
             [services](http::RequestContext& context) { export_records(services, context); });
  on(Method::kPost, "/v1/log/erase", erase);
}

}  // namespace warifu::api
