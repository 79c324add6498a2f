// On the card, or kept where records are kept.
#include "control/card_records.h"

namespace warifu::control {

Result<bool> is_record_safe(SiteContext& site, catalog::Catalog& catalog, const ObjectId& object) {
  TRY_ASSIGN(const catalog::Object record, catalog.object(object));
  TRY_ASSIGN(const catalog::Person person, catalog.person(record.person_id));
  const auto kind = site.gate.kind_of(person.card);
  // A gate that burnt may have had a key of the card that nobody else has.
  if (!kind) return false;
  if (card::is_signature(*kind)) {
    return site.config.records.holders.empty() ? false : catalog.is_record_kept(object);
  }
  if (record.card_record != catalog::CardRecordState::kOnCard) return false;
  if (site.gate.application_key(person.card)) return false;
  if (site.config.records.holders.empty()) return true;
  return catalog.is_record_kept(object);
}

std::string record_place(SiteContext& site, catalog::Catalog& catalog,
                         const catalog::Object& object) {
  const auto person = catalog.person(object.person_id);
  const auto kind = person ? site.gate.kind_of(person->card) : std::unexpected(person.error());
  if (!kind || !card::is_signature(*kind)) return std::string(state_name(object.card_record));
  const auto safe = is_record_safe(site, catalog, object.object);
  return safe && *safe ? "in_safekeeping" : "at_control_site";
}

}  // namespace warifu::control
