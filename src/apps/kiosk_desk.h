// A kiosk: the terminal at which a person, with a card, decides what happens to their own data.
//
// A session belongs to the card that opened it: it ends when the card is taken away, when another
// one lies there, or when nobody has done anything for the idle time. Every act that the card must
// prove opens the card anew, finds that it is still the session's, has its holder verified again
// and ends that conversation with the card; nothing that a page says stands for a card. The text
// that is shown is written here from the grant that the card will prove, and nothing else is
// accepted (consent_ceremony.h). The last try of a PIN is never spent here. Decisions are the
// site's records; a kiosk keeps nothing.
//
// Regions take two consents (ADR 0043), each with its own text and PIN. Between them the state is
// the site's: a kiosk that was restarted, or another one, goes on there (ADR 0049).
//
// Thread-safe: one act at a time, since there is one card and one person.
#pragma once

#include <mutex>

#include <boost/json.hpp>

#include "apps/card_terminal.h"
#include "apps/consent_ceremony.h"
#include "apps/kiosk_trouble.h"

namespace warifu::apps {

class KioskDesk {
 public:
  KioskDesk(const Common& site, CardOptions card, std::string name, std::chrono::seconds idle);

  // What a page shows at any time: the card, and whose session it is. Looks at the reader. Never
  // fails: what is wrong stands in it.
  [[nodiscard]] boost::json::object view();
  // Opens a session for the card that lies there. `pin`: none where the card has none, or it is
  // typed at the reader's pad. Errors: kNoCard, kBlankCard, kUnknownCard, kNoPin, kWrongPin,
  // kLastTry, kCardGone; the site's.
  [[nodiscard]] KioskResult<boost::json::object> enter(std::shared_ptr<const secret::Buffer> pin);
  void leave();
  // The person is still there: the idle time begins anew. Errors: kSessionOver; so do all that
  // follow.
  [[nodiscard]] KioskResult<> stay();
  // Requests and consents of the person, and emergencies that they were not told of yet.
  [[nodiscard]] KioskResult<boost::json::value> page();
  // Every use of the person's data, by the logs of all sites.
  [[nodiscard]] KioskResult<boost::json::value> history();
  // A request, prepared to be given: the exact text, and what it would cost. Of regions first the
  // consent to the index; at once the regions themselves when that was given before and can still
  // be used. Errors: kNotWaiting, kOtherCard, kNoKeys; kCorrupt when the site's grant is not what
  // its text says or not what was asked for.
  [[nodiscard]] KioskResult<boost::json::value> read(const std::string& request,
                                                     const std::string& language);
  // The card proves what was shown last; `digest` is that of the text which the page shows. Of the
  // index: the regions, prepared as by read(). Errors: as enter(), read(); kInvalidArgument
  // (something else was read last); kRefused (a gate refuses); kHalfDone: the index was consented
  // to; read() goes on from there.
  [[nodiscard]] KioskResult<boost::json::value> accept(const std::string& request,
                                                       const std::string& digest,
                                                       std::shared_ptr<const secret::Buffer> pin);
  // A consent to the index that was given for it is withdrawn.
  [[nodiscard]] KioskResult<boost::json::value> refuse(const std::string& request,
                                                       const std::string& why);
  // A consent of this person, taken back: the holder is verified first. Which sites have heard of
  // it and which are still to be told stands in the answer.
  [[nodiscard]] KioskResult<boost::json::value> withdraw(const std::string& grant,
                                                         std::shared_ptr<const secret::Buffer> pin);
  [[nodiscard]] KioskResult<boost::json::value> receipt(const std::string& grant);
  // One act with the card beside those here, while nobody else looks at it. No session outlives it.
  template <typename Act>
  auto alone(const Act& act) {
    const std::lock_guard lock(mutex_);
    end_session();
    auto done = act();
    card_.reset();
    return done;
  }

 private:
  struct Card {
    CardFacts facts;
    std::string name;  // the reader or file
    bool has_pin = true;
    std::optional<std::uint64_t> tries_left;  // of its PIN; none where it does not say
    std::optional<std::uint64_t> keys_left;   // one-time keys; none where it has none
  };
  struct Session {
    CardId card;
    std::string person, name;
    std::chrono::steady_clock::time_point used;
  };
  enum class Part : std::uint8_t { kWhole, kIndex, kRegions };
  // What was shown last.
  struct Prepared {
    Part part = Part::kWhole;
    std::string request, language, digest;
    ConsentTerms terms;
    WrittenGrant written;
    boost::json::value quote;  // of kRegions
  };
  [[nodiscard]] Result<bool> is_present();
  Result<Card> describe(CardTerminal& terminal);
  void look();
  void end_session();
  KioskResult<> need_session();
  // An error of something at which the card took part, with the reason where it was the card.
  KioskError of_card(CardTerminal& terminal, Error error);
  // The card that lies there, which must be the session's where there is one.
  KioskResult<CardTerminal> open_same(const CardOptions& options);
  // The session's card, opened, its holder verified.
  KioskResult<CardTerminal> open_verified(std::shared_ptr<const secret::Buffer> pin);
  // kiosk_consents.cc.
  KioskResult<boost::json::value> own_request(ApiClient& client, const std::string& request);
  KioskResult<boost::json::value> own_consent(const std::string& grant);
  KioskResult<boost::json::value> prepare(ApiClient& client, CardTerminal& terminal,
                                          Prepared wanted, boost::json::object more);
  KioskResult<boost::json::value> prepare_regions(ApiClient& client, CardTerminal& terminal,
                                                  Prepared wanted, const std::string& index);
  [[nodiscard]] boost::json::value shown() const;

  Common site_;
  CardOptions options_;
  std::string name_;
  std::chrono::seconds idle_;
  std::mutex mutex_;
  std::optional<Card> card_;
  std::string problem_;                // of the reader or the card, for people
  Trouble trouble_ = Trouble::kOther;  // which of the two
  std::optional<Session> session_;
  std::optional<Prepared> prepared_;
};

}  // namespace warifu::apps
