// A FHIR R4 Consent as a wish: what it asks for, to be shown to the person and proved by the card.
//
// Nothing is granted by a document. What a grant cannot keep is refused and never dropped: an
// element that narrows (securityLabel, class, code, dataPeriod, a nested exception), a
// modifierExtension, a second permit. Understood is what fhir_consent() writes, and plain consents
// of others that name one object, one recipient, one purpose. Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include <boost/json.hpp>

#include "base/result.h"
#include "os/system.h"

namespace warifu::api {

// In the words of `warifu consent give`.
struct FhirRequest {
  std::string object;   // empty: the document names none of this system
  std::string purpose;  // "research"
  std::string grantee;  // "organisation:ToMMo"
  std::string grantee_id;
  std::string destination;  // empty: not said
  std::vector<std::string> data_use;
  std::vector<std::string> regions;
  std::int64_t valid_seconds = 0;  // from `now`; 0: not said
};

// Errors: kInvalidArgument naming the element and why; kRefused when the document is withdrawn or
// an error, or its period is over or has not begun.
[[nodiscard]] Result<FhirRequest> request_of_fhir(const boost::json::value& document,
                                                  os::UnixMs now);

}  // namespace warifu::api
