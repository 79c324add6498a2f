// On the card, and kept where records are kept.
#include "control/card_records.h"

namespace warifu::control {

Result<bool> is_record_safe(const SiteConfig& config, catalog::Catalog& catalog,
                            const ObjectId& object) {
  TRY_ASSIGN(const catalog::Object record, catalog.object(object));
  if (record.card_record != catalog::CardRecordState::kOnCard) return false;
  if (config.records.holders.empty()) return true;
  return catalog.is_record_kept(object);
}

}  // namespace warifu::control
