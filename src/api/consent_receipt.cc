// Fields of receipts and of FHIR consents.
#include "api/consent_receipt.h"

#include "crypto/card_certificate.h"
#include "os/system.h"

namespace warifu::api {
namespace {

namespace json = boost::json;

constexpr const char* kSchema = "ISO/IEC TS 27560:2023";

struct PurposeTerms {
  const char* dpv;          // Data Privacy Vocabulary
  const char* act_reason;   // HL7 v3-ActReason
  const char* act_display;  // as the code system names it
  const char* scope;        // of a FHIR Consent
  const char* duo;          // GA4GH Data Use Ontology; empty: none fits
};

const PurposeTerms& terms_of(consent::Purpose purpose) {
  static constexpr PurposeTerms kHealth = {"dpv:ServiceProvision", "PATRQT", "patient requested",
                                           "patient-privacy", ""};
  static constexpr PurposeTerms kResearch = {"dpv:ResearchAndDevelopment", "HRESCH",
                                             "healthcare research", "research", "DUO:0000006"};
  static constexpr PurposeTerms kMedicine = {"dpv:ServiceProvision", "TREAT", "treatment",
                                             "patient-privacy", "DUO:0000043"};
  switch (purpose) {
    case consent::Purpose::kResearch: return kResearch;
    case consent::Purpose::kMedicine: return kMedicine;
    case consent::Purpose::kHealthManagement: break;
  }
  return kHealth;
}

json::array sites_of(const consent::Grant& grant) {
  json::array sites;
  for (const consent::GrantSite& site : grant.sites) sites.emplace_back(site.site.text());
  return sites;
}

json::object evidence_of(const ConsentParts& parts) {
  json::object evidence = {{"card", parts.grant.card.text()},
                           {"kind", consent::card_kind_name(parts.kind())},
                           {"security", consent::evidence_class(parts.kind())},
                           {"holder_verification", consent::holder_verification(parts.kind())},
                           {"simulated", card::is_emulated(parts.kind())},
                           {"one_time_index", parts.grant.index.value},
                           {"terminal", parts.grant.terminal},
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

json::array actors_of(const ConsentParts& parts) {
  constexpr const char* kRoles = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
  return {{{"role", concept_of(coding(kRoles, "PRCP"))},
           {"reference", {{"display", parts.grant.grantee}}}},
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
      {"lawful_basis", "consent"},
      {"pii_information",
       {{{"pii_type", "genome sequence data"},
         {"pii_attribute_id", grant.object.text()},
         {"label", parts.labels.object},
         {"scope", "whole"},
         {"sensitive_pii_category", true}}}},
      {"recipient_third_parties", json::array{grant.grantee}},
      {"collection_method", "stored at an earlier date; nothing is collected by this consent"},
      {"processing_methods", json::array{"put together from shares of several sites"}},
      {"storage_locations", sites_of(grant)},
      {"processing_locations", json::array{grant.destination.text()}},
      {"uses", grant.uses},
      {"withdrawal_method",
       "at any time, at the desk of site " + parts.issuer.text() +
           " (warifu consent withdraw); what has been restored before stays restored"}};
  if (*terms.duo != '\0') purpose["data_use"] = terms.duo;
  return {{"receipt_metadata",
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
            {"privacy_notice_sha256", to_hex(grant.text_digest)},
            {"purposes", json::array{std::move(purpose)}}}},
          {"party_identification",
           {{{"party_id", parts.issuer.text()}, {"party_role", "pii_controller"}},
            {{"party_id", grant.grantee}, {"party_role", "recipient"}}}},
          {"event",
           {{"event_type", "explicit_consent"},
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
  json::object permit = {
      {"type", "permit"},
      {"period", {{"start", os::utc_text(grant.not_before)}, {"end", os::utc_text(grant.expiry)}}},
      {"actor", actors_of(parts)},
      {"action", json::array{concept_of(
                     coding("http://terminology.hl7.org/CodeSystem/consentaction", "access"))}},
      {"purpose", json::array{std::move(purpose)}},
      {"data",
       {{{"meaning", "instance"},
         {"reference",
          {{"identifier",
            {{"system", "urn:ietf:rfc:3986"}, {"value", "urn:warifu:" + grant.object.text()}}},
           {"display", parts.labels.object}}}}}}};
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

}  // namespace warifu::api
