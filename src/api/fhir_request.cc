// The elements of a FHIR Consent, one after the other.
#include "api/fhir_request.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace warifu::api {
namespace {

namespace json = boost::json;

std::unexpected<Error> wrong(const std::string& element, const std::string& why) {
  return fail(Code::kInvalidArgument, "FHIR Consent: " + element + " " + why);
}

std::string text_at(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The objects of a list; none when it is left out. Errors: it is something else.
Result<std::vector<json::object>> objects_at(const json::object& object, const char* key) {
  std::vector<json::object> list;
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return list;
  if (!value->is_array()) return wrong(key, "must be a list");
  for (const json::value& one : value->get_array()) {
    if (!one.is_object()) return wrong(key, "must hold objects");
    list.push_back(one.get_object());
  }
  return list;
}

Result<> only(const json::object& object, const std::string& element,
              std::initializer_list<std::string_view> known) {
  for (const auto& entry : object) {
    const std::string_view key = entry.key();
    if (std::ranges::find(known, key) != known.end() || key == "id") continue;
    return wrong(element + "." + std::string(key), "is not understood, and is not left out");
  }
  return {};
}

std::string code_of(const json::object& concept_of) {
  const auto codings = objects_at(concept_of, "coding");
  return codings && codings->size() == 1 ? text_at(codings->front(), "code") : std::string();
}

// dateTime of R4: a day, or a day and a time with its zone.
std::optional<std::int64_t> time_ms(const std::string& text) {
  const auto number = [&](std::size_t at, std::size_t size) -> std::optional<int> {
    int value = 0;
    if (at + size > text.size()) return std::nullopt;
    const auto [end, bad] = std::from_chars(text.data() + at, text.data() + at + size, value);
    if (bad != std::errc() || end != text.data() + at + size || value < 0) return std::nullopt;
    return value;
  };
  const auto year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  if (text.size() == 10) return days * 86'400'000;
  const auto hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (text[10] != 'T' || !hour || !minute || !second || *hour > 23 || *minute > 59 ||
      *second > 60) {
    return std::nullopt;
  }
  std::size_t zone = 19;
  if (zone < text.size() && text[zone] == '.') {
    while (++zone < text.size() && text[zone] >= '0' && text[zone] <= '9') {
    }
  }
  std::int64_t offset = 0;
  if (text.substr(zone) != "Z") {
    const auto hours = number(zone + 1, 2), minutes = number(zone + 4, 2);
    if (text.size() != zone + 6 || !hours || !minutes || text[zone + 3] != ':') return std::nullopt;
    if (text[zone] != '+' && text[zone] != '-') return std::nullopt;
    offset = (*hours * 60 + *minutes) * (text[zone] == '+' ? 60'000 : -60'000);
  }
  return days * 86'400'000 + ((*hour * 60 + *minute) * 60 + *second) * 1000LL - offset;
}

// The one permit: the root itself, or the only one nested in a root that denies.
Result<json::object> permit_of(const json::object& consent) {
  const json::value* root = consent.if_contains("provision");
  if (root == nullptr || !root->is_object()) return wrong("provision", "must be there");
  const json::object& provision = root->get_object();
  TRY_ASSIGN(const auto nested, objects_at(provision, "provision"));
  if (nested.empty()) {
    if (text_at(provision, "type") == "permit") return provision;
    return wrong("provision.type", "must be permit");
  }
  TRY(only(provision, "provision", {"type", "provision"}));
  if (text_at(provision, "type") == "permit") {
    return wrong("provision.provision", "is an exception, which a consent here cannot keep");
  }
  if (nested.size() != 1 || text_at(nested.front(), "type") != "permit") {
    return wrong("provision.provision", "must be one permit");
  }
  return nested.front();
}

Result<> read_actors(const json::object& permit, FhirRequest& request) {
  TRY_ASSIGN(const auto actors, objects_at(permit, "actor"));
  for (const json::object& actor : actors) {
    TRY(only(actor, "provision.actor", {"role", "reference"}));
    const json::value* role = actor.if_contains("role");
    const json::value* reference = actor.if_contains("reference");
    if (role == nullptr || !role->is_object() || reference == nullptr || !reference->is_object()) {
      return wrong("provision.actor", "needs role and reference");
    }
    const std::string code = code_of(role->get_object());
    const json::object& who = reference->get_object();
    const std::string name = text_at(who, "display");
    if (code == "CST") {
      if (!name.starts_with("site ")) return wrong("provision.actor", "CST must be a site");
      request.destination = name.substr(5);
      continue;
    }
    if (code != "PRCP" && code != "IRCP") {
      return wrong("provision.actor.role", "'" + code.substr(0, 20) + "' is not understood");
    }
    if (!request.grantee.empty()) return wrong("provision.actor", "names two recipients");
    const std::string type = text_at(who, "type");
    const std::string kind = type == "Organization"       ? "organisation:"
                             : type == "PractitionerRole" ? "role:"
                                                          : "person:";
    request.grantee = kind + name;
    const json::value* identifier = who.if_contains("identifier");
    if (identifier != nullptr && identifier->is_object()) {
      request.grantee_id = text_at(identifier->get_object(), "value");
    }
    if (name.empty()) return wrong("provision.actor.reference", "must have a display");
  }
  if (request.grantee.empty()) return wrong("provision.actor", "must name a recipient");
  return {};
}

Result<> read_purposes(const json::object& permit, FhirRequest& request) {
  TRY_ASSIGN(const auto purposes, objects_at(permit, "purpose"));
  for (const json::object& purpose : purposes) {
    const std::string system = text_at(purpose, "system"), code = text_at(purpose, "code");
    if (system == "http://purl.obolibrary.org/obo/duo.owl") {
      const std::string display = text_at(purpose, "display");
      const std::size_t equals = display.find('=');
      request.data_use.push_back(code +
                                 (equals == std::string::npos ? "" : display.substr(equals)));
      continue;
    }
    const std::string known = code == "HRESCH"   ? "research"
                              : code == "TREAT"  ? "medicine"
                              : code == "PATRQT" ? "health_management"
                                                 : "";
    if (known.empty() || !request.purpose.empty()) {
      return wrong("provision.purpose", "must be one of HRESCH, TREAT and PATRQT");
    }
    request.purpose = known;
  }
  if (request.purpose.empty()) return wrong("provision.purpose", "must be said");
  return {};
}

Result<> read_data(const json::object& permit, FhirRequest& request) {
  constexpr std::string_view kOwn = "urn:warifu:";
  TRY_ASSIGN(const auto data, objects_at(permit, "data"));
  if (data.size() > 1) return wrong("provision.data", "must be one object");
  if (data.empty()) return {};
  TRY(only(data.front(), "provision.data", {"meaning", "reference", "extension"}));
  if (text_at(data.front(), "meaning") != "instance") {
    return wrong("provision.data.meaning", "must be instance");
  }
  const json::value* reference = data.front().if_contains("reference");
  if (reference != nullptr && reference->is_object()) {
    const json::value* identifier = reference->get_object().if_contains("identifier");
    if (identifier != nullptr && identifier->is_object()) {
      const std::string value = text_at(identifier->get_object(), "value");
      if (value.starts_with(kOwn)) request.object = value.substr(kOwn.size());
    }
  }
  TRY_ASSIGN(const auto extensions, objects_at(data.front(), "extension"));
  for (const json::object& extension : extensions) {
    if (text_at(extension, "url") != "urn:warifu:fhir:region") {
      return wrong("provision.data.extension", "is not understood, and is not left out");
    }
    request.regions.push_back(text_at(extension, "valueString"));
  }
  return {};
}

Result<> read_period(const json::object& permit, os::UnixMs now, FhirRequest& request) {
  const json::value* value = permit.if_contains("period");
  if (value == nullptr) return {};
  if (!value->is_object()) return wrong("provision.period", "must be an object");
  const std::string start = text_at(value->get_object(), "start");
  const std::string end = text_at(value->get_object(), "end");
  const auto begins = start.empty() ? std::optional<std::int64_t>(0) : time_ms(start);
  if (!begins) return wrong("provision.period.start", "is no date");
  if (*begins > now.value) return fail(Code::kRefused, "FHIR Consent: its period has not begun");
  if (end.empty()) return {};
  const auto ends = time_ms(end);
  if (!ends) return wrong("provision.period.end", "is no date");
  // A day is meant to its end.
  const std::int64_t last = *ends + (end.size() == 10 ? 86'400'000 : 0);
  request.valid_seconds = (last - now.value) / 1000;
  if (request.valid_seconds <= 0) return fail(Code::kRefused, "FHIR Consent: its period is over");
  return {};
}

}  // namespace

Result<FhirRequest> request_of_fhir(const json::value& document, os::UnixMs now) {
  if (!document.is_object()) return wrong("the document", "must be an object");
  const json::object& consent = document.get_object();
  if (text_at(consent, "resourceType") != "Consent")
    return wrong("resourceType", "must be Consent");
  TRY(only(
      consent, "Consent",
      {"resourceType", "meta", "implicitRules", "language", "text", "identifier", "status", "scope",
       "category", "patient", "dateTime", "performer", "organization", "sourceAttachment",
       "sourceReference", "policy", "policyRule", "verification", "provision"}));
  const std::string status = text_at(consent, "status");
  if (status != "draft" && status != "proposed" && status != "active") {
    return fail(Code::kRefused, "FHIR Consent: its status is '" + status.substr(0, 20) + "'");
  }
  TRY_ASSIGN(const json::object permit, permit_of(consent));
  TRY(only(permit, "provision", {"type", "period", "actor", "action", "purpose", "data"}));
  TRY_ASSIGN(const auto actions, objects_at(permit, "action"));
  for (const json::object& action : actions) {
    const std::string code = code_of(action);
    if (code != "access" && code != "use") {
      return wrong("provision.action", "must be access or use");
    }
  }
  FhirRequest request;
  TRY(read_actors(permit, request));
  TRY(read_purposes(permit, request));
  TRY(read_data(permit, request));
  TRY(read_period(permit, now, request));
  return request;
}

}  // namespace warifu::api
