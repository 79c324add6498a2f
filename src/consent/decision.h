// The decision of a site's gate, as a pure function: no clock, no files, no state of its own.
//
// decide() never changes anything; Gate carries the outcome out. Everything that is not explicitly
// allowed is refused, each refusal with its own reason. The order of the checks is the order of
// enum Reason; a grant that was accepted before is recognised by its bytes and skips the checks
// that were for its first presentation only (nonce, index). A relayed card and a signature card
// prove a grant before it is presented for the first time: then there is nothing but these checks
// (decide_proof), and a grant that was not proved is refused.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "base/reason.h"
#include "consent/card_record.h"
#include "consent/evidence.h"
#include "consent/person_record.h"

namespace warifu::consent {

// What a share is asked for. The gate's caller vouches for `owner` (whose share it is, at this
// site) and for `destination` (where it would really be sent).
struct ReleaseRequest {
  ObjectId object;
  Pseudonym owner;
  SiteName destination;
  Purpose purpose = Purpose::kHealthManagement;
  JobId session;
  std::uint16_t use = 1;  // which of the grant's uses the session takes, from 1
  Grantee grantee;        // who asks: the restoring site's word, which the gate logs
  Statements stated;      // what the use will be: the asker's word
  Scope scope;            // how much of the object: the whole, or what is wanted in which chunks
  // The object's record, which shows nothing of it: who will use what is asked when shares go.
  bool is_record = false;
};

// A grant as it is shown to a site, with the evidence for that site.
struct Presented {
  Bytes grant;
  Evidence evidence;
};

using warifu::Reason;

struct Refusal {
  Reason reason;
  std::string text;
};

enum class Step : std::uint8_t {
  kAccept,      // first presentation: burn the index, store the grant, take one use
  kNewSession,  // take one use
  kResume,      // this session has taken its use already
};
[[nodiscard]] std::string_view step_name(Step step);

struct Outcome {
  Grant grant;
  Step step = Step::kAccept;
  std::size_t accepted = 0;  // position in the record's grants, for kNewSession and kResume
};

struct Inquiry {
  const SiteName& site;
  const secret::Buffer& root;
  const CardRecord* record;  // of the card that the grant names; nullptr when it is not enrolled
  ByteView grant;
  const Evidence& evidence;
  const ReleaseRequest& request;
  os::UnixMs now;
  std::chrono::milliseconds nonce_life;
  bool is_held_back;                        // too many wrong tags for this card just now
  const PersonRecord* owner = nullptr;      // of the request's owner; nullptr: there is none
  const BreakGlass* break_glass = nullptr;  // nullptr: nobody opens anything in an emergency
};

using Decision = std::expected<Outcome, Refusal>;
using DecideFunction = Decision (*)(const Inquiry&);

[[nodiscard]] Decision decide(const Inquiry& inquiry);

// Whether an act of the person's counts (all but Act::kUse): as decide(). The request's owner is
// the card's person; object and the rest are not looked at. Shown again it is Step::kResume, but
// for Act::kTopUp, whose keys are handed out once.
[[nodiscard]] Decision decide_act(const Inquiry& inquiry, Act wanted);
using DecideActFunction = Decision (*)(const Inquiry&, Act wanted);

// Several guardians' or officers' grants are one consent when they allow the same, are as many as
// they say, and come from as many persons; one grant alone must say so.
[[nodiscard]] std::optional<Refusal> why_not_together(std::span<const Grant> grants,
                                                      std::span<const Pseudonym> persons);

// How a grant is proved before it is presented: in a dialogue with a relayed card, or by the
// signature of a signature card.
enum class ProvedBy : std::uint8_t { kDialogue, kSignature };
// Whether the grant of `inquiry` (evidence and request of which are not looked at) may be proved
// so, and, once it was, whether the proof is accepted. `inquiry.owner` is the card's person.
[[nodiscard]] std::expected<Grant, Refusal> decide_proof(const Inquiry& inquiry, ProvedBy by);

// What an outcome does to the record. `session` is the request's.
void apply(const Outcome& outcome, const Inquiry& inquiry, CardRecord& record);

// Runs both on a made-up card: good requests and acts must pass and every deny must fail closed
// with its reason. Errors: kRefused naming the first case that went wrong.
[[nodiscard]] Result<> self_test(DecideFunction decide, DecideActFunction decide_act);
// The same, once in a process for each pair of functions: they are code, and hold no state.
[[nodiscard]] Result<> self_test_once(DecideFunction decide, DecideActFunction decide_act);

}  // namespace warifu::consent
