// Out of the catalog.
#include "control/access_line.h"

#include <algorithm>

namespace warifu::control {

Result<audit::Fields> access_fields(const SiteContext& site, catalog::Catalog& catalog,
                                    const catalog::Grant& record, const consent::Grantee& grantee,
                                    std::string purpose) {
  TRY_ASSIGN(const auto pseudonyms, catalog.pseudonyms(record.person_id));
  const auto here = std::ranges::find(pseudonyms, site.config.name, &catalog::SitePseudonym::site);
  if (here == pseudonyms.end()) {
    return fail(Code::kNotFound, "the person of consent " + record.grant.text() +
                                     " has no pseudonym at " + site.config.name.text());
  }
  if (purpose.empty()) {
    TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(record.grant_bytes));
    purpose = consent::purpose_name(grant.purpose);
  }
  return audit::Fields{{"person", here->pseudonym.text()},
                       {"grant", record.grant.text()},
                       {"object", record.object.text()},
                       {"grantee", consent::grantee_words(grantee, consent::Locale::kEnglish)},
                       {"purpose", std::move(purpose)}};
}

}  // namespace warifu::control
