// The biobank's desk: staff order that a person is enrolled, or gets a card in the place of a lost
// one, and a terminal carries the order out with the person who is there.
//
// An order is durable, for one person, and ends by itself. A terminal finds it by its code and
// begins a card for it; what is needed to finish that card is durable before the card gets
// anything, so that a ceremony which broke off goes on, or begins with another card, and a card
// that was loaded is never a stranger. Only the card that was begun last counts. That an order is
// done is not written down: it is done when the person's card is one of those begun for it
// (catalog::EnrolmentOrder). Nobody is enrolled by a terminal without an order (ADR 0052).
// Holds no state of its own; any thread.
#pragma once

#include "control/card_ceremonies.h"
#include "custody/card_desk.h"

namespace warifu::custody {

inline constexpr std::chrono::days kLongestEnrolment{30};
// A card that was begun in time may be finished so long after the order's end.
inline constexpr std::chrono::hours kFinishLate{24};
inline constexpr std::size_t kEnrolmentCodeLetters = 6;
inline constexpr std::uint32_t kUsualKeysPerSite = 64;

// What the biobank wants.
struct EnrolmentTerms {
  std::string person, name;  // `name` is the person's own where `again`
  std::string card_type;     // "one-time", "desfire", "jpki", "pkcs11"
  std::uint32_t keys_per_site = 0;
  bool again = false;
  std::chrono::seconds open{86'400};  // how long it waits
};

class EnrolmentOrders {
 public:
  struct Parts {
    control::Enrolment& enrolment;
    control::CardCeremonies& ceremonies;
    CardDesk& cards;
  };
  EnrolmentOrders(control::SiteContext& site, catalog::Catalog& catalog, Parts parts)
      : site_(site), catalog_(catalog), parts_(parts) {}

  // Durable and in the log when it returns. Errors: kInvalidArgument naming the term; kNotFound,
  // kAlreadyExists, kBusy as of catalog::Catalog::add_enrolment.
  [[nodiscard]] Result<catalog::EnrolmentOrder> order(const EnrolmentTerms& terms);
  // As it was typed: letters of either case, with or without the hyphen. Errors: kNotFound.
  [[nodiscard]] Result<catalog::EnrolmentOrder> find(std::string_view typed);
  // Errors: kNotFound; kRefused naming its state.
  [[nodiscard]] Result<catalog::EnrolmentOrder> cancel(const catalog::EnrolmentId& order);

  // All that follow: `terminal` as in grants (1 to 16 characters). Errors: kNotFound; kRefused
  // unless the order can be begun; kInvalidArgument (its card is of another type); those of
  // Enrolment, CardDesk and CardCeremonies.
  [[nodiscard]] Result<control::CardContent> begin(const catalog::EnrolmentId& order,
                                                   const std::string& terminal);
  [[nodiscard]] Result<control::CeremonyTurn> begin_relayed(const catalog::EnrolmentId& order,
                                                            const std::string& terminal);
  [[nodiscard]] Result<control::SignedPerson> enrol_signed(const catalog::EnrolmentId& order,
                                                           const std::string& terminal,
                                                           const control::SignatureCard& card);
  // The order that a card was begun for, when that can still be finished. Errors: kNotFound,
  // kRefused (it is over, or another card was begun since).
  [[nodiscard]] Result<catalog::EnrolmentOrder> order_of(const CardId& card);
  // The one-time card is loaded: it is the person's from here on. Again: no error. Errors: those of
  // order_of().
  [[nodiscard]] Result<catalog::EnrolmentOrder> finish(const CardId& card);

 private:
  Result<catalog::EnrolmentOrder> open_order(const catalog::EnrolmentId& order,
                                             std::initializer_list<std::string_view> types);
  Result<> note_begun(const catalog::EnrolmentOrder& order, const std::string& terminal,
                      const control::BegunCard& begun);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  Parts parts_;
};

}  // namespace warifu::custody
