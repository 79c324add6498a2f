// Consents of signature cards: proofs first, then as of every card.
// A site that fails stops the consent: sites that had their turn have burnt their nonce.
#include "base/reason.h"
#include "control/signature_service.h"
#include "custody/consent_intake.h"

namespace warifu::custody {

Result<SignedConsent> ConsentIntake::accept_signed(ByteView grant_bytes, ByteView signature) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(grant_bytes));
  TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
  TRY_ASSIGN(const catalog::Person person, catalog_.person(object.person_id));
  // Whether somebody else may say it, each gate decides.
  if (person.card != grant.card && grant.capacity == consent::Capacity::kOwn) {
    return fail(Code::kRefused, "this card belongs to another person than the object",
                Reason::kOtherPerson);
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
  control::CardProof proof{
      .grant = signed_grant.grant,
      .kind = evidence.front().kind,
      .signature = consent::SignedGrant{std::move(certificate), signed_grant.signature}};
  for (const consent::Evidence& one : evidence) proof.tags.push_back(one.tag);
  const card::CardKind kind = proof.kind;
  TRY_ASSIGN(const GrantId id, accept(std::move(proof)));
  return SignedConsent{id, kind};
}

}  // namespace warifu::custody
