// Orders, and the cards that are begun for them.
#include "custody/enrolment_orders.h"

#include <algorithm>

#include "audit/actor.h"
#include "base/reason.h"

namespace warifu::custody {
namespace {

using catalog::EnrolmentOrder;
using catalog::EnrolmentState;

// Without 0, O, 1, I and L, which people take for each other. 31^6 is about 2^30: a code is for one
// look at a time, and wrong ones are counted (api/enrolment_routes.cc).
constexpr std::string_view kLetters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
constexpr std::string_view kTypes[] = {"one-time", "desfire", "jpki", "pkcs11"};

std::string new_code(os::Random& random) {
  std::string code;
  while (code.size() < kEnrolmentCodeLetters) {
    std::array<Byte, 1> one;
    random.fill(one);
    // Bytes beyond the last multiple would prefer the first letters.
    if (one[0] < 256 / kLetters.size() * kLetters.size())
      code += kLetters[one[0] % kLetters.size()];
  }
  return code;
}

std::string plain_code(std::string_view typed) {
  std::string code;
  for (const char c : typed) {
    if (c == '-' || c == ' ') continue;
    code += (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
    if (code.size() > kEnrolmentCodeLetters) break;
  }
  return code;
}

Result<> check_terms(const EnrolmentTerms& terms) {
  if (std::ranges::find(kTypes, terms.card_type) == std::ranges::end(kTypes)) {
    return fail(Code::kInvalidArgument, "the card type '" + terms.card_type +
                                            "' must be one-time, desfire, jpki or pkcs11");
  }
  const bool has_keys = terms.card_type == "one-time";
  if (has_keys && (terms.keys_per_site == 0 || terms.keys_per_site > card::kMaxKeysPerSite)) {
    return fail(Code::kInvalidArgument,
                "keys per site must be from 1 to " + std::to_string(card::kMaxKeysPerSite));
  }
  if (terms.again && terms.card_type == "desfire") {
    return fail(Code::kInvalidArgument, "a DESFire card cannot take the place of another card");
  }
  if (terms.open < std::chrono::minutes(1) || terms.open > kLongestEnrolment) {
    return fail(Code::kInvalidArgument, "an enrolment waits for a minute to " +
                                            std::to_string(kLongestEnrolment.count()) + " days");
  }
  return {};
}

}  // namespace

Result<EnrolmentOrder> EnrolmentOrders::order(const EnrolmentTerms& terms) {
  TRY(check_terms(terms));
  std::string name = terms.name;
  if (terms.again) {
    TRY_ASSIGN(const catalog::Person person, catalog_.person(terms.person));
    name = person.name;
  }
  const os::UnixMs now = site_.system.clock.now();
  EnrolmentOrder order{.order = os::random_id<catalog::EnrolmentId>(site_.system.random),
                       .person_id = terms.person,
                       .name = name,
                       .again = terms.again,
                       .card_type = terms.card_type,
                       .keys_per_site = terms.card_type == "one-time" ? terms.keys_per_site : 0,
                       .code = new_code(site_.system.random),
                       .ordered_by = audit::ActingOperator::current(),
                       .created = now,
                       .expires = {now.value + std::chrono::milliseconds(terms.open).count()}};
  TRY(catalog::check_record(order));
  TRY(site_.log.append("enrolment_ordered", {{"order", order.order.text()},
                                             {"card_type", order.card_type},
                                             {"again", order.again ? "yes" : "no"}}));
  TRY(catalog_.add_enrolment(order));
  return order;
}

Result<EnrolmentOrder> EnrolmentOrders::find(std::string_view typed) {
  return catalog_.enrolment_by_code(plain_code(typed), site_.system.clock.now());
}

Result<EnrolmentOrder> EnrolmentOrders::cancel(const catalog::EnrolmentId& id) {
  TRY(site_.log.append("enrolment_cancelled", {{"order", id.text()}}));
  TRY(catalog_.cancel_enrolment(id, site_.system.clock.now()));
  return catalog_.enrolment(id);
}

Result<EnrolmentOrder> EnrolmentOrders::open_order(const catalog::EnrolmentId& id,
                                                   std::initializer_list<std::string_view> types) {
  TRY_ASSIGN(EnrolmentOrder order, catalog_.enrolment(id));
  const EnrolmentState state = catalog::state_at(order, site_.system.clock.now());
  if (state != EnrolmentState::kWaiting && state != EnrolmentState::kBegun) {
    return fail(Code::kRefused, "the enrolment of '" + order.person_id + "' is " +
                                    std::string(catalog::state_name(state)) +
                                    ": it cannot be begun");
  }
  if (std::ranges::find(types, order.card_type) == types.end()) {
    return fail(Code::kInvalidArgument, "a card of the type " + order.card_type + " was ordered");
  }
  return order;
}

Result<> EnrolmentOrders::note_begun(const EnrolmentOrder& order, const std::string& terminal,
                                     const control::BegunCard& begun) {
  if (terminal.empty() || terminal.size() > consent::kTerminalBytes) {
    return fail(Code::kInvalidArgument, "a terminal has a name of 1 to 16 characters");
  }
  TRY(site_.log.append(
      "enrolment_begun",
      {{"order", order.order.text()}, {"card", begun.card.text()}, {"terminal", terminal}}));
  TRY(catalog_.begin_enrolment({.order = order.order,
                                .card = begun.card,
                                .terminal = terminal,
                                .begun = site_.system.clock.now(),
                                .is_relayed = begun.is_relayed,
                                .pseudonyms = begun.pseudonyms}));
  return catalog_.set_enrolment_trouble(order.order, "");
}

Result<control::CardContent> EnrolmentOrders::begin(const catalog::EnrolmentId& id,
                                                    const std::string& terminal) {
  TRY_ASSIGN(const EnrolmentOrder order, open_order(id, {"one-time"}));
  auto content = order.again
                     ? parts_.cards.begin_reissue(order.person_id, order.keys_per_site)
                     : parts_.enrolment.begin(order.person_id, order.name, order.keys_per_site);
  if (!content) return content;
  TRY_ASSIGN(const control::BegunCard begun, parts_.enrolment.begun(order.person_id, order.again));
  TRY(note_begun(order, terminal, begun));
  return content;
}

Result<control::CeremonyTurn> EnrolmentOrders::begin_relayed(const catalog::EnrolmentId& id,
                                                             const std::string& terminal) {
  TRY_ASSIGN(const EnrolmentOrder order, open_order(id, {"desfire"}));
  // Sites and card may have begun already: with the same names they go on.
  bool is_known = false;
  if (order.card) {
    TRY_ASSIGN(const catalog::EnrolmentCard last, catalog_.enrolment_card(*order.card));
    is_known = last.is_relayed && last.order == id;
    if (is_known) {
      parts_.enrolment.take_up(
          {order.person_id, order.name, last.card, last.pseudonyms, true, false});
    }
  }
  TRY_ASSIGN(control::CeremonyTurn turn, parts_.ceremonies.enrol(order.person_id, order.name));
  if (is_known) return turn;
  TRY_ASSIGN(const control::BegunCard begun, parts_.enrolment.begun(order.person_id, false));
  TRY(note_begun(order, terminal, begun));
  return turn;
}

Result<control::SignedPerson> EnrolmentOrders::enrol_signed(const catalog::EnrolmentId& id,
                                                            const std::string& terminal,
                                                            const control::SignatureCard& card) {
  TRY_ASSIGN(const EnrolmentOrder order, open_order(id, {"jpki", "pkcs11"}));
  const CardId card_id = consent::signature_card_id(card.certificate);
  // Before the order knows the card: a lost card, put there again, must not look like a new one.
  if (catalog_.person_of_card(card_id)) {
    return fail(Code::kAlreadyExists, "this card already belongs to a person", Reason::kCardTaken);
  }
  TRY(note_begun(order, terminal, {order.person_id, order.name, card_id, {}, false, order.again}));
  return order.again ? parts_.cards.reissue_signed(order.person_id, card)
                     : parts_.enrolment.enrol_signed(order.person_id, order.name, card);
}

Result<EnrolmentOrder> EnrolmentOrders::order_of(const CardId& card) {
  TRY_ASSIGN(const catalog::EnrolmentCard begun, catalog_.enrolment_card(card));
  TRY_ASSIGN(EnrolmentOrder order, catalog_.enrolment(begun.order));
  if (order.card != card) {
    return fail(Code::kRefused,
                "another card was begun for '" + order.person_id + "' since: this one is void");
  }
  const os::UnixMs late{order.expires.value + std::chrono::milliseconds(kFinishLate).count()};
  if (order.is_made || (!order.cancelled_at && site_.system.clock.now() < late)) return order;
  return fail(Code::kRefused, "the enrolment of '" + order.person_id + "' is " +
                                  (order.cancelled_at ? "cancelled" : "expired") +
                                  ": this card is void");
}

Result<EnrolmentOrder> EnrolmentOrders::finish(const CardId& card) {
  TRY_ASSIGN(const EnrolmentOrder order, order_of(card));
  if (order.is_made) return order;
  TRY_ASSIGN(const catalog::EnrolmentCard begun, catalog_.enrolment_card(card));
  if (begun.is_relayed || begun.pseudonyms.empty()) {
    return fail(Code::kInvalidArgument, "this card is finished by its own ceremony");
  }
  parts_.enrolment.take_up(
      {order.person_id, order.name, card, begun.pseudonyms, false, order.again});
  if (order.again) {
    TRY(parts_.cards.finish_reissue(order.person_id, card));
  } else {
    TRY(parts_.enrolment.finish(order.person_id, card));
  }
  return catalog_.enrolment(order.order);
}

}  // namespace warifu::custody
