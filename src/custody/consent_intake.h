// Consents that cards have proved, on their way into the catalog of share control: of several
// guardians or officers the others are found, and where no card brings the object's record, it
// comes out of safekeeping, released by these very grants.
//
// Of those who consent together the last one brings the record, under all of their grants: no card
// of theirs needs to keep it, and none alone is given it (ADR 0051). In an emergency what every
// site is to be told is durable before the consent can be used. Nothing is decided here: each
// holder's gate judges every grant for itself. Thread-safe.
#pragma once

#include "control/consent_desk.h"
#include "custody/emergency_desk.h"
#include "custody/record_keeper.h"

namespace warifu::custody {

struct SignedConsent {
  GrantId grant;
  card::CardKind kind = card::CardKind::kSignature;  // as the sites judge it
};

class ConsentIntake {
 public:
  ConsentIntake(control::SiteContext& site, catalog::Catalog& catalog,
                control::ConsentDesk& consent, RecordKeeper& records, EmergencyDesk& emergencies)
      : site_(site),
        catalog_(catalog),
        consent_(consent),
        records_(records),
        emergencies_(emergencies) {}

  // `proof` without a hash key: the card keeps no record of the object; then the proof must count
  // at the gates already, or by being shown. Errors: kInvalidArgument, kNotFound (the object;
  // nobody keeps the record any more); kRefused as the gates of the record's holders say;
  // kUnavailable; kCorrupt.
  [[nodiscard]] Result<GrantId> accept(control::CardProof proof);
  // Of a signature card (signed_consents.cc): every site of the grant verifies `signature`, over
  // its bytes, for itself. After an error the ceremony begins again. Errors: the same, kRefused
  // (the card is another person's; a site refuses), kUnavailable naming a site.
  [[nodiscard]] Result<SignedConsent> accept_signed(ByteView grant, ByteView signature);

 private:
  // Grants of other cards that go together with this one.
  Result<std::vector<catalog::Grant>> others_of(const consent::Grant& grant);
  Result<bool> has_record(const catalog::Grant& grant);
  Result<> add_record(const catalog::Object& object, const consent::Grant& grant,
                      const std::vector<catalog::Grant>& others, control::CardProof& proof);
  Result<card::ObjectRecord> record_for(const catalog::Object& object, bool is_emergency,
                                        std::span<const RecordKeeper::ProvedGrant> grants);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  control::ConsentDesk& consent_;
  RecordKeeper& records_;
  EmergencyDesk& emergencies_;
};

}  // namespace warifu::custody
