// What the program asks of a person's card, whichever kind it is: who it is, whether its holder may
// use it, to prove a grant, to keep an object's record, to be issued.
//
// The one-time MAC card answers a grant with tags for all sites at once and has a PIN. A DESFire
// card proves it to every site in a dialogue of that site, which this terminal only relays and
// watches (card/desfire_guard.h); it has no PIN, so that possession is all that it proves of its
// holder. A signature card signs it, behind its PIN, once for all sites, and keeps nothing.
// Borrows the session of its CardTerminal; one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/card_signer.h"
#include "apps/person_commands.h"
#include "card/consent_profile.h"
#include "card/desfire_layout.h"

namespace warifu::apps {

struct CardFacts {
  CardId card;  // zero while it is blank
  card::CardKind kind = card::CardKind::kOneTimeMac;
  bool is_active = false;  // it belongs to a person, as far as the card knows: a signature card
                           // does not
};

// The person's first card, or one in the place of a card that is revoked.
enum class Issue : std::uint8_t { kFirst, kAgain };

// How far an enrolment is: the sites draw keys, the card takes those of one site after the other,
// the site confirms. `name`: "asking", "writing", "confirming", "records".
struct EnrolStep {
  std::string_view name;
  std::string site = {};  // whose turn it is; empty: no site's
  std::size_t done = 0, total = 0;
};

// An order of the biobank's desk, carried out here.
struct CarriedOrder {
  std::string id;                              // of the order
  std::string terminal;                        // the name of this one
  std::function<void(const EnrolStep&)> tell;  // how far it is; may be empty
};

struct EnrolledCard {
  CardId card;
  std::vector<SiteName> sites;
  std::string text;                    // what the card holds now, for people
  std::vector<std::string> objects;    // of Issue::kAgain: whose records are to go on it
  std::optional<card::CardKind> kind;  // as the sites judged it, where they do
};

struct GivenConsent {
  std::string grant;                   // its id
  std::optional<card::CardKind> kind;  // as the sites judged it, where they do
};

struct ToppedUp {
  std::uint32_t keys = 0, keys_left = 0;
  std::size_t sites = 0;
};
// With so many consents left or fewer people are told to have more keys put on the card.
inline constexpr std::uint32_t kFewKeys = 10;

class CardAuthenticator {
 public:
  CardAuthenticator() = default;
  virtual ~CardAuthenticator() = default;
  CardAuthenticator(const CardAuthenticator&) = delete;
  CardAuthenticator& operator=(const CardAuthenticator&) = delete;

  // Needs no PIN and proves nothing.
  [[nodiscard]] virtual Result<CardFacts> identify() = 0;
  // Everything that the card says of itself without a PIN, for `warifu card show`.
  [[nodiscard]] virtual Result<boost::json::object> describe() = 0;
  // The one-time card: the PIN, at the reader's pad where there is one and no file is given. A
  // signature card: its PIN.
  // DESFire: nothing, and says so to people. Errors: ConsentCard::verify_pin's and read_pin's.
  [[nodiscard]] virtual Result<> verify_holder(const CardOptions& options) = 0;
  // Makes a blank card the person's. `pin` of the one-time card; with Issue::kAgain it counts as
  // entered afterwards. Errors: the card's and the site's; kRefused where another card's place
  // cannot be taken.
  [[nodiscard]] virtual Result<EnrolledCard> enrol(ApiClient& client, const EnrolOptions& options,
                                                   secret::Buffer pin, Issue issue) = 0;
  // Loads the record of an object on the card, after verify_holder(). Afterwards the site forgets
  // it as far as it is safe elsewhere. Errors: kRefused when it is another person's object,
  // kAlreadyExists when it is on the card; the card's and the site's.
  [[nodiscard]] virtual Result<> load_record(ApiClient& client, const std::string& object) = 0;
  // What the wish for a consent has to say of the card.
  [[nodiscard]] virtual Result<> add_to_wish(boost::json::object& wish) = 0;
  // Has the card prove the grant, after verify_holder(), and gives the proof to the site: the id of
  // the consent. Errors: the card's and the sites'.
  [[nodiscard]] virtual Result<GivenConsent> authorise(ApiClient& client, ByteView grant,
                                                       const ObjectId& object) = 0;
  // Has the card prove a grant that restores nothing (it names a proxy ...), after verify_holder():
  // what the site has to be told of it. A DESFire card proves it to the sites, through `client`.
  // Errors: the card's and the sites'.
  [[nodiscard]] virtual Result<boost::json::object> prove(ApiClient& client, ByteView grant) = 0;
  // More one-time keys: shown, asked, proved by the card, put on it. Errors: kOutOfKey when no key
  // is left to prove it with; the card's and the sites'; kRefused where there are none.
  [[nodiscard]] virtual Result<ToppedUp> top_up(ApiClient&, const TopUpOptions&) {
    return fail(Code::kRefused, "such a card has no one-time keys");
  }
  // A site that has lost its gate gets to know the card again: other one-time keys, and how many;
  // 0: it keeps a signature card's certificate, or has another application on a DESFire card.
  // Errors: kAlreadyExists (it knows the card still), kRefused where it cannot be.
  [[nodiscard]] virtual Result<std::uint32_t> renew(ApiClient& client, const SiteName& at) = 0;
};

[[nodiscard]] std::unique_ptr<CardAuthenticator> one_time_authenticator(card::ConsentCard card);
// `identity` as the card in the session has just given it.
[[nodiscard]] std::unique_ptr<CardAuthenticator> desfire_authenticator(
    card::Session& session, card::desfire::DesfireIdentity identity);
[[nodiscard]] std::unique_ptr<CardAuthenticator> signature_authenticator(
    std::unique_ptr<CardSigner> signer);

// To whoever watches the enrolment.
inline void tell_step(const EnrolOptions& options, const EnrolStep& step) {
  if (options.order != nullptr && options.order->tell) options.order->tell(step);
}

// "a one-time MAC card", "a DESFire card", "a signature card".
[[nodiscard]] std::string_view card_type_text(card::CardKind kind);

}  // namespace warifu::apps
