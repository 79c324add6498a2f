// Proofs first, then the record, then the consent.
#include "custody/signed_consents.h"

#include "control/card_ceremonies.h"
#include "control/signature_service.h"

namespace warifu::custody {

// What share control keeps sealed itself, as long as it does, else out of safekeeping.
Result<card::ObjectRecord> SignedConsents::record_of(
    const catalog::Object& object, ByteView grant, const std::vector<consent::Evidence>& evidence) {
  auto kept = control::kept_record(site_, catalog_, object);
  if (kept) return std::move(kept->record);
  if (kept.error().code != Code::kAlreadyExists) return std::unexpected(kept.error());
  const RecordKeeper::ProvedGrant proved{Bytes(grant.begin(), grant.end()), evidence};
  return records_.bring_under(object.object, {&proved, 1});
}

Result<SignedConsents::Given> SignedConsents::give(ByteView grant_bytes, ByteView signature) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(grant_bytes));
  TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
  TRY_ASSIGN(const catalog::Person person, catalog_.person(object.person_id));
  // Whether a proxy may say it, each gate decides. Guardians who prove it together show several
  // grants, and a record of theirs is not given under one of them.
  const bool is_proxy = grant.capacity == consent::Capacity::kProxy;
  if (person.card != grant.card && !is_proxy) {
    return fail(Code::kRefused, "this card belongs to another person than the object");
  }
  TRY_ASSIGN(Bytes certificate, site_.gate.certificate_of(grant.card));
  const control::SignedProof signed_grant{Bytes(grant_bytes.begin(), grant_bytes.end()),
                                          Bytes(signature.begin(), signature.end())};
  std::vector<consent::Evidence> evidence;
  for (const consent::GrantSite& entry : grant.sites) {
    TRY_ASSIGN(evidence.emplace_back(),
               control::prove_signature_at(site_, entry.site, signed_grant));
    if (evidence.back().kind != evidence.front().kind) {
      return fail(Code::kRefused, entry.site.text() +
                                      " takes the card for another kind than other sites do: see "
                                      "'cards.trust_anchors' and 'cards.test_anchors' there");
    }
  }
  TRY_ASSIGN(card::ObjectRecord record, record_of(object, grant_bytes, evidence));
  control::CardProof proof{
      .grant = signed_grant.grant,
      .kind = evidence.front().kind,
      .hash_key = std::move(record.hash_key),
      .tag_over_tags = record.tag,
      .chunk_count = record.chunk_count,
      .length = record.length,
      .signature = consent::SignedGrant{std::move(certificate), signed_grant.signature}};
  for (const consent::Evidence& one : evidence) proof.tags.push_back(one.tag);
  TRY_ASSIGN(const GrantId id, consent_.accept(proof));
  return Given{id, proof.kind};
}

}  // namespace warifu::custody
