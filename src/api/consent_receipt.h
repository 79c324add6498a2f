// A consent as documents for others: the receipt that the person keeps, and a FHIR R4 Consent.
//
// The receipt has the sections and fields of ISO/IEC TS 27560:2023, named as the W3C community
// guide to it does (Consent Records and Receipts using DPV, 2024). It tells what was agreed and
// never changes; whether a consent still holds is asked for apart. Both say how the card proved it,
// and when that is a stand-in. Pure functions, any thread.
#pragma once

#include <boost/json.hpp>

#include "catalog/records.h"
#include "consent/evidence.h"
#include "consent/grant.h"

namespace warifu::api {

struct ConsentParts {
  catalog::Grant record;
  consent::Grant grant;  // of record.grant_bytes
  consent::ConsentLabels labels;
  SiteName issuer;                 // the control site
  consent::KeptEvidence evidence;  // at least one site's

  // The card is the same for all sites.
  [[nodiscard]] card::CardKind kind() const { return evidence.sites.front().kind; }
};

[[nodiscard]] boost::json::object consent_receipt(const ConsentParts& parts);
// HL7 FHIR R4 (4.0.1) Consent: deny, and one nested permit for what was agreed.
[[nodiscard]] boost::json::object fhir_consent(const ConsentParts& parts);
// HL7 FHIR R4 Provenance of that Consent: whose card made it, in which capacity, at which site.
[[nodiscard]] boost::json::object fhir_provenance(const ConsentParts& parts);

}  // namespace warifu::api
