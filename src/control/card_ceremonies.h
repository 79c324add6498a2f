// Ceremonies with a type A card at share control: the terminal relays, every site concerned leads
// its own dialogue in its turn, and share control passes APDUs on without being able to use them.
//
//   enrol    every site makes its application on a blank card, share control's last; then the
//   person
//            is in the catalog
//   consent  every site of the grant has the card prove it; then share control reads the object's
//            record from its own application, and the consent is kept with the sites' receipts
//   proof    every site of a grant has the card prove it, and that is all: of an act of the
//   person's,
//            or in another's place, where this card does not keep the record
//   renew    a site that has lost its key of the card makes another application on it
//   record   share control writes the record of a stored object into its own application; of an
//            object that came out of its shares it looks whether the record is there
//
// Invariants: a ceremony is in memory only and ends at the first error or after two minutes without
// an answer; what sites and card have written by then is consistent, and the next ceremony goes on
// from it. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "control/card_service.h"
#include "control/consent_desk.h"
#include "control/enrolment.h"

namespace warifu::control {

using CeremonyId = Id16<struct CardCeremonyTag>;

// What a card has to keep of a stored object, until it does. Errors: kBusy while it is being
// stored, kAlreadyExists when it is on the card, kNotFound when share control does not have it.
struct PendingRecord {
  CardId card;
  card::ObjectRecord record;
};
// The same record as long as share control keeps it sealed itself: for a relayed card as long as
// the object lives, for others until it is safe elsewhere. Errors: kBusy; kNotFound afterwards.
[[nodiscard]] Result<PendingRecord> kept_record(SiteContext& site, catalog::Catalog& catalog,
                                                const catalog::Object& object);
[[nodiscard]] Result<PendingRecord> pending_record(SiteContext& site, catalog::Catalog& catalog,
                                                   const ObjectId& object);

// The next APDU, and whose it is; or what the ceremony came to.
struct CeremonyTurn {
  CeremonyId ceremony;
  std::optional<Bytes> apdu;
  SiteName site;
  CardId card;
  card::CardKind kind = card::CardKind::kDesfire;
  std::vector<SiteName> sites;     // that have had their turn
  std::optional<GrantId> grant;    // of a consent
  std::vector<mac::Tag> receipts;  // of a proof, in the order of the grant's sites
};

class CardCeremonies {
 public:
  static constexpr std::size_t kMaxCeremonies = 64;

  CardCeremonies(SiteContext& site, CardService& own, catalog::Catalog& catalog,
                 Enrolment& enrolment, ConsentDesk& consent)
      : site_(site), own_(own), catalog_(catalog), enrolment_(enrolment), consent_(consent) {}

  // Errors: kAlreadyExists, kInvalidArgument, kUnavailable naming a site; the sites'.
  [[nodiscard]] Result<CeremonyTurn> enrol(const std::string& person, const std::string& name);
  // `grant` as ConsentDesk::prepare() wrote it. Errors: the same, kRefused.
  [[nodiscard]] Result<CeremonyTurn> consent(ByteView grant);
  // Errors: kNotFound (the card), the sites'.
  [[nodiscard]] Result<CeremonyTurn> prove(ByteView grant);
  // `application`: a number that is free on the card. Errors: kNotFound (the card),
  // kInvalidArgument (the site), kRefused (share control's own), kAlreadyExists (the site knows the
  // card still); the site's.
  [[nodiscard]] Result<CeremonyTurn> renew(const CardId& card, const SiteName& at,
                                           std::uint8_t application);
  // `card`: that lies there. Errors: kRefused when it is not the object's person's.
  [[nodiscard]] Result<CeremonyTurn> put_record(const ObjectId& object, const CardId& card);

  // Errors: kNotFound when the ceremony is over; else as above. After an error it is over.
  [[nodiscard]] Result<CeremonyTurn> answer(const CeremonyId& ceremony, ByteView answer);

 private:
  struct Stop {  // one site's turn
    SiteName site;
    std::function<Result<consent::DialogueTurn>()> begin;
  };
  struct Ceremony {
    CeremonyId id;
    CardId card;
    std::deque<Stop> stops;
    consent::DialogueId dialogue;  // of the first of them
    std::chrono::nanoseconds until{0};
    std::vector<SiteName> done;
    std::vector<consent::DialogueResult> results;  // in the order of `done`
    std::function<Result<>(Ceremony&, CeremonyTurn&)> finish;
  };

  std::unique_ptr<Ceremony> make(const CardId& card);
  // With a stop at every site of the grant.
  std::unique_ptr<Ceremony> make_proof(const consent::Grant& grant, const Bytes& bytes);
  Stop stop(const SiteName& at, CardOrder order);
  // On from a site's turn: its next APDU, the next site's first one, or the end.
  Result<CeremonyTurn> go_on(std::unique_ptr<Ceremony> ceremony, consent::DialogueTurn turn);
  Result<CeremonyTurn> begin_next(std::unique_ptr<Ceremony> ceremony);
  Result<CeremonyTurn> keep(std::unique_ptr<Ceremony> ceremony, Bytes apdu);
  Result<consent::DialogueTurn> read_record(const CardId& card, const ObjectId& object);
  Result<> finish_consent(const Bytes& grant, Ceremony& ceremony, CeremonyTurn& turn);

  SiteContext& site_;
  CardService& own_;
  catalog::Catalog& catalog_;
  Enrolment& enrolment_;
  ConsentDesk& consent_;
  std::mutex mutex_;
  std::map<CeremonyId, std::unique_ptr<Ceremony>> running_;
};

}  // namespace warifu::control
