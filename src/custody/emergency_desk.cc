// Officers' proofs, the record, the telling.
#include "custody/emergency_desk.h"

#include <algorithm>

#include "control/card_ceremonies.h"

namespace warifu::custody {
namespace {

constexpr std::int64_t kShownMs = 90LL * 86'400'000;

Result<RecordKeeper::ProvedGrant> proved(const catalog::Grant& record) {
  TRY_ASSIGN(consent::KeptEvidence kept, consent::parse_kept(record.evidence));
  return RecordKeeper::ProvedGrant{record.grant_bytes, std::move(kept.sites)};
}

}  // namespace

Result<std::vector<catalog::Grant>> EmergencyDesk::others_of(const consent::Grant& grant) {
  TRY_ASSIGN(const auto given,
             catalog_.list_grants({.object = grant.object, .state = catalog::GrantState::kGiven},
                                  {.count = catalog::kMaxPageRows}));
  std::vector<catalog::Grant> others;
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

Result<> EmergencyDesk::add_record(const catalog::Object& object,
                                   const std::vector<catalog::Grant>& others,
                                   control::CardProof& proof) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(proof.grant));
  RecordKeeper::ProvedGrant own{proof.grant, {}};
  for (std::size_t i = 0; i < proof.tags.size(); ++i) {
    own.evidence.push_back({grant.sites[i].site, proof.kind, proof.tags[i]});
  }
  std::vector<RecordKeeper::ProvedGrant> grants = {std::move(own)};
  for (const catalog::Grant& other : others) {
    TRY_ASSIGN(auto one, proved(other));
    grants.push_back(std::move(one));
  }
  auto record = records_.bring_under(object.object, grants);
  if (!record && record.error().code == Code::kNotFound) {
    // Not in safekeeping: perhaps share control has it still.
    auto kept = control::kept_record(site_, catalog_, object);
    if (kept) record = std::move(kept->record);
  }
  if (!record) return std::unexpected(record.error());
  proof.hash_key = secret::Buffer::copy_of(record->hash_key.bytes());
  proof.tag_over_tags = record->tag;
  proof.chunk_count = record->chunk_count;
  proof.length = record->length;
  return {};
}

Result<> EmergencyDesk::tell_sites(const catalog::Object& object, const consent::Grant& grant,
                                   const std::vector<catalog::Grant>& others) {
  consent::Emergency emergency{grant.joint, grant.object, site_.system.clock.now(),
                               {},          {grant.card}, grant.reason};
  for (const catalog::Grant& other : others) {
    TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(other.grant_bytes));
    emergency.officers.push_back(parsed.card);
  }
  TRY_ASSIGN(const Ordered told,
             people_.tell_everywhere(object.person_id, number(Method::kEmergency),
                                     [&](const Pseudonym& person) {
                                       return encode(EmergencyNote{person, emergency});
                                     }));
  (void)told;  // who has not heard yet is told again
  return {};
}

Result<GrantId> EmergencyDesk::accept(control::CardProof proof) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(proof.grant));
  if (grant.capacity != consent::Capacity::kEmergency || proof.tags.size() != grant.sites.size()) {
    return fail(Code::kInvalidArgument, "the card's proof does not fit the grant");
  }
  TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
  TRY_ASSIGN(const auto others, others_of(grant));
  proof.hash_key = {};
  if (others.size() + 1 == grant.together) {
    // The gates of the record's holders have judged all of the officers, and noted it, before
    // anybody else is told; and everybody is to be told before it can be used.
    TRY(add_record(object, others, proof));
    TRY(tell_sites(object, grant, others));
  }
  return consent_.accept(proof);
}

std::vector<EmergencyView> EmergencyDesk::recent() {
  std::vector<EmergencyView> views;
  const os::UnixMs since{site_.system.clock.now().value - kShownMs};
  for (auto& [pseudonym, emergency] : site_.gate.emergencies(since)) {
    const auto person = catalog_.person_of_pseudonym({site_.config.name, pseudonym});
    views.push_back({person ? person->person_id : pseudonym.text(), std::move(emergency)});
  }
  return views;
}

Result<> EmergencyDesk::told_by_card(const CardId& card) {
  const auto person = catalog_.person_of_card(card);
  if (!person) return {};
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person->person_id));
  for (const catalog::SitePseudonym& at : pseudonyms) {
    if (at.site == site_.config.name) return site_.gate.emergencies_told(at.pseudonym);
  }
  return {};
}

}  // namespace warifu::custody
