// A site's own gate: evidence becomes a Permit here and nowhere else.
//
// Every site runs its own gate over its own keys, nonces and counters, and believes no other site
// and no controller. Invariants:
// - Nothing is released before (1) the burnt index, the stored grant and the taken use and (2) the
//   audit record `release` are durable, in this order. After a failure between the two the same
//   session may present the grant again and loses no use.
// - Every refusal is appended to the audit log before it is answered, has Code::kRefused and names
//   this site. A refusal that cannot be logged stays a refusal.
// - A wrong tag burns nothing, but is counted: after `failures_allowed` within `failure_window` the
//   card is refused for the length of the window (in memory only; a restart forgets the count).
// - One process and one object hold the folder.
// Files: FOLDER/cards/<card id>.card, one per card (card_record.h), and FOLDER/people/<pseudonym>
// .person for those who have proxies or guardians or have died (person_record.h). A damaged one
// stops the start.
// The clock is the gate's own; nobody tells it the time. Thread-safe. `log` and `system` must
// outlive the gate.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "audit/log.h"
#include "base/reason.h"
#include "consent/break_glass.h"
#include "consent/decision.h"

namespace warifu::consent {

// What rests on one card's proof.
struct PermitBasis {
  GrantId grant;
  CardId card;
  Acting acting;
};

// This site's leave to send the share of one object to one destination in one session. Made only by
// Gate; share bytes leave the store for a restore only against it.
class Permit {
 public:
  Permit(Permit&&) = default;
  Permit& operator=(Permit&&) = default;

  // The first one, where guardians' cards prove it together.
  [[nodiscard]] const GrantId& grant() const { return bases_.front().grant; }
  [[nodiscard]] const ObjectId& object() const { return object_; }
  [[nodiscard]] const SiteName& destination() const { return destination_; }
  [[nodiscard]] const JobId& session() const { return session_; }
  // How much of the object was asked for and may be sent.
  [[nodiscard]] const Scope& scope() const { return scope_; }
  // The holder stops sending at this time.
  [[nodiscard]] os::UnixMs expiry() const { return expiry_; }
  // Why this does not cover sending that object, as far as scope() goes, there at that time;
  // nothing when it does.
  [[nodiscard]] std::optional<Refusal> bar(const ObjectId& object, const SiteName& destination,
                                           os::UnixMs now) const;
  // Whether that chunk is among those that were asked for and may be sent.
  [[nodiscard]] bool covers_chunk(std::uint64_t chunk) const {
    return scope_.is_whole() || has_chunks(scope_.chunks, chunk, 1);
  }

 private:
  friend class Gate;
  Permit(std::vector<PermitBasis> bases, const ReleaseRequest& request, os::UnixMs expiry)
      : bases_(std::move(bases)),
        owner_(request.owner),
        object_(request.object),
        destination_(request.destination),
        session_(request.session),
        scope_(request.scope),
        expiry_(expiry) {}
  std::vector<PermitBasis> bases_;
  Pseudonym owner_;
  ObjectId object_;
  SiteName destination_;
  JobId session_;
  Scope scope_;
  os::UnixMs expiry_;
};

class SignatureTrust;  // signature_trust.h

// For the log: "none" for zeros; ids joined by commas.
[[nodiscard]] std::string digest_text(const crypto::Digest& digest);
[[nodiscard]] std::string cards_text(std::span<const CardId> cards);

// So long after a card took the place of another it may be given that one's records.
inline constexpr std::chrono::hours kRecordsLife(7 * 24);

struct GateOptions {
  std::chrono::milliseconds nonce_life = std::chrono::minutes(15);
  std::size_t failures_allowed = 10;
  std::chrono::milliseconds failure_window = std::chrono::minutes(1);
  // From the hot listing of a card to the first one that may take its place.
  std::chrono::milliseconds reissue_delay = std::chrono::hours(48);
  DecideFunction decide = consent::decide;  // tests put broken ones here
  DecideActFunction decide_act = consent::decide_act;
  // Whose signature cards this site believes; none: nobody's.
  std::shared_ptr<const SignatureTrust> signatures;
  // Whose cards open objects in an emergency; none: nobody's.
  std::optional<BreakGlass> break_glass;
};

struct Enrolment {
  CardId card;
  Pseudonym person;  // at this site
  card::CardKind kind = card::CardKind::kOneTimeMac;
  card::KeyRange keys;
};

// This site's application on a relayed card (kinds 3 and 4), to be made.
struct RelayedEnrolment {
  CardId card;
  Pseudonym person;
  std::uint8_t application = 0;  // its number on the card
};

// A signature card to be enrolled. It has signed enrolment_statement(its id, signed_at), so whoever
// brings it has the card and its PIN, and not the certificate alone.
struct SignatureEnrolment {
  Pseudonym person;
  Bytes certificate;  // DER
  os::UnixMs signed_at;
  Bytes signature;
};

// What goes on the card. Once the site has finished (`is_known`) its key may never be written
// again: it would be legible to who knows the key before it.
struct PersonalisingStart {
  ApplicationSecrets secrets;
  bool is_known = false;
};

// A grant that a relayed card may prove now.
struct ProofStart {
  CardId card;
  std::uint8_t application = 0;
  secret::Buffer key;
  crypto::Digest grant_digest{};
};

// A card on the hot list, and when another one may come in its place.
struct LostCard {
  CardId card;
  os::UnixMs revoked;
  os::UnixMs from;   // no other card comes before
  os::UnixMs until;  // an officer here lets one come until then; 0: none has
};

// What a terminal needs from a site to write a grant.
struct Challenge {
  Nonce nonce;
  card::KeyIndex lowest_index;  // the card's own next index must be at least this
  // In which the data of the card's person was opened, as far as this site knows and the person was
  // not told: at most kMaxShown. A grant of the card must name them.
  std::vector<Emergency> untold = {};
};

class Gate {
 public:
  // Runs the self-test, checks every card file and that `root_key` (32 bytes, copied) opens them.
  // Errors: kRefused (self-test), kCorrupt naming the file, kBusy, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Gate>> open(
      const os::System& system, const std::string& folder, const SiteName& site,
      const secret::Buffer& root_key, audit::Log& log, const GateOptions& options = {});

  // Draws the site's one-time keys for a new card and returns them, once, for loading on the card.
  // A person whose card is on the hot list gets another one only with an officer's leave
  // (allow_reissue) and after reissue_delay; it replaces one that took the place before, under the
  // same leave. Errors: kAlreadyExists; kRefused when the card is on the hot list, when the person
  // has a card, or nobody has allowed another; kInvalidArgument; kIo.
  [[nodiscard]] Result<card::SiteKeys> enrol(const Enrolment& enrolment);
  // More keys for an enrolled card, which has proved that it wants them (Act::kTopUp, whose range
  // begins where the card's ends). Keys drawn earlier for these indices never reached the card and
  // are replaced. Answers once: the same grant again is refused, so that nobody has keys handed out
  // a second time. Errors: kRefused with the reason, logged; kInvalidArgument (the card has enough
  // keys); kNoSpace, kIo.
  [[nodiscard]] Result<card::SiteKeys> top_up(ByteView grant, const Evidence& evidence);

  // Errors: kNotFound when the card is not enrolled here, kRefused when it is on the hot list.
  [[nodiscard]] Result<Challenge> issue_nonce(const CardId& card);

  // The gate. Errors: kRefused with the reason; kIo, kNoSpace when state or log cannot be written
  // (nothing is released then).
  [[nodiscard]] Result<Permit> request_release(ByteView grant, const Evidence& evidence,
                                               const ReleaseRequest& request);
  // The same of a consent that several guardians' or officers' cards prove, each by a grant of its
  // own.
  [[nodiscard]] Result<Permit> request_release(std::span<const Presented> presented,
                                               const ReleaseRequest& request);

  // Whether this site would release the owner's share under the grant as it stands: judged as a
  // release is, but for who asks and how much. Burns nothing and takes no use; a wrong tag counts
  // against the card as ever. Errors: kRefused with the reason, logged.
  [[nodiscard]] Result<> would_release(const Presented& presented, const Pseudonym& owner);

  // What the person's own card says beside uses (gate_acts.cc): it names a proxy, or allows
  // emergencies. Telling it again is no error. Errors: kRefused with the reason, logged; kNoSpace,
  // kIo.
  [[nodiscard]] Result<> take_act(ByteView grant, const Evidence& evidence);

  // Emergencies (gate_acts.cc). An emergency was opened with officers' cards; this gate may have
  // seen nothing of it. Again: no error. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> note_emergency(const Pseudonym& person, const Emergency& emergency);
  // The person has been shown these. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> emergencies_told(const Pseudonym& person, std::span<const JointId> shown);
  // The same by a consent in which the person was, if its proof for this site is right, whether the
  // consent was shown here before or not. Burns nothing and takes no use. Errors: kRefused with the
  // reason, logged; kIo, kNoSpace.
  [[nodiscard]] Result<> told_under(ByteView grant, const Evidence& evidence);
  // Those that were noted here from `since` on, of all persons, by time.
  [[nodiscard]] std::vector<std::pair<Pseudonym, Emergency>> emergencies(os::UnixMs since);
  // This site's rule; none: it opens nothing in an emergency.
  [[nodiscard]] const std::optional<BreakGlass>& break_glass() const {
    return options_.break_glass;
  }

  // People (gate_people.cc).
  // An order of share control: it waits for an officer of this site, or, if it only takes away,
  // takes effect at once. Again: no error. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> take_order(const PersonOrder& order);
  // What waits for an officer here, the oldest first.
  [[nodiscard]] std::vector<WaitingOrder> waiting_orders();
  // An officer of this site says yes: it takes effect here. Errors: kNotFound, kRefused (a guardian
  // has no card here), kIo.
  [[nodiscard]] Result<> allow_order(const OrderId& id);
  // Or no. Errors: kNotFound, kIo.
  [[nodiscard]] Result<> decline_order(const OrderId& id);
  // What is known of a person beside cards; none: nothing.
  [[nodiscard]] std::optional<PersonRecord> person(const Pseudonym& person);

  // Relayed cards, whose dialogue CardDialogues leads (gate_relayed.cc).
  // Draws key and first token for the application, durably, before anything is written on the card;
  // the same again while the enrolment is not finished or the card was not used yet. Errors: as
  // enrol().
  [[nodiscard]] Result<PersonalisingStart> begin_personalising(const RelayedEnrolment& enrolment);
  // The card has taken key and files, and is of that kind.
  [[nodiscard]] Result<> finish_personalising(const CardId& card, card::CardKind kind);
  // Errors: kRefused with the reason, logged.
  [[nodiscard]] Result<ProofStart> begin_proof(ByteView grant);
  // The token that the card showed under its key gives way to a fresh one, durably noted before it
  // is answered. Errors: kRefused, logged, when this is not the card that was seen last: a copy of
  // it was used, or this site's state was set back.
  [[nodiscard]] Result<secret::Buffer> renew_token(ByteView grant, ByteView token);
  // The card has committed digest and token in this site's session: the grant counts as proved
  // once, durably, until it expires. Errors: kRefused as begin_proof(); kIo, kNoSpace.
  [[nodiscard]] Result<Evidence> accept_proof(ByteView grant);
  // The card could not authenticate: logged, and counted as a wrong tag.
  void note_wrong_card(ByteView grant, const std::string& why);
  // The key of this site's application. Errors: kNotFound, kRefused.
  [[nodiscard]] Result<ProofStart> application_key(const CardId& card);

  // Signature cards (gate_signed.cc). Their id is signature_card_id() of the certificate.
  // Judges certificate and statement for itself and keeps the certificate. Doing it again for the
  // same person is no error as long as the card was not used. Errors: kRefused with the reason,
  // logged; as enrol().
  [[nodiscard]] Result<card::CardKind> enrol_signature(const SignatureEnrolment& enrolment);
  // The card's signature over the bytes of the grant, under the certificate that is kept here and
  // is good today: the grant counts as proved once, durably, until it expires. The same grant and
  // a right signature again: the same evidence. Errors: kRefused with the reason, logged; kIo,
  // kNoSpace.
  [[nodiscard]] Result<Evidence> accept_signature(ByteView grant, ByteView signature);
  // Whether this site's share of the record of `object`, which belongs to `owner`, may go to share
  // control under a grant that may be used now, and that a card has proved here which keeps no
  // record of it (a signature card's; a DESFire card's in another's place); or under those of
  // guardians or officers together, of any cards, which are proved by that. Takes no use.
  // Errors: kRefused with the reason, logged.
  [[nodiscard]] Result<> may_give_record(std::span<const Presented> presented,
                                         const ObjectId& object, const Pseudonym& owner);
  // Errors: kNotFound when it is not enrolled here.
  [[nodiscard]] Result<card::CardKind> kind_of(const CardId& card);
  // Errors: kNotFound when it is not enrolled here as a signature card that may be used.
  [[nodiscard]] Result<Bytes> certificate_of(const CardId& card);

  // Whether what was permitted still is: the grant is not withdrawn, its card not revoked, whoever
  // consented may still do so. Errors: kRefused with the reason.
  [[nodiscard]] Result<> still_permits(const Permit& permit);

  // The person takes the grant back: refused from here on, whether it was shown here or not, until
  // it would have expired. Of a card that is not enrolled here nothing is kept, as nothing of it
  // would be accepted. Doing it again is no error. Errors: kNoSpace (kMaxWithdrawn), kIo.
  [[nodiscard]] Result<> withdraw(const CardId& card, const GrantId& grant, os::UnixMs until);

  // An officer of this site lets another card take the place of one that is on the hot list.
  // Errors: kNotFound, kInvalidArgument (it is not on the hot list), kIo.
  [[nodiscard]] Result<> allow_reissue(const CardId& card, os::UnixMs until);
  // A card on the hot list here. Errors: kNotFound.
  [[nodiscard]] Result<LostCard> lost_card(const CardId& card);
  // Those in whose place no other has come yet.
  [[nodiscard]] std::vector<LostCard> lost_cards();
  // Whether the record of `object` may go to `card`: it has taken a lost card's place here, not
  // longer ago than kRecordsLife, and belongs to `owner`; or its person may consent to a use of the
  // object in the owner's place. Errors: kRefused saying why.
  [[nodiscard]] Result<> may_give_records(const CardId& card, const Pseudonym& owner,
                                          const ObjectId& object);

  // Puts the card on the hot list and erases its keys, nonces and grants; also a card that is not
  // enrolled here. There is no way back. Doing it again is no error.
  [[nodiscard]] Result<> revoke(const CardId& card);

  // Cards that may be used here and the pseudonyms of their persons, ascending from behind `after`,
  // at most `most`.
  [[nodiscard]] std::vector<std::pair<CardId, Pseudonym>> enrolled(const CardId& after,
                                                                   std::size_t most);
  // Every card that the person has or had here.
  [[nodiscard]] std::vector<CardId> cards_of(const Pseudonym& person);
  // Keys that this site still holds for the card. Errors: kNotFound.
  [[nodiscard]] Result<std::uint32_t> keys_left(const CardId& card);

 private:
  struct Failures {
    std::vector<std::chrono::nanoseconds> times;  // of wrong tags within the window
    std::chrono::nanoseconds held_until{0};
  };

  Gate(const os::System& system, std::string folder, const SiteName& site,
       const secret::Buffer& root_key, audit::Log& log, const GateOptions& options);
  Result<> load();
  Result<CardRecord> read_card(const std::string& name);
  // Makes the record durable, then current.
  Result<> save(CardRecord record);
  // For a person whose card is on the hot list: until when the new card may be given its records;
  // 0 for a person who had none here.
  [[nodiscard]] LostCard lost_of(const CardRecord& record) const;
  Result<os::UnixMs> check_reissue(const Pseudonym& person, os::UnixMs now) const;
  // Revokes cards that took the same place before, under the same leave.
  Result<> replace_earlier(const Pseudonym& person);
  // The person's card that was put on the hot list last; null when there is none.
  const CardRecord* last_revoked(const Pseudonym& person) const;
  Result<> put_on_hot_list(const CardId& card);  // needs mutex_
  Result<card::SiteKeys> draw_keys(CardRecord& record, card::KeyRange keys);
  void forget_old(CardRecord& record, os::UnixMs now) const;
  CardRecord* find(const CardId& card);
  bool is_held_back(const CardId& card);
  bool has_accepted(const CardId& card, ByteView grant);
  void count_wrong_tag(const CardId& card);
  // Errors: the card is known here already, or unnamed.
  Result<> check_new_card(const CardId& card, const Pseudonym& person);
  // The grant if its proof may begin or be accepted now; refused and logged otherwise.
  Result<Grant> may_prove(ByteView grant, ProvedBy by);
  // Takes the grant into the record as proved, with a receipt for evidence.
  Evidence take_proof(CardRecord& record, const Grant& proved, ByteView grant);
  // The lines of the log that follow a proof.
  Result<> log_proof(const Grant& proved, ByteView grant, const Evidence& evidence,
                     const audit::Fields& more);
  // Errors: kRefused, logged.
  std::unexpected<Error> refuse_enrolment(const CardId& card, const Refusal& refusal);
  // Evidence that was given before for the same grant; none when there is none.
  std::optional<Evidence> proved_before(ByteView grant, ByteView signature);
  std::unexpected<Error> refuse_proof(const Refusal& refusal, ByteView grant);
  Result<> save_secrets(CardRecord record, const ApplicationSecrets& secrets);
  std::unexpected<Error> refuse(const Refusal& refusal, ByteView grant,
                                const ReleaseRequest& request);
  Inquiry inquiry_of(const Presented& presented, const Grant& named, const ReleaseRequest& request);
  // Counts a wrong tag of a grant that is new here. Refused, and logged.
  std::unexpected<Error> turn_down(const Refusal& refusal, const Presented& presented,
                                   const ReleaseRequest& request);
  // Whether all that is shown together counts. Errors: kRefused, logged.
  Result<std::vector<Outcome>> judge(std::span<const Presented> presented,
                                     const ReleaseRequest& request);
  // An act of the person's that counts, and the card's record once its index is burnt.
  struct ProvedAct {
    Grant grant;
    GrantId id;
    Step step = Step::kAccept;
    CardRecord card;
    os::UnixMs now;
  };
  Result<ProvedAct> prove_act(ByteView grant, const Evidence& evidence, Act wanted);
  Result<> appoint(ByteView grant, ProvedAct act);
  Result<> allow_emergency(ProvedAct act);
  // The person's own card has proved the grant, and with it what the person was told.
  Result<> note_told(const Grant& grant, const Pseudonym& person);
  // An emergency that this gate opens itself is noted for its person.
  Result<> note_opened(std::span<const Outcome> outcomes, const Pseudonym& owner);
  Result<Permit> release(std::span<const Outcome> outcomes, std::span<const Presented> presented,
                         const ReleaseRequest& request);
  Result<> log_release(std::span<const Outcome> outcomes, std::size_t which,
                       const Presented& presented, const ReleaseRequest& request,
                       std::uint16_t uses_left);
  Result<> load_people();
  Result<> save_person(PersonRecord record);
  const PersonRecord* find_person(const Pseudonym& person) const;
  PersonRecord person_or_new(const Pseudonym& person) const;
  // The record of whom the order is about, with the order done. Errors: kNotFound.
  Result<PersonRecord> without_order(const OrderId& id, PersonOrder& order) const;
  Result<> set_guardians(const PersonOrder& order, PersonRecord& record);
  // Whether the person of `card` may consent to some use of the object in the owner's place.
  bool may_act_for(const CardRecord& card, const Pseudonym& owner, const ObjectId& object);

  os::System system_;
  std::string folder_;
  SiteName site_;
  secret::Buffer root_;
  audit::Log& log_;
  GateOptions options_;
  std::unique_ptr<os::DirectoryLock> lock_;
  std::mutex mutex_;
  std::map<CardId, CardRecord> cards_;
  std::map<Pseudonym, PersonRecord> people_;
  std::map<CardId, Failures> failures_;
};

}  // namespace warifu::consent
