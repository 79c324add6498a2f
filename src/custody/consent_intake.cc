// Others first, then the record, then what everybody is told, then the consent.
#include "custody/consent_intake.h"

#include <algorithm>

#include "control/card_ceremonies.h"
#include "control/sealed_secret.h"

namespace warifu::custody {
namespace {

Result<RecordKeeper::ProvedGrant> proved(const catalog::Grant& record) {
  TRY_ASSIGN(consent::KeptEvidence kept, consent::parse_kept(record.evidence));
  return RecordKeeper::ProvedGrant{record.grant_bytes, std::move(kept.sites)};
}

}  // namespace

Result<std::vector<catalog::Grant>> ConsentIntake::others_of(const consent::Grant& grant) {
  std::vector<catalog::Grant> others;
  if (grant.together == 1) return others;
  TRY_ASSIGN(const auto given,
             catalog_.list_grants({.object = grant.object, .state = catalog::GrantState::kGiven},
                                  {.count = catalog::kMaxPageRows}));
  std::vector<CardId> cards = {grant.card};
  for (const catalog::Grant& record : given) {
    const auto other = consent::parse_grant(record.grant_bytes);
    if (!other || !consent::same_terms(*other, grant)) continue;
    if (std::ranges::find(cards, other->card) != cards.end()) continue;
    cards.push_back(other->card);
    others.push_back(record);
  }
  return others;
}

Result<bool> ConsentIntake::has_record(const catalog::Grant& grant) {
  if (grant.sealed_secret.empty()) return false;
  TRY_ASSIGN(const control::ObjectSecrets secrets,
             control::open_object_secrets(site_.keys.root_key().bytes(), grant.sealed_secret));
  return !secrets.hash_key.empty();
}

// What share control keeps sealed itself, as long as it does, else out of safekeeping. In an
// emergency the gates of the record's holders judge first, and note it.
Result<card::ObjectRecord> ConsentIntake::record_for(
    const catalog::Object& object, bool is_emergency,
    std::span<const RecordKeeper::ProvedGrant> grants) {
  if (is_emergency) {
    auto record = records_.bring_under(object.object, grants);
    if (record || record.error().code != Code::kNotFound) return record;
    if (auto kept = control::kept_record(site_, catalog_, object)) return std::move(kept->record);
    return record;
  }
  auto kept = control::kept_record(site_, catalog_, object);
  if (kept) return std::move(kept->record);
  if (kept.error().code != Code::kNotFound) return std::unexpected(kept.error());
  return records_.bring_under(object.object, grants);
}

Result<> ConsentIntake::add_record(const catalog::Object& object, const consent::Grant& grant,
                                   const std::vector<catalog::Grant>& others,
                                   control::CardProof& proof) {
  std::vector<RecordKeeper::ProvedGrant> grants = {{proof.grant, {}}};
  for (std::size_t i = 0; i < proof.tags.size(); ++i) {
    grants.front().evidence.push_back({grant.sites[i].site, proof.kind, proof.tags[i]});
  }
  for (const catalog::Grant& other : others) {
    TRY_ASSIGN(auto one, proved(other));
    grants.push_back(std::move(one));
  }
  const bool is_emergency = grant.capacity == consent::Capacity::kEmergency;
  TRY_ASSIGN(card::ObjectRecord record, record_for(object, is_emergency, grants));
  proof.hash_key = std::move(record.hash_key);
  proof.tag_over_tags = record.tag;
  proof.chunk_count = record.chunk_count;
  proof.length = record.length;
  return {};
}

Result<GrantId> ConsentIntake::accept(control::CardProof proof) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(proof.grant));
  // Before anybody is told of it, or a record comes out of safekeeping.
  TRY(consent_.judge(grant, proof));
  TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
  const bool is_emergency = grant.capacity == consent::Capacity::kEmergency;
  // An officer's card knows nothing of the object.
  if (is_emergency) proof.hash_key = {};
  TRY_ASSIGN(const auto others, others_of(grant));
  bool is_there = !proof.hash_key.empty();
  for (const catalog::Grant& other : others) {
    TRY_ASSIGN(const bool has, has_record(other));
    is_there = is_there || has;
  }
  if (others.size() + 1 == grant.together) {
    if (!is_there) TRY(add_record(object, grant, others, proof));
    if (is_emergency) TRY(emergencies_.tell_sites(object, grant, others));
  }
  TRY_ASSIGN(const GrantId id, consent_.accept(proof));
  TRY(emergencies_.told_by(id));
  records_.wake();  // what came from a card may have to go into safekeeping again
  return id;
}

}  // namespace warifu::custody
