// Fields of receipts and of FHIR consents.
#include "api/consent_receipt.h"

#include "crypto/card_certificate.h"
#include "os/system.h"

namespace warifu::api {
namespace {

namespace json = boost::json;

constexpr const char* kDuo = "http://purl.obolibrary.org/obo/duo.owl";
constexpr const char* kRegionExtension = "urn:warifu:fhir:region";  // docs/formats/grant.md
constexpr const char* kSchema = "ISO/IEC TS 27560:2023";

struct PurposeTerms {
  const char* dpv;          // Data Privacy Vocabulary
  const char* act_reason;   // HL7 v3-ActReason
  const char* act_display;  // as the code system names it
  const char* scope;        // of a FHIR Consent
};

const PurposeTerms& terms_of(consent::Purpose purpose) {
  static constexpr PurposeTerms kHealth = {"dpv:ServiceProvision", "PATRQT", "patient requested",
                                           "patient-privacy"};
  static constexpr PurposeTerms kResearch = {"dpv:ResearchAndDevelopment", "HRESCH",
                                             "healthcare research", "research"};
  static constexpr PurposeTerms kMedicine = {"dpv:ServiceProvision", "TREAT", "treatment",
                                             "patient-privacy"};
  switch (purpose) {
    case consent::Purpose::kResearch: return kResearch;
    case consent::Purpose::kMedicine: return kMedicine;
    case consent::Purpose::kHealthManagement: break;
  }
  return kHealth;
}

bool is_emergency(const consent::Grant& grant) {
  return grant.capacity == consent::Capacity::kEmergency;
}

json::array sites_of(const consent::Grant& grant) {
  json::array sites;
  for (const consent::GrantSite& site : grant.sites) sites.emplace_back(site.site.text());
  return sites;
}

// Codes of the Data Use Ontology with what they mean.
json::array data_use_of(const consent::Grant& grant) {
  json::array codes;
  for (const consent::DataUse& use : grant.data_uses) {
    codes.push_back({{"code", consent::duo_id(use.code)},
                     {"text", consent::data_use_text(use)},
                     {"meaning", consent::data_use_words(use, grant.locale)}});
  }
  return codes;
}

json::object evidence_of(const ConsentParts& parts) {
  json::object evidence = {{"card", parts.grant.card.text()},
                           {"kind", consent::card_kind_name(parts.kind())},
                           {"security", consent::evidence_class(parts.kind())},
                           {"holder_verification", consent::holder_verification(parts.kind())},
                           {"simulated", card::is_emulated(parts.kind())},
                           {"one_time_index", parts.grant.index.value},
                           {"terminal", parts.grant.terminal},
                           {"capacity", consent::capacity_name(parts.grant.capacity)},
                           {"together", parts.grant.together},
                           {"grant_sha256", to_hex(crypto::sha256(parts.record.grant_bytes))},
                           {"proved_to", sites_of(parts.grant)}};
  if (!parts.evidence.signature) return evidence;
  // All that anybody needs to check it without us: verify(certificate, grant, signature).
  const consent::SignedGrant& by = *parts.evidence.signature;
  evidence["grant"] = to_hex(parts.record.grant_bytes);
  evidence["signature"] = to_hex(by.signature);
  evidence["certificate"] = to_hex(by.certificate);
  if (const auto facts = crypto::describe_certificate(by.certificate)) {
    evidence["signature_scheme"] = crypto::scheme_name(facts->scheme);
  }
  return evidence;
}

json::object coding(const char* system, const char* code) {
  return {{"system", system}, {"code", code}};
}
json::object concept_of(json::object one) {
  return {{"coding", json::array{std::move(one)}}};
}

json::object recipient_of(const consent::Grantee& grantee) {
  const char* type = grantee.kind == consent::GranteeKind::kOrganisation ? "Organization"
                     : grantee.kind == consent::GranteeKind::kRole       ? "PractitionerRole"
                                                                         : "Practitioner";
  json::object reference = {{"type", type}, {"display", grantee.name}};
  if (!grantee.identifier.empty()) reference["identifier"] = {{"value", grantee.identifier}};
  return reference;
}

json::array actors_of(const ConsentParts& parts) {
  constexpr const char* kRoles = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
  return {{{"role", concept_of(coding(kRoles, "PRCP"))},
           {"reference", recipient_of(parts.grant.grantee)}},
          {{"role", concept_of(coding(kRoles, "CST"))},
           {"reference", {{"display", "site " + parts.grant.destination.text()}}}}};
}

}  // namespace

json::object consent_receipt(const ConsentParts& parts) {
  const consent::Grant& grant = parts.grant;
  const PurposeTerms& terms = terms_of(grant.purpose);
  const std::string id = parts.record.grant.text();
  json::object purpose = {
      {"purpose", consent::purpose_name(grant.purpose)},
      {"purpose_type", terms.dpv},
      {"lawful_basis", is_emergency(grant) ? "vital interests, allowed beforehand" : "consent"},
      {"pii_information",
       {{{"pii_type", "genome sequence data"},
         {"pii_attribute_id", grant.object.text()},
         {"label", parts.labels.object},
         {"scope", consent::scope_text(grant.scope)},
         {"sensitive_pii_category", true}}}},
      {"recipient_third_parties", json::array{grant.grantee.name}},
      {"collection_method", "stored at an earlier date; nothing is collected by this consent"},
      {"processing_methods", json::array{"put together from shares of several sites"}},
      {"storage_locations", sites_of(grant)},
      {"processing_locations", json::array{grant.destination.text()}},
      {"uses", grant.uses},
      {"withdrawal_method",
       "at any time, at the desk of site " + parts.issuer.text() +
           " (warifu consent withdraw); what has been restored before stays restored"}};
  purpose["data_use"] = data_use_of(grant);
  const bool is_hidden = grant.scope.veil.has_value();
  // By which the person can show what the digest in the grant is of.
  if (is_hidden) purpose["opening_of_hidden_regions"] = to_hex(parts.record.opening);
  if (is_emergency(grant)) purpose["emergency_reason"] = grant.reason;
  return {
      {"receipt_metadata",
       {{"schema_version", kSchema},
        {"receipt_id", id},
        {"consent_record_id", id},
        {"issuer", parts.issuer.text()},
        {"issued", os::utc_text(parts.record.created)}}},
      {"record_header",
       {{"schema_version", kSchema},
        {"record_id", id},
        {"pii_principal_id", parts.record.person_id}}},
      {"pii_processing",
       {{"language", grant.locale == consent::Locale::kJapanese ? "ja" : "en"},
        {"privacy_notice", consent::consent_text(grant, parts.labels)},
        {is_hidden ? "privacy_notice_hmac_sha256" : "privacy_notice_sha256",
         to_hex(grant.text_digest)},
        {"purposes", json::array{std::move(purpose)}}}},
      {"party_identification",
       {{{"party_id", parts.issuer.text()}, {"party_role", "pii_controller"}},
        {{"party_id",
          grant.grantee.identifier.empty() ? grant.grantee.name : grant.grantee.identifier},
         {"party_name", grant.grantee.name},
         {"party_type", consent::grantee_kind_name(grant.grantee.kind)},
         {"party_role", "recipient"}}}},
      {"event",
       {{"event_type", is_emergency(grant) ? "emergency_access_without_card" : "explicit_consent"},
        {"event_state", "given"},
        {"event_time", os::utc_text(parts.record.created)},
        {"valid_from", os::utc_text(grant.not_before)},
        {"valid_until", os::utc_text(grant.expiry)},
        {"entity_id", parts.record.person_id}}},
      {"evidence", evidence_of(parts)}};
}

json::object fhir_consent(const ConsentParts& parts) {
  const consent::Grant& grant = parts.grant;
  const PurposeTerms& terms = terms_of(grant.purpose);
  const bool active = parts.record.state == catalog::GrantState::kGiven;
  json::object purpose =
      coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", terms.act_reason);
  purpose["display"] = terms.act_display;
  json::array purposes = {std::move(purpose)};
  if (is_emergency(grant)) {  // HL7 v3-PurposeOfUse: break the glass
    json::object broken = coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG");
    broken["display"] = "break the glass";
    purposes.push_back(std::move(broken));
  }
  for (const consent::DataUse& use : grant.data_uses) {
    json::object code = coding(kDuo, consent::duo_id(use.code).c_str());
    code["display"] = consent::data_use_text(use);
    purposes.push_back(std::move(code));
  }
  json::object data = {
      {"meaning", "instance"},
      {"reference",
       {{"identifier",
         {{"system", "urn:ietf:rfc:3986"}, {"value", "urn:warifu:" + grant.object.text()}}},
        {"display", parts.labels.object}}}};
  json::array regions;
  for (const std::string& region : consent::region_texts(grant.scope)) {
    regions.push_back({{"url", kRegionExtension}, {"valueString", region}});
  }
  if (!regions.empty()) data["extension"] = std::move(regions);
  json::object permit = {
      {"type", "permit"},
      {"period", {{"start", os::utc_text(grant.not_before)}, {"end", os::utc_text(grant.expiry)}}},
      {"actor", actors_of(parts)},
      {"action", json::array{concept_of(
                     coding("http://terminology.hl7.org/CodeSystem/consentaction", "access"))}},
      {"purpose", std::move(purposes)},
      {"data", json::array{std::move(data)}}};
  return {{"resourceType", "Consent"},
          {"id", parts.record.grant.text()},
          {"status", active ? "active" : "inactive"},
          {"scope",
           concept_of(coding("http://terminology.hl7.org/CodeSystem/consentscope", terms.scope))},
          {"category", json::array{concept_of(coding("http://loinc.org", "59284-0"))}},
          {"patient",
           {{"identifier", {{"value", parts.record.person_id}}}, {"display", parts.labels.person}}},
          {"dateTime", os::utc_text(parts.record.created)},
          {"organization", {{{"display", "site " + parts.issuer.text()}}}},
          {"policyRule",
           concept_of(coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"))},
          {"sourceAttachment",
           {{"contentType", "text/plain"},
            {"language", grant.locale == consent::Locale::kJapanese ? "ja" : "en"},
            {"title", card::is_emulated(parts.kind()) ? "shown before an emulated card proved it"
                                                      : "shown before the card proved it"}}},
          {"verification",
           {{{"verified", true}, {"verificationDate", os::utc_text(parts.record.created)}}}},
          {"provision", {{"type", "deny"}, {"provision", json::array{std::move(permit)}}}}};
}

json::object fhir_provenance(const ConsentParts& parts) {
  constexpr const char* kAgents =
      "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
  const std::string given = os::utc_text(parts.record.created);
  const bool is_own = parts.grant.capacity == consent::Capacity::kOwn;
  json::object person = {
      {"type", concept_of(coding(kAgents, is_own ? "author" : "enterer"))},
      {"who",
       {{"identifier", {{"system", "urn:warifu:card"}, {"value", parts.grant.card.text()}}},
        {"display", is_own ? parts.labels.person
                           : std::string(consent::capacity_name(parts.grant.capacity)) + " of " +
                                 parts.labels.person}}}};
  if (!is_own) {
    person["onBehalfOf"] = {{"identifier", {{"value", parts.record.person_id}}},
                            {"display", parts.labels.person}};
  }
  json::object site = {{"type", concept_of(coding(kAgents, "custodian"))},
                       {"who", {{"display", "site " + parts.issuer.text()}}}};
  return {
      {"resourceType", "Provenance"},
      {"target", {{{"reference", "Consent/" + parts.record.grant.text()}, {"type", "Consent"}}}},
      {"occurredDateTime", given},
      {"recorded", given},
      {"activity",
       concept_of(coding("http://terminology.hl7.org/CodeSystem/v3-DataOperation", "CREATE"))},
      {"agent", json::array{std::move(person), std::move(site)}},
      {"entity",
       {{{"role", "source"},
         {"what",
          {{"identifier",
            {{"system", "urn:warifu:grant-sha256"},
             {"value", to_hex(crypto::sha256(parts.record.grant_bytes))}}},
           {"display",
            "grant proved by card: " + std::string(consent::card_kind_name(parts.kind()))}}}}}}};
}

}  // namespace warifu::api
