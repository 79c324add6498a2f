// What a receipt and a FHIR consent say of a grant, in both languages.
#include "api/consent_receipt.h"

#include <gtest/gtest.h>

namespace warifu::api {
namespace {

std::string text(const boost::json::value& value) {
  return std::string(value.as_string());
}

ConsentParts some_parts() {
  ConsentParts parts;
  parts.grant = {.purpose = consent::Purpose::kMedicine,
                 .uses = 3,
                 .grantee = {consent::GranteeKind::kPerson, "Dr. Ito", {}},
                 .destination = *SiteName::parse("tommo"),
                 .not_before = {1'790'000'000'000},
                 .expiry = {1'790'003'600'000},
                 .index = {4},
                 .locale = consent::Locale::kJapanese,
                 .terminal = "desk",
                 .sites = {{*SiteName::parse("lsa"), {}}, {*SiteName::parse("tuh"), {}}}};
  parts.grant.card.bytes.fill(1);
  parts.grant.object.bytes.fill(2);
  parts.labels = {"佐藤花子", "全ゲノム"};
  parts.grant.text_digest = consent::text_digest(consent::consent_text(parts.grant, parts.labels));
  parts.record.grant.bytes.fill(3);
  parts.record.person_id = "P-001";
  parts.record.grant_bytes = {1, 2, 3};
  parts.record.created = {1'790'000'060'000};
  parts.issuer = *SiteName::parse("tommo");
  parts.evidence.sites = {{parts.issuer, card::CardKind::kOneTimeMacEmulated, {}}};
  return parts;
}

TEST(ConsentReceiptTest, TellsWhatWasAgreedAndHowItWasProved) {
  const ConsentParts parts = some_parts();
  const auto receipt = consent_receipt(parts);
  EXPECT_EQ(text(receipt.at("receipt_metadata").at("receipt_id")), parts.record.grant.text());
  EXPECT_EQ(text(receipt.at("record_header").at("pii_principal_id")), "P-001");
  const auto& processing = receipt.at("pii_processing");
  EXPECT_EQ(text(processing.at("language")), "ja");
  EXPECT_NE(processing.at("privacy_notice").as_string().find("佐藤花子"), std::string::npos);
  EXPECT_EQ(text(processing.at("privacy_notice_sha256")), to_hex(parts.grant.text_digest));
  const auto& purpose = processing.at("purposes").as_array().at(0);
  EXPECT_EQ(text(purpose.at("purpose")), "medicine");
  EXPECT_EQ(text(purpose.at("recipient_third_parties").as_array().at(0)), "Dr. Ito");
  EXPECT_EQ(purpose.at("uses").to_number<int>(), 3);
  EXPECT_EQ(text(receipt.at("event").at("valid_until")), os::utc_text(parts.grant.expiry));
  EXPECT_TRUE(receipt.at("evidence").at("simulated").as_bool());
  EXPECT_EQ(receipt.at("evidence").at("proved_to").as_array().size(), 2u);
}

TEST(ConsentReceiptTest, IsTheSameWhateverBecomesOfTheConsent) {
  ConsentParts parts = some_parts();
  const auto before = consent_receipt(parts);
  parts.record.state = catalog::GrantState::kWithdrawn;
  EXPECT_EQ(consent_receipt(parts), before);
}

TEST(FhirConsentTest, HasWhatR4WantsAndDeniesEverythingElse) {
  ConsentParts parts = some_parts();
  auto consent = fhir_consent(parts);
  EXPECT_EQ(consent.at("resourceType"), "Consent");
  EXPECT_EQ(text(consent.at("status")), "active");
  // Elements that R4 requires (1..1 or 1..*), and ppc-1: a policy or a policyRule.
  for (const char* required : {"scope", "category", "policyRule", "patient"}) {
    EXPECT_TRUE(consent.contains(required)) << required;
  }
  const auto& deny = consent.at("provision").as_object();
  EXPECT_EQ(text(deny.at("type")), "deny");
  const auto& permit = deny.at("provision").as_array().at(0).as_object();
  EXPECT_EQ(text(permit.at("type")), "permit");
  EXPECT_EQ(text(permit.at("purpose").as_array().at(0).at("code")), "TREAT");
  EXPECT_EQ(text(permit.at("period").at("end")), os::utc_text(parts.grant.expiry));
  for (const auto& actor : permit.at("actor").as_array()) {
    EXPECT_TRUE(actor.as_object().contains("role"));
    EXPECT_TRUE(actor.as_object().contains("reference"));
  }
  parts.record.state = catalog::GrantState::kWithdrawn;
  EXPECT_EQ(text(fhir_consent(parts).at("status")), "inactive");
  parts.grant.purpose = consent::Purpose::kResearch;
  consent = fhir_consent(parts);
  EXPECT_EQ(text(consent.at("scope").at("coding").as_array().at(0).at("code")), "research");
}

}  // namespace
}  // namespace warifu::api
