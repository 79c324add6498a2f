// What is known of one consent and its use, as one FHIR R4 Bundle: the Consent and its Provenance,
// the Observation of a score, the RiskAssessment, and the site's log of it as AuditEvents.
//
// Each resource is made by the same code as the single documents. Any thread.
#pragma once

#include <boost/json.hpp>

#include "api/consent_receipt.h"
#include "audit/log.h"
#include "risk/limits_text.h"
#include "scoring/score_desk.h"

namespace warifu::api {

struct BundleParts {
  const ConsentParts& consent;
  const scoring::Kept& kept;
  std::vector<audit::Record> log;  // the records that are about it
  risk::Language language = risk::Language::kEnglish;
  os::UnixMs now;
};
// Type "collection"; each entry has a fullUrl of its own, drawn from `random`.
[[nodiscard]] Result<boost::json::object> fhir_bundle(const BundleParts& parts, os::Random& random);

// The log's records that name any of `ids` in a field, the oldest first; at most `most`, the newest
// of them. Errors: the log's.
[[nodiscard]] Result<std::vector<audit::Record>> records_about(audit::Log& log,
                                                               const std::vector<std::string>& ids,
                                                               std::size_t most);

}  // namespace warifu::api
