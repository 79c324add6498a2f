// On the card, or kept where records are kept.
#include "control/card_records.h"

namespace warifu::control {
namespace {

// Somebody in whose place guardians consent, and who has no card.
bool is_ward(SiteContext& site, catalog::Catalog& catalog, const std::string& person) {
  const auto pseudonyms = catalog.pseudonyms(person);
  if (!pseudonyms) return false;
  for (const catalog::SitePseudonym& at : *pseudonyms) {
    if (at.site != site.config.name) continue;
    const auto known = site.gate.person(at.pseudonym);
    return known && !known->guardians.empty() && known->is_ward(site.system.clock.now());
  }
  return false;
}

}  // namespace

Result<bool> is_record_safe(SiteContext& site, catalog::Catalog& catalog, const ObjectId& object) {
  TRY_ASSIGN(const catalog::Object record, catalog.object(object));
  TRY_ASSIGN(const catalog::Person person, catalog.person(record.person_id));
  const auto kind = site.gate.kind_of(person.card);
  // A gate that burnt may have had a key of the card that nobody else has.
  if (!kind) return false;
  if (card::is_signature(*kind) || is_ward(site, catalog, record.person_id)) {
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
  if (safe && *safe) return "in_safekeeping";
  const bool is_unknown = object.card_record == catalog::CardRecordState::kUnknown;
  return is_unknown ? "unknown" : "at_control_site";
}

}  // namespace warifu::control
