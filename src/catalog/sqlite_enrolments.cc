// Enrolment orders and the cards that were begun for them. An order is done when one of these is
// the person's card, or was it and is revoked since.
#include "base/reason.h"
#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {
namespace {

// Whether an enrolment_card of an order has become the person's card. A card that was on the hot
// list before it was begun here is the lost one, and not what was made.
std::string is_made(const std::string& order, const std::string& card) {
  return "(EXISTS (SELECT 1 FROM person p WHERE p.person_id = " + order +
         ".person_id AND p.card = " + card +
         ".card) AND NOT EXISTS (SELECT 1 FROM revoked_card r WHERE r.card = " + card +
         ".card) OR EXISTS (SELECT 1 FROM revoked_card r WHERE r.card = " + card +
         ".card AND r.person_id = " + order + ".person_id AND r.revoked >= " + card + ".begun))";
}

// Of the cards that were begun for an order the one that was made, before the last one.
std::string select_orders(std::string_view rest) {
  return "SELECT o.order_id, o.person_id, o.name, o.again, o.card_type, o.keys_per_site, o.code, "
         "o.ordered_by, o.trouble, o.created, o.expires, o.cancelled_at, c.card, c.terminal, "
         "c.begun, coalesce(" +
         is_made("o", "c") +
         ", 0) FROM enrolment_order o LEFT JOIN enrolment_card c ON c.number = (SELECT d.number "
         "FROM enrolment_card d JOIN enrolment_order q ON q.order_id = d.order_id "
         "WHERE d.order_id = o.order_id ORDER BY " +
         is_made("q", "d") + " DESC, d.number DESC LIMIT 1) " + std::string(rest);
}

EnrolmentOrder read_order(Statement& row) {
  EnrolmentOrder order;
  order.order = row.read_id<EnrolmentId>();
  order.person_id = row.read_text();
  order.name = row.read_text();
  order.again = row.read_number(1) == 1;
  order.card_type = row.read_text();
  order.keys_per_site = static_cast<std::uint32_t>(row.read_number(UINT16_MAX));
  order.code = row.read_text();
  order.ordered_by = row.read_text();
  order.trouble = row.read_text();
  order.created = row.read_time();
  order.expires = row.read_time();
  order.cancelled_at = row.maybe_time();
  order.card = row.maybe_id<CardId>();
  if (!row.skip_null()) order.terminal = row.read_text();
  order.begun = row.maybe_time();
  order.is_made = row.read_number(1) == 1;
  return order;
}

std::unexpected<Error> not_open(const EnrolmentOrder& order, os::UnixMs now) {
  return fail(Code::kRefused, "the enrolment of '" + order.person_id + "' is " +
                                  std::string(state_name(state_at(order, now))) +
                                  ": it cannot be begun");
}

bool is_open(const EnrolmentOrder& order, os::UnixMs now) {
  const EnrolmentState state = state_at(order, now);
  return state == EnrolmentState::kWaiting || state == EnrolmentState::kBegun;
}

}  // namespace

Result<EnrolmentOrder> SqliteCatalog::enrolment_locked(const EnrolmentId& order) {
  TRY_ASSIGN(Statement statement, database_->prepare(select_orders("WHERE o.order_id = ?")));
  statement.id(order);
  TRY_ASSIGN(auto found, read_row_if_any<EnrolmentOrder>(statement, read_order));
  if (!found) return fail(Code::kNotFound, "enrolment order " + order.text() + " is not known");
  return std::move(*found);
}

Result<> SqliteCatalog::check_enrolment_locked(const EnrolmentOrder& order) {
  const auto person = person_locked(order.person_id);
  if (!person && (order.again || person.error().code != Code::kNotFound)) {
    return std::unexpected(person.error());
  }
  if (person && !order.again) {
    return fail(Code::kAlreadyExists, "person '" + order.person_id + "' is already enrolled",
                Reason::kEnrolled);
  }
  TRY_ASSIGN(Statement statement,
             database_->prepare(select_orders("WHERE o.cancelled_at IS NULL AND o.expires > ?")));
  statement.time(order.created);
  TRY_ASSIGN(const auto orders, read_rows<EnrolmentOrder>(statement, read_order));
  std::size_t open = 0;
  for (const EnrolmentOrder& one : orders) {
    if (!is_open(one, order.created)) continue;
    ++open;
    if (one.person_id == order.person_id) {
      return fail(Code::kAlreadyExists, "an enrolment of '" + order.person_id + "' waits already");
    }
    if (one.code == order.code) {
      return fail(Code::kAlreadyExists, "another enrolment that waits has this code");
    }
  }
  if (open < kMaxOpenEnrolments) return {};
  return fail(Code::kBusy, std::to_string(open) + " enrolments wait already");
}

Result<> SqliteCatalog::add_enrolment(const EnrolmentOrder& order) {
  TRY(check_record(order));
  return change([&]() -> Result<> {
    const auto known = enrolment_locked(order.order);
    if (known) return fail(Code::kAlreadyExists, "this enrolment order is already known");
    if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
    TRY(check_enrolment_locked(order));
    TRY_ASSIGN(Statement statement,
               database_->prepare("INSERT INTO enrolment_order (order_id, person_id, name, again, "
                                  "card_type, keys_per_site, code, ordered_by, trouble, created, "
                                  "expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    return statement.id(order.order)
        .text(order.person_id)
        .text(order.name)
        .number(order.again ? 1 : 0)
        .text(order.card_type)
        .number(order.keys_per_site)
        .text(order.code)
        .text(order.ordered_by)
        .text(order.trouble)
        .time(order.created)
        .time(order.expires)
        .run();
  });
}

Result<EnrolmentOrder> SqliteCatalog::enrolment(const EnrolmentId& order) {
  const std::lock_guard lock(mutex_);
  return enrolment_locked(order);
}

Result<EnrolmentOrder> SqliteCatalog::enrolment_by_code(const std::string& code, os::UnixMs now) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare(select_orders("WHERE o.code = ? AND o.cancelled_at IS NULL AND "
                                              "o.expires > ?")));
  statement.text(code).time(now);
  TRY_ASSIGN(const auto orders, read_rows<EnrolmentOrder>(statement, read_order));
  for (const EnrolmentOrder& one : orders) {
    if (is_open(one, now)) return one;
  }
  return fail(Code::kNotFound, "no enrolment with this code waits");
}

Result<std::vector<EnrolmentOrder>> SqliteCatalog::list_enrolments(const Page& page) {
  TRY(check_record(page));
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(
      Statement statement,
      database_->prepare(select_orders("ORDER BY o.created DESC, o.order_id LIMIT ? OFFSET ?")));
  statement.number(page.count).number(page.skip);
  return read_rows<EnrolmentOrder>(statement, read_order);
}

Result<> SqliteCatalog::begin_enrolment(const EnrolmentCard& card) {
  if (card.card.is_zero()) return fail(Code::kInvalidArgument, "the card's identifier is zero");
  return change([&]() -> Result<> {
    TRY_ASSIGN(const EnrolmentOrder order, enrolment_locked(card.order));
    if (!is_open(order, card.begun)) return not_open(order, card.begun);
    TRY_ASSIGN(Statement statement,
               database_->prepare("INSERT INTO enrolment_card (order_id, card, terminal, begun, "
                                  "relayed) VALUES (?, ?, ?, ?, ?)"));
    TRY(statement.id(card.order)
            .id(card.card)
            .text(card.terminal)
            .time(card.begun)
            .number(card.is_relayed ? 1 : 0)
            .run());
    TRY_ASSIGN(const std::uint64_t number,
               database_->query_number("SELECT max(number) FROM enrolment_card"));
    for (const SitePseudonym& one : card.pseudonyms) {
      TRY_ASSIGN(Statement insert,
                 database_->prepare("INSERT INTO enrolment_pseudonym (number, site, pseudonym) "
                                    "VALUES (?, ?, ?)"));
      TRY(insert.number(number).site(one.site).id(one.pseudonym).run());
    }
    return {};
  });
}

Result<EnrolmentCard> SqliteCatalog::enrolment_card(const CardId& card) {
  struct Row {
    std::uint64_t number = 0;
    EnrolmentCard card;
  };
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT number, order_id, card, terminal, begun, relayed FROM "
                                "enrolment_card WHERE card = ? ORDER BY number DESC LIMIT 1"));
  statement.id(card);
  TRY_ASSIGN(auto found, read_row_if_any<Row>(statement, [](Statement& row) {
               Row one;
               one.number = row.read_number();
               one.card.order = row.read_id<EnrolmentId>();
               one.card.card = row.read_id<CardId>();
               one.card.terminal = row.read_text();
               one.card.begun = row.read_time();
               one.card.is_relayed = row.read_number(1) == 1;
               return one;
             }));
  if (!found) return fail(Code::kNotFound, "card " + card.text() + " was not begun here");
  TRY_ASSIGN(Statement pseudonyms,
             database_->prepare("SELECT site, pseudonym FROM enrolment_pseudonym "
                                "WHERE number = ? ORDER BY site"));
  pseudonyms.number(found->number);
  TRY_ASSIGN(found->card.pseudonyms, read_rows<SitePseudonym>(pseudonyms, [](Statement& row) {
               SitePseudonym one;
               one.site = row.read_site();
               one.pseudonym = row.read_id<Pseudonym>();
               return one;
             }));
  return std::move(found->card);
}

Result<> SqliteCatalog::cancel_enrolment(const EnrolmentId& id, os::UnixMs now) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const EnrolmentOrder order, enrolment_locked(id));
    if (state_at(order, now) == EnrolmentState::kCancelled) return {};
    if (!is_open(order, now)) return not_open(order, now);
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE enrolment_order SET cancelled_at = ? "
                                  "WHERE order_id = ?"));
    return statement.time(now).id(id).run();
  });
}

Result<> SqliteCatalog::set_enrolment_trouble(const EnrolmentId& id, const std::string& trouble) {
  if (trouble.size() > kMaxRequestNoteBytes || trouble.find('\0') != std::string::npos) {
    return fail(Code::kInvalidArgument, "what went wrong has a zero byte or more than " +
                                            std::to_string(kMaxRequestNoteBytes) + " bytes");
  }
  return change([&]() -> Result<> {
    TRY(enrolment_locked(id));
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE enrolment_order SET trouble = ? WHERE order_id = ?"));
    return statement.text(trouble).id(id).run();
  });
}

}  // namespace warifu::catalog
