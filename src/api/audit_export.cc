// Forms of exported records.
#include "api/audit_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <boost/json.hpp>

namespace warifu::api {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& object, const char* key) {
  const json::value* value = object.as_object().if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::string field_of(const json::value& record, const char* name) {
  const json::value* fields = record.as_object().if_contains("fields");
  return fields == nullptr ? "" : text_of(*fields, name);
}

std::string event_of(const json::value& record) {
  return record.as_object().contains("erased") ? "erased" : text_of(record, "event");
}

// What was done to the data: an export, a creation, a deletion, else an execution.
char action_of(const std::string& event) {
  if (event == "release" || event == "emergency_release" || event == "restored" ||
      event == "part_given")
    return 'R';
  if (event.ends_with("deleted") || event == "erased") return 'D';
  if (event.ends_with("enrolled") || event.ends_with("stored") || event.ends_with("created") ||
      event == "object_committed" || event == "consent_given") {
    return 'C';
  }
  if (event == "switched" || event.ends_with("moved") || event == "card_revoked") return 'U';
  return 'E';
}

bool was_refused(const std::string& event) {
  return event == "refused" || event.ends_with("_refused");
}

// The operators whose act it was; two of them where it took two.
std::vector<std::string> operators_of(const json::value& record) {
  std::vector<std::string> names;
  std::string rest = field_of(record, "operator");
  while (!rest.empty()) {
    const std::size_t plus = std::min(rest.find('+'), rest.size());
    names.push_back(rest.substr(0, plus));
    rest.erase(0, plus + 1);
  }
  return names;
}

// Why it was refused.
std::string reason_of(const json::value& record) {
  for (const char* name : {"reason", "why"}) {
    if (std::string text = field_of(record, name); !text.empty()) return text;
  }
  const std::string needs = field_of(record, "needs");
  return needs.empty() ? "" : "needs the role " + needs;
}

class JsonLines final : public AuditExport {
 public:
  std::string entry(const json::value& record, bool) override {
    return json::serialize(record) + "\n";
  }
};

// Pseudonyms and names of events only, as they stand in the log.
class Fhir final : public AuditExport {
 public:
  explicit Fhir(std::string site) : site_(std::move(site)) {}

  std::string head() const override {
    return R"({"resourceType":"Bundle","type":"collection","entry":[)"
           "\n";
  }
  std::string entry(const json::value& record, bool first) override {
    const std::string event = event_of(record);
    const json::value observer = {{"display", "Warifu site " + site_}};
    json::array agents;
    const std::string grantee = field_of(record, "grantee");
    if (!grantee.empty()) agents.push_back({{"name", grantee}, {"requestor", true}});
    for (const std::string& name : operators_of(record)) {
      const json::value identifier = {{"system", "urn:warifu:operator"}, {"value", name}};
      agents.push_back({{"who", json::object{{"identifier", identifier}}}, {"requestor", true}});
    }
    agents.push_back({{"who", observer}, {"requestor", agents.empty()}});
    json::object resource = {
        {"resourceType", "AuditEvent"},
        {"type",
         {{"system", "http://terminology.hl7.org/CodeSystem/audit-event-type"},
          {"code", "rest"},
          {"display", "Restful Operation"}}},
        {"subtype", json::array{{{"system", "urn:warifu:audit-event"}, {"code", event}}}},
        {"action", std::string(1, action_of(event))},
        {"recorded", recorded(record)},
        {"outcome", was_refused(event) ? "4" : "0"},
        {"agent", std::move(agents)},
        {"source", {{"observer", observer}}},
        {"entity", entities(record)}};
    if (const std::string reason = reason_of(record); was_refused(event) && !reason.empty()) {
      resource["outcomeDesc"] = reason;
    }
    json::array reasons;
    if (!field_of(record, "purpose").empty()) reasons.push_back(purpose(record));
    if (!field_of(record, "emergency").empty()) reasons.push_back(act_reason("BTG"));
    if (!reasons.empty()) {
      resource["purposeOfEvent"] = json::array{{{"coding", std::move(reasons)}}};
    }
    if (const std::string why = field_of(record, "emergency_reason"); !why.empty()) {
      resource["outcomeDesc"] = why;
    }
    return std::string(first ? "" : ",\n") + json::serialize(json::value{{"resource", resource}});
  }
  std::string tail() const override { return "\n]}\n"; }

 private:
  static std::string recorded(const json::value& record) {
    // An erased record keeps its place and not its time.
    const std::string time = text_of(record, "time");
    return time.empty() ? "1970-01-01T00:00:00Z" : time;
  }
  static json::object act_reason(const char* code) {
    return {{"system", "http://terminology.hl7.org/CodeSystem/v3-ActReason"}, {"code", code}};
  }
  static json::object purpose(const json::value& record) {
    const std::string purpose = field_of(record, "purpose");
    const char* code = purpose == "research"   ? "HRESCH"
                       : purpose == "medicine" ? "TREAT"
                                               : "PATRQT";
    return act_reason(code);
  }
  json::array entities(const json::value& record) const {
    json::array list;
    const auto add = [&](const char* system, const std::string& value) {
      if (value.empty()) return;
      const json::value identifier = {{"system", system}, {"value", value}};
      list.push_back(json::object{{"what", json::object{{"identifier", identifier}}}});
    };
    add("urn:warifu:log-record",
        site_ + "/" + std::to_string(record.at("seq").to_number<std::uint64_t>()));
    add("urn:warifu:object", field_of(record, "object"));
    add("urn:warifu:share", field_of(record, "share"));
    add("urn:warifu:grant", field_of(record, "grant"));
    add("urn:warifu:pseudonym", field_of(record, "person"));
    return list;
  }
  std::string site_;
};

std::string xml(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '&': escaped += "&amp;"; break;
      case '"': escaped += "&quot;"; break;
      default:
        // What XML 1.0 cannot carry.
        escaped +=
            static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r' ? '?' : c;
    }
  }
  return escaped;
}

class Dicom final : public AuditExport {
 public:
  explicit Dicom(std::string site) : site_(std::move(site)) {}

  std::string head() const override {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AuditMessages>\n";
  }
  std::string entry(const json::value& record, bool) override {
    const std::string event = event_of(record), time = text_of(record, "time");
    std::string text = fmt::format(
        "<AuditMessage>"
        "<EventIdentification EventActionCode=\"{}\" EventDateTime=\"{}\" "
        "EventOutcomeIndicator=\"{}\">"
        "<EventID csd-code=\"{}\" codeSystemName=\"Warifu\" originalText=\"{}\"/>"
        "</EventIdentification>",
        action_of(event), time.empty() ? "1970-01-01T00:00:00Z" : time, was_refused(event) ? 4 : 0,
        xml(event), xml(event));
    const std::string grantee = field_of(record, "grantee");
    std::vector<std::string> participants;
    if (!grantee.empty()) participants.push_back(grantee);
    for (const std::string& name : operators_of(record)) participants.push_back("operator:" + name);
    if (participants.empty()) participants.push_back("site:" + site_);
    for (const std::string& name : participants) {
      text += fmt::format("<ActiveParticipant UserID=\"{}\" UserIsRequestor=\"true\"/>", xml(name));
    }
    text += fmt::format("<AuditSourceIdentification AuditSourceID=\"{}\" code=\"4\"/>", xml(site_));
    for (const char* name : {"object", "share", "grant", "person"}) {
      const std::string value = field_of(record, name);
      if (value.empty()) continue;
      text += fmt::format(
          "<ParticipantObjectIdentification ParticipantObjectID=\"{}\" "
          "ParticipantObjectTypeCode=\"{}\"><ParticipantObjectIDTypeCode csd-code=\"{}\" "
          "codeSystemName=\"Warifu\" originalText=\"{}\"/></ParticipantObjectIdentification>",
          xml(value), std::string_view(name) == "person" ? 1 : 2, name, name);
    }
    return text + "</AuditMessage>\n";
  }
  std::string tail() const override { return "</AuditMessages>\n"; }

 private:
  std::string site_;
};

}  // namespace

Result<std::unique_ptr<AuditExport>> make_audit_export(const std::string& format,
                                                       const std::string& site) {
  if (format == "jsonl") return std::make_unique<JsonLines>();
  if (format == "fhir") return std::make_unique<Fhir>(site);
  if (format == "dicom") return std::make_unique<Dicom>(site);
  return fail(Code::kInvalidArgument, "'" + format + "' must be jsonl, fhir or dicom");
}

}  // namespace warifu::api
