// On the card, and kept where records are kept.
#include "control/card_records.h"

namespace warifu::control {

Result<bool> is_record_safe(SiteContext& site, catalog::Catalog& catalog, const ObjectId& object) {
  TRY_ASSIGN(const catalog::Object record, catalog.object(object));
  if (record.card_record != catalog::CardRecordState::kOnCard) return false;
  TRY_ASSIGN(const catalog::Person person, catalog.person(record.person_id));
  if (site.gate.application_key(person.card)) return false;
  if (site.config.records.holders.empty()) return true;
  return catalog.is_record_kept(object);
}

}  // namespace warifu::control
