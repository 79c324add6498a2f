// The project's own consent card over ISO/IEC 7816-4, seen from the terminal.
//
// The card holds one-time keys (r, s) shared with each site and answers a grant with one tag per
// site, s XOR h_r(grant): information-theoretic, at most (blocks + 1) / 2^128 per try of a forger.
// The grant carries its total length in its first block (mac::Hasher pads the last block with
// zeros, so the length must be fixed by the first). The card stores its next index and erases the
// keys of the index before it answers: an answer that is lost is lost for good and costs one index.
// One VERIFY allows one AUTHORISE. Nothing here trusts the terminal's screen.
//
// ConsentCard borrows its Session; thread rule as there.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "card/transport.h"
#include "card/values.h"

namespace warifu::card {

struct CardIdentity {
  CardId card;             // zero while the card is blank
  bool is_active = false;  // personalised
  bool is_emulated = false;
  Byte pin_tries_left = 0;
  std::uint8_t site_count = 0;
  std::uint16_t object_count = 0;
  KeyRange keys;  // first = next index to use, count = keys left for each site

  [[nodiscard]] CardKind kind() const {
    return is_emulated ? CardKind::kOneTimeMacEmulated : CardKind::kOneTimeMac;
  }
};

struct Personalisation {
  CardId card;
  secret::Buffer pin;  // 4 to 12 ASCII digits
  KeyIndex first_index{1};
  std::vector<SiteKeys> sites;              // 1 to 7 distinct sites, equal counts
  std::function<void(std::size_t)> loaded;  // so many sites' keys are on it; may be empty
};

// Errors: kInvalidArgument: it has not 4 to 12 digits.
[[nodiscard]] Result<> check_pin(ByteView pin);

// Whether the last try of a PIN may be spent. Only the person can say so.
enum class LastTry { kRefuse, kAllow };

class ConsentCard {
 public:
  // Selects the application. Errors: kNotFound when the card has none.
  [[nodiscard]] static Result<ConsentCard> select(Session& session);

  // Without PIN: whoever reads the card learns its id, so the id is not a proof of anything.
  [[nodiscard]] Result<CardIdentity> identity();

  // Reads the counter first. Errors: kRefused naming the tries left; also, without a try spent,
  // when only one is left (unless allowed) or the PIN is blocked; kInvalidArgument for a malformed
  // PIN.
  [[nodiscard]] Result<> verify_pin(ByteView pin, LastTry last_try = LastTry::kRefuse);

  // The same at the reader's own pad, where the PIN never passes through this machine; false when
  // the reader has none and nothing was asked. Errors as verify_pin(); kTimeout, kCancelled.
  [[nodiscard]] Result<bool> verify_on_pad(LastTry last_try = LastTry::kRefuse);

  // A blank card only; takes effect as a whole or not at all. Errors: kRefused on an active card.
  [[nodiscard]] Result<> personalise(const Personalisation& content);
  // The sites that the card has keys of, in its order. Needs no PIN.
  [[nodiscard]] Result<std::vector<SiteName>> list_sites();
  // After the PIN. `first` must be the end of the card's present range, the sites the card's own in
  // its order. Takes effect as a whole or not at all.
  [[nodiscard]] Result<> top_up(KeyIndex first, std::span<const SiteKeys> sites);

  // After the PIN: other keys for the indices that are left, for some of the card's sites, which
  // have lost theirs. `first` must be the card's next index, and as many keys as it has left. Takes
  // effect as a whole or not at all.
  [[nodiscard]] Result<> renew(KeyIndex first, std::span<const SiteKeys> sites);
  // Whether the card would begin that, before a site draws keys that it will not draw again.
  [[nodiscard]] Result<> may_renew(KeyRange range, const SiteName& site);

  // After the PIN. Putting the same record again is no error. Errors: kAlreadyExists when the card
  // has another record of this object; kNoSpace.
  [[nodiscard]] Result<> put_object(const ObjectRecord& record);
  [[nodiscard]] Result<std::vector<ObjectId>> list_objects();
  [[nodiscard]] Result<ObjectRecord> get_object(const ObjectId& object);

  // After the PIN. One tag per site of the grant, in its order. Errors: kRefused when the grant is
  // for another card, another index or a site this card has no keys for, or the PIN is missing.
  // kUnavailable when the answer was lost: the index is then spent.
  [[nodiscard]] Result<std::vector<mac::Tag>> authorise(ByteView grant);

 private:
  explicit ConsentCard(Session& session) : session_(&session) {}
  Result<> check_tries(LastTry last_try);
  static Result<> check_verified(StatusWord status);
  // Sends and turns every status but 9000 into an Error that starts with `what`.
  Result<secret::Buffer> run(const CommandHeader& header, secret::Buffer data,
                             std::uint32_t expected, std::string_view what);
  Result<> load_range(const CommandHeader& begin, KeyIndex first, std::span<const SiteKeys> sites,
                      std::string_view what);
  Result<> load(std::span<const SiteKeys> sites, std::string_view what,
                const std::function<void(std::size_t)>& loaded = {});

  Session* session_;
};

}  // namespace warifu::card
