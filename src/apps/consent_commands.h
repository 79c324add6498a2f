// Commands about consents, and restores under them.
//
// Options as values, one function per command: command_options.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/command_options.h"

namespace warifu::apps {

struct ConsentOptions {
  std::string object, purpose, grantee, grantee_id, destination, valid = "1h", lang = "en";
  std::vector<std::string> data_use, regions;
  std::string capacity = "own";
  std::string joins;         // another's consent: nothing else is asked for then
  std::string reason;        // of an officer's, in an emergency
  std::string request;       // or one that was asked for, which has its own terms
  std::string index;         // for regions: a consent to the index that was given before
  std::uint32_t decoys = 0;  // beside each region
  std::uint16_t uses = 1;
  CardOptions card;
  bool yes = false;
};
[[nodiscard]] Result<> consent_give(const Common& common, const ConsentOptions& options);
// Which of the control site's consents, newest first.
struct ConsentListOptions {
  std::string person, object;  // empty: of all
  std::uint64_t skip = 0, limit = 100;
};
[[nodiscard]] Result<> consent_list(const Common& common, const ConsentListOptions& options);
// `format`: receipt, which the person keeps; fhir, a FHIR Consent; provenance, of that Consent.
[[nodiscard]] Result<> consent_receipt(const Common& common, const std::string& grant,
                                       const std::string& format);
// A FHIR Consent in a file becomes a wish that is shown to the person and proved by the card.
[[nodiscard]] Result<> consent_import(const Common& common, const std::string& file,
                                      ConsentOptions options);
[[nodiscard]] Result<> consent_withdraw(const Common& common, const std::string& grant);

struct RestoreOptions {
  std::string object, grant, out, using_shares, gather, purpose, resume;
  std::string as, as_id;             // who asks
  std::vector<std::string> use;      // what the use will be
  std::vector<std::string> regions;  // none: the whole object
  std::string format;                // of regions
};
[[nodiscard]] Result<> restore(const Common& common, const RestoreOptions& options);

}  // namespace warifu::apps
