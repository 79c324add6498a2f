// A kiosk: the terminal at which a person, with a card, decides what happens to their own data.
//
// A session belongs to the card that opened it: it ends when the card is taken away, when another
// one lies there, or when nobody has done anything for the idle time. Every act that the card must
// prove opens the card anew, finds that it is still the session's, has its holder verified again
// and ends that conversation with the card; nothing that a page says stands for a card. The text
// that is shown is written here from the grant that the card will prove, and nothing else is
// accepted (consent_terminal.h). The last try of a PIN is never spent here. Decisions are the
// site's records; a kiosk keeps nothing.
//
// Thread-safe: one act at a time, since there is one card and one person.
#pragma once

#include <mutex>

#include <boost/json.hpp>

#include "apps/card_terminal.h"

namespace warifu::apps {

class KioskDesk {
 public:
  KioskDesk(const Common& site, CardOptions card, std::string name, std::chrono::seconds idle);

  // What a page shows at any time: the card, and whose session it is. Looks at the reader. Never
  // fails: what is wrong stands in it.
  [[nodiscard]] boost::json::object view();
  // Opens a session for the card that lies there. `pin`: none where the card has none, or it is
  // typed at the reader's pad. Errors: kNotFound (no card, or nobody's), kRefused (wrong PIN, or
  // one try left), kInvalidArgument (no PIN), the site's.
  [[nodiscard]] Result<boost::json::object> enter(std::shared_ptr<const secret::Buffer> pin);
  void leave();
  // The person is still there: the idle time begins anew. Errors: kRefused without a session; so
  // do all that follow.
  [[nodiscard]] Result<> stay();
  // Requests and consents of the person.
  [[nodiscard]] Result<boost::json::value> page();
  // Every use of the person's data, by the logs of all sites.
  [[nodiscard]] Result<boost::json::value> history();
  // A request, prepared to be given: the exact text, and what it would cost. Errors: kCorrupt when
  // the site's grant is not what its text says.
  [[nodiscard]] Result<boost::json::value> read(const std::string& request,
                                                const std::string& language);
  // The card proves what read() has shown last; `digest` is that of the text which the page shows.
  // Errors: as enter(); kInvalidArgument (something else was read last); kRefused (it does not wait
  // any more, or a gate refuses).
  [[nodiscard]] Result<boost::json::value> accept(const std::string& request,
                                                  const std::string& digest,
                                                  std::shared_ptr<const secret::Buffer> pin);
  [[nodiscard]] Result<boost::json::value> refuse(const std::string& request,
                                                  const std::string& why);
  // A consent of this person, taken back: the holder is verified first.
  [[nodiscard]] Result<boost::json::value> withdraw(const std::string& grant,
                                                    std::shared_ptr<const secret::Buffer> pin);
  [[nodiscard]] Result<boost::json::value> receipt(const std::string& grant);
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
  };
  struct Session {
    CardId card;
    std::string person, name;
    std::chrono::steady_clock::time_point used;
  };
  struct Prepared {
    std::string request, digest;
    Bytes grant;
    ObjectId object;
  };

  [[nodiscard]] Result<bool> is_present();
  Result<Card> describe(CardTerminal& terminal);
  void look();
  void end_session();
  Result<> need_session();
  // The session's card, opened, its holder verified.
  Result<CardTerminal> open_verified(std::shared_ptr<const secret::Buffer> pin);
  Result<boost::json::value> own_consent(const std::string& grant);

  Common site_;
  CardOptions options_;
  std::string name_;
  std::chrono::seconds idle_;
  std::mutex mutex_;
  std::optional<Card> card_;
  std::string problem_;  // of the reader or the card, for people
  std::optional<Session> session_;
  std::optional<Prepared> prepared_;
};

}  // namespace warifu::apps
