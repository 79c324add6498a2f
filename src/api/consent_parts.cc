// Out of the catalog's records.
#include "api/consent_parts.h"

#include "consent/veil.h"

namespace warifu::api {

Result<ConsentParts> consent_parts(const Services& services, ControlServices& control,
                                   const GrantId& grant) {
  ConsentParts parts;
  TRY_ASSIGN(parts.record, control.catalog.grant(grant));
  TRY_ASSIGN(parts.grant, consent::parse_opened(parts.record.grant_bytes, parts.record.opening));
  TRY_ASSIGN(const catalog::Object object, control.catalog.object(parts.record.object));
  TRY_ASSIGN(const catalog::Person person, control.catalog.person(parts.record.person_id));
  parts.issuer = services.site.config.name;
  TRY_ASSIGN(parts.evidence, consent::parse_kept(parts.record.evidence));
  if (parts.evidence.sites.empty()) {
    return fail(Code::kCorrupt, "the evidence of consent " + grant.text() + " is missing");
  }
  parts.labels = {person.name, object.label, !card::is_relayed(parts.kind())};
  return parts;
}

}  // namespace warifu::api
