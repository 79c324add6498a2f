// Entry by entry.
#include "api/fhir_bundle.h"

#include <fmt/format.h>

#include <map>

#include "api/audit_export.h"
#include "api/log_json.h"
#include "api/log_search.h"
#include "api/risk_json.h"
#include "base/ids.h"

namespace warifu::api {
namespace {

// RFC 4122, version 4.
std::string new_urn(os::Random& random) {
  std::array<Byte, 16> bytes{};
  random.fill(bytes);
  bytes[6] = static_cast<Byte>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<Byte>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = to_hex(bytes);
  return fmt::format("urn:uuid:{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                     hex.substr(12, 4), hex.substr(16, 4), hex.substr(20));
}

class Entries {
 public:
  explicit Entries(os::Random& random) : random_(random) {}
  // Its fullUrl.
  std::string add(json::object resource) {
    const std::string url = new_urn(random_);
    list_.push_back({{"fullUrl", url}, {"resource", std::move(resource)}});
    return url;
  }
  json::array take() { return std::move(list_); }

 private:
  os::Random& random_;
  json::array list_;
};

json::object reference_to(const std::string& url) {
  return {{"reference", url}};
}

}  // namespace

Result<json::object> fhir_bundle(const BundleParts& parts, os::Random& random) {
  Entries entries(random);
  const std::string consent = entries.add(fhir_consent(parts.consent));
  json::object provenance = fhir_provenance(parts.consent);
  provenance["target"] = json::array{reference_to(consent)};
  entries.add(std::move(provenance));
  const std::string& person = parts.consent.record.person_id;
  std::string observation;
  if (const auto& score = parts.kept.score) {
    observation = entries.add(fhir_score(score->file, score->report,
                                         {person, os::utc_text(score->when)}, parts.language));
  }
  if (const auto& risk = parts.kept.risk) {
    json::object assessment = fhir_risk(risk->model, risk->result, risk->has_score,
                                        {person, os::utc_text(risk->when)}, parts.language);
    if (risk->has_score && !observation.empty()) {
      assessment["basis"].as_array().push_back(reference_to(observation));
    }
    entries.add(std::move(assessment));
  }
  TRY_ASSIGN(const auto exporter, make_audit_export("fhir", parts.consent.issuer.text()));
  for (const audit::Record& record : parts.log) {
    json::value entry = json::parse(exporter->entry(record_json(record), true));
    entries.add(std::move(entry.at("resource").as_object()));
  }
  return json::object{{"resourceType", "Bundle"},
                      {"type", "collection"},
                      {"timestamp", os::utc_text(parts.now)},
                      {"entry", entries.take()}};
}

Result<std::vector<audit::Record>> records_about(audit::Log& log,
                                                 const std::vector<std::string>& ids,
                                                 std::size_t most) {
  std::map<std::uint64_t, audit::Record> found;
  for (const std::string& id : ids) {
    LogQuery query{.text = id, .most = most};
    do {
      TRY_ASSIGN(const LogFound some, search_log(log, query));
      for (const audit::Record& record : some.records) found.emplace(record.sequence, record);
      query.before = some.next;
    } while (query.before != 0 && found.size() < most);
  }
  std::vector<audit::Record> records;
  for (auto& [sequence, record] : found) records.push_back(std::move(record));
  if (records.size() > most) {
    records.erase(records.begin(), records.end() - static_cast<std::ptrdiff_t>(most));
  }
  return records;
}

}  // namespace warifu::api
