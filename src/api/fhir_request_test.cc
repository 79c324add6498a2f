// A FHIR Consent in: what this system writes comes back as the same wish; what a grant cannot keep
// is refused and never dropped.
#include "api/fhir_request.h"

#include <gtest/gtest.h>

#include <functional>

#include "api/consent_receipt.h"

namespace warifu::api {
namespace {

namespace json = boost::json;

constexpr os::UnixMs kNow{1'790'000'000'000};

ConsentParts some_parts() {
  ConsentParts parts;
  parts.grant = {.purpose = consent::Purpose::kResearch,
                 .uses = 1,
                 .grantee = {consent::GranteeKind::kOrganisation, "ToMMo", "ror:01dq60k83"},
                 .destination = *SiteName::parse("tommo"),
                 .not_before = {kNow.value - 60'000},
                 .expiry = {kNow.value + 3'600'000},
                 .index = {4},
                 .terminal = "desk",
                 .sites = {{*SiteName::parse("lsa"), {}}},
                 .data_uses = {{consent::DataUseCode::kDiseaseSpecific, "MONDO:0007254"},
                               {consent::DataUseCode::kNonProfitOrganisationOnly, {}}},
                 .scope = {"GRCh38", {{"chr17", 43044295, 43125364, "BRCA1"}}}};
  parts.grant.object.bytes.fill(2);
  parts.labels = {"Hanako Sato", "genome"};
  parts.evidence.sites = {{*SiteName::parse("lsa"), card::CardKind::kOneTimeMacEmulated, {}}};
  parts.record.person_id = "P-001";
  parts.issuer = *SiteName::parse("tommo");
  return parts;
}

TEST(FhirRequestTest, WhatIsWrittenComesBackAsTheSameWish) {
  const ConsentParts parts = some_parts();
  const auto request = request_of_fhir(fhir_consent(parts), kNow);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->object, parts.grant.object.text());
  EXPECT_EQ(request->purpose, "research");
  EXPECT_EQ(*consent::parse_grantee(request->grantee, request->grantee_id), parts.grant.grantee);
  EXPECT_EQ(request->destination, "tommo");
  EXPECT_EQ(*consent::parse_data_uses(request->data_use, parts.grant.purpose),
            parts.grant.data_uses);
  EXPECT_EQ(*consent::parse_scope(request->regions), parts.grant.scope);
  EXPECT_EQ(request->valid_seconds, 3600);
}

json::object& permit_of(json::object& consent) {
  return consent.at("provision").at("provision").as_array().at(0).as_object();
}

TEST(FhirRequestTest, WhatAGrantCannotKeepIsRefusedByName) {
  const std::pair<const char*, std::function<void(json::object&)>> cases[] = {
      {"resourceType", [](json::object& c) { c["resourceType"] = "Patient"; }},
      {"status", [](json::object& c) { c["status"] = "entered-in-error"; }},
      {"status", [](json::object& c) { c["status"] = "inactive"; }},
      {"modifierExtension", [](json::object& c) { c["modifierExtension"] = json::array(); }},
      {"modifierExtension",
       [](json::object& c) { permit_of(c)["modifierExtension"] = json::array(); }},
      {"securityLabel", [](json::object& c) { permit_of(c)["securityLabel"] = json::array(); }},
      {"dataPeriod", [](json::object& c) { permit_of(c)["dataPeriod"] = json::object(); }},
      {"provision.provision", [](json::object& c) { permit_of(c)["provision"] = json::array(); }},
      {"class", [](json::object& c) { permit_of(c)["class"] = json::array(); }},
      {"one permit",
       [](json::object& c) {
         auto& list = c.at("provision").at("provision").as_array();
         list.push_back(list.at(0));
       }},
      {"one permit", [](json::object& c) { permit_of(c)["type"] = "deny"; }},
      {"exception", [](json::object& c) { c.at("provision").as_object()["type"] = "permit"; }},
      {"provision", [](json::object& c) { c.erase("provision"); }},
      {"purpose", [](json::object& c) { permit_of(c).erase("purpose"); }},
      {"purpose",
       [](json::object& c) { permit_of(c).at("purpose").at(0).as_object()["code"] = "HMARKT"; }},
      {"recipient", [](json::object& c) { permit_of(c).erase("actor"); }},
      {"two recipients",
       [](json::object& c) {
         auto& actors = permit_of(c).at("actor").as_array();
         actors.push_back(actors.at(0));
       }},
      {"action",
       [](json::object& c) {
         permit_of(c).at("action").at(0).at("coding").at(0).as_object()["code"] = "correct";
       }},
      {"meaning",
       [](json::object& c) { permit_of(c).at("data").at(0).as_object()["meaning"] = "related"; }},
      {"extension",
       [](json::object& c) {
         permit_of(c).at("data").at(0).at("extension").at(0).as_object()["url"] = "urn:other";
       }},
      {"is over",
       [](json::object& c) {
         permit_of(c).at("period").as_object()["end"] = "2020-01-01T00:00:00Z";
       }},
      {"not begun",
       [](json::object& c) {
         permit_of(c).at("period").as_object()["start"] = "2096-01-01T00:00:00+09:00";
       }},
      {"no date", [](json::object& c) { permit_of(c).at("period").as_object()["end"] = "soon"; }}};
  for (const auto& [part, change] : cases) {
    json::object consent = fhir_consent(some_parts());
    change(consent);
    const auto request = request_of_fhir(consent, kNow);
    ASSERT_FALSE(request) << part;
    EXPECT_NE(request.error().message.find(part), std::string::npos)
        << part << ": " << request.error().message;
  }
  for (const char* text : {"[]", "3", "\"Consent\"", "{}"}) {
    EXPECT_FALSE(request_of_fhir(json::parse(text), kNow)) << text;
  }
}

}  // namespace
}  // namespace warifu::api
