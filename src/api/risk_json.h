// Results of the risk component as JSON documents, and as FHIR R4.
//
// Every document carries its limits. A FHIR probability is a percentage, as R4 has it. Pure
// functions but identification_of, which reads the catalog; any thread.
#pragma once

#include <boost/json.hpp>

#include "catalog/catalog.h"
#include "consent/grant.h"
#include "risk/limits_text.h"
#include "risk/meter.h"

namespace warifu::api {

[[nodiscard]] boost::json::object score_json(const risk::ScoringFile& file,
                                             const risk::ScoreReport& report,
                                             risk::Language language, bool with_sites);
[[nodiscard]] boost::json::object absolute_json(const risk::RiskModel& model,
                                                const risk::AbsoluteRisk& result, bool has_score,
                                                risk::Language language);
// What a model asks, for whom, and its limits.
[[nodiscard]] boost::json::object questions_json(const risk::RiskModel& model,
                                                 risk::Language language);
[[nodiscard]] boost::json::object meter_json(const risk::MeterReading& reading,
                                             risk::Language language);

// Of whom and when a FHIR document speaks.
struct FhirSubject {
  std::string person_id;  // the biobank's id
  std::string when;       // dateTime: "2026-11-27T09:00:00Z"
};
// HL7 FHIR R4 (4.0.1) Observation: a polygenic score with how many sites it rests on.
[[nodiscard]] boost::json::object fhir_score(const risk::ScoringFile& file,
                                             const risk::ScoreReport& report,
                                             const FhirSubject& subject, risk::Language language);
// HL7 FHIR R4 RiskAssessment: the probability within the ages, against the population's.
[[nodiscard]] boost::json::object fhir_risk(const risk::RiskModel& model,
                                            const risk::AbsoluteRisk& result, bool has_score,
                                            const FhirSubject& subject, risk::Language language);

// Whether a grant, together with all that the same grantee was granted of the same person before,
// at this control site, identifies the person (risk/meter.h). Grants count whether or not they were
// used, have ended or were withdrawn: what was read cannot be unread. Errors: the catalog's.
[[nodiscard]] Result<risk::MeterReading> identification_of(catalog::Catalog& catalog,
                                                           const consent::Grant& grant);
// The same as the field `identification` of a prepared consent, in the grant's language.
[[nodiscard]] Result<boost::json::object> identification_json(catalog::Catalog& catalog,
                                                              const consent::Grant& grant);

}  // namespace warifu::api
