// Enrolment at a kiosk: an order of the biobank, found by its code, carried out with the person who
// is there and a card that is nobody's yet.
//
// The site decides everything: the order says who, and what type of card; this terminal brings the
// code, the person's PIN and the card. Nothing is kept here but the order that the page shows,
// until it is done, left, or forgotten after kPatience without an act. The PIN goes to the card
// only.
//
// Thread-safe; progress() never waits for the card.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include <boost/json.hpp>

#include "apps/card_terminal.h"
#include "http/router.h"

namespace warifu::apps {

class KioskDesk;

class KioskEnrolment {
 public:
  static constexpr std::chrono::minutes kPatience{10};

  // `desk` must outlive it: it lends the card.
  KioskEnrolment(KioskDesk& desk, const Common& site, CardOptions card, std::string name);

  // What the page shows: the order if one was found, how far its ceremony is, and what came of it.
  [[nodiscard]] boost::json::object progress();
  // Errors: kNotFound (no order with this code waits), kRefused (too many wrong ones).
  [[nodiscard]] Result<boost::json::value> find(const std::string& code);
  void forget();
  // Carries the order out with the card that lies there. `pin`: chosen by the person for a one-time
  // card, of its issuer for a signature card, none for a DESFire card. After an error the order
  // still stands, and this may be called again, with the same card or another one that is blank.
  // Errors: kNotFound (no order, no card), kInvalidArgument (PIN, card of another type),
  // kAlreadyExists (the card is somebody's); the card's and the site's.
  [[nodiscard]] Result<boost::json::value> run(std::shared_ptr<const secret::Buffer> pin);

 private:
  struct Order {
    std::string id, person, name, type;
    bool again = false;
    boost::json::object shown;
    std::chrono::steady_clock::time_point used;
  };
  struct Step {
    bool running = false;
    std::string name, site;
    std::size_t done = 0, total = 0;
  };
  Result<boost::json::value> enrol(const Order& order, std::shared_ptr<const secret::Buffer> pin);
  void note(const EnrolStep& step);

  KioskDesk& desk_;
  Common site_;
  CardOptions options_;
  std::string name_;
  std::mutex mutex_;  // of what follows
  std::optional<Order> order_;
  Step step_;
};

// What a card that is nobody's, but holds keys, was begun for at this site: finished, so that it is
// the person's. `wanted`: the order that it must have been begun for; empty: any. Errors: kNotFound
// (nothing was begun for it), kAlreadyExists (not that order), kRefused (its order is over), the
// site's.
[[nodiscard]] Result<> finish_enrolment(ApiClient& client, CardTerminal& terminal,
                                        const CardFacts& card, const std::string& name,
                                        const std::string& wanted = "");

// Puts records of the person's objects on the card, after verify_holder(): how many, and how many
// are still missing. A signature card keeps none.
struct LoadedRecords {
  std::size_t loaded = 0, missing = 0;
};
[[nodiscard]] LoadedRecords load_records(ApiClient& client, CardTerminal& terminal,
                                         const CardFacts& card);

// The page's routes, /v1/kiosk/enrol...
void add_kiosk_enrolment_routes(http::Router& router, KioskEnrolment& enrolment);

}  // namespace warifu::apps
