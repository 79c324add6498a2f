// Revoked cards and withdrawn consents, what sites have still to be told of them, and which card
// records are in safekeeping.
#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {
namespace {

RevokedCard read_revoked(Statement& row) {
  RevokedCard revoked;
  revoked.card = row.read_id<CardId>();
  revoked.person_id = row.read_text();
  revoked.revoked = row.read_time();
  revoked.why = row.read_text();
  return revoked;
}

CardOrder read_order(Statement& row) {
  CardOrder order;
  order.number = row.read_number();
  order.kind = row.read_state<CardOrderKind>();
  order.card = row.read_id<CardId>();
  order.grant = row.read_id<GrantId>();
  order.expiry = row.read_time();
  order.site = row.read_site();
  order.created = row.read_time();
  return order;
}

PersonOrder read_person_order(Statement& row) {
  PersonOrder order;
  order.number = row.read_number();
  order.person_id = row.read_text();
  order.method = static_cast<std::uint16_t>(row.read_number());
  order.body = row.read_blob();
  order.site = row.read_site();
  order.created = row.read_time();
  return order;
}

UnkeptRecord read_unkept(Statement& row) {
  UnkeptRecord record;
  record.object = row.read_id<ObjectId>();
  record.sealed_secret = row.read_blob();
  return record;
}

}  // namespace

Result<> SqliteCatalog::order_locked(const CardOrder& order, std::span<const SiteName> sites) {
  if (sites.empty()) return fail(Code::kInvalidArgument, "an order needs a site to be told");
  for (const SiteName& site : sites) {
    TRY_ASSIGN(Statement statement,
               database_->prepare("INSERT INTO card_order (kind, card, grant_id, expiry, site, "
                                  "created) VALUES (?, ?, ?, ?, ?, ?)"));
    TRY(statement.text(state_name(order.kind))
            .id(order.card)
            .id(order.grant)
            .time(order.expiry)
            .site(site)
            .time(order.created)
            .run());
  }
  return {};
}

Result<> SqliteCatalog::withdraw_grant(const GrantId& grant, const CardId& card,
                                       std::span<const SiteName> sites, os::UnixMs now) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Grant found, grant_locked(grant));
    if (found.state == GrantState::kWithdrawn) return {};
    if (found.state != GrantState::kGiven) {
      return fail(Code::kInvalidArgument, "grant " + grant.text() + " is " +
                                              std::string(state_name(found.state)) +
                                              ": there is nothing to withdraw");
    }
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE consent_grant SET state = 'withdrawn', sealed_secret = "
                                  "x'' WHERE grant_id = ?"));
    TRY(statement.id(grant).run());
    return order_locked({.kind = CardOrderKind::kWithdraw,
                         .card = card,
                         .grant = grant,
                         .expiry = found.expiry,
                         .created = now},
                        sites);
  });
}

Result<> SqliteCatalog::revoke_card(const RevokedCard& card, std::span<const SiteName> sites) {
  if (card.card.is_zero()) return fail(Code::kInvalidArgument, "the card's identifier is zero");
  return change([&]() -> Result<> {
    TRY(person_locked(card.person_id));
    TRY_ASSIGN(Statement known,
               database_->prepare("SELECT count(*) FROM revoked_card WHERE card = ?"));
    known.id(card.card);
    TRY(known.step());
    if (known.read_number() > 0) return {};
    TRY_ASSIGN(Statement insert,
               database_->prepare("INSERT INTO revoked_card (card, person_id, revoked, why) "
                                  "VALUES (?, ?, ?, ?)"));
    TRY(insert.id(card.card).text(card.person_id).time(card.revoked).text(card.why).run());
    TRY_ASSIGN(Statement grants,
               database_->prepare("UPDATE consent_grant SET state = 'withdrawn', sealed_secret = "
                                  "x'' WHERE person_id = ? AND state = 'given'"));
    TRY(grants.text(card.person_id).run());
    return order_locked(
        {.kind = CardOrderKind::kRevoke, .card = card.card, .created = card.revoked}, sites);
  });
}

Result<std::vector<RevokedCard>> SqliteCatalog::revoked_cards(const std::string& person_id) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT card, person_id, revoked, why FROM revoked_card "
                                "WHERE person_id = ? ORDER BY revoked DESC, card"));
  statement.text(person_id);
  return read_rows<RevokedCard>(statement, read_revoked);
}

Result<std::vector<CardOrder>> SqliteCatalog::card_orders() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT number, kind, card, grant_id, expiry, site, created "
                                "FROM card_order ORDER BY number LIMIT 1000"));
  return read_rows<CardOrder>(statement, read_order);
}

Result<> SqliteCatalog::add_person_orders(std::span<const PersonOrder> orders) {
  return change([&]() -> Result<> {
    for (const PersonOrder& order : orders) {
      TRY(person_locked(order.person_id));
      if (order.method == 0 || order.body.empty() || order.body.size() > kMaxBlobBytes) {
        return fail(Code::kInvalidArgument, "an order about a person needs a request to tell");
      }
      TRY_ASSIGN(Statement statement,
                 database_->prepare("INSERT INTO person_order (person_id, method, body, site, "
                                    "created) VALUES (?, ?, ?, ?, ?)"));
      TRY(statement.text(order.person_id)
              .number(order.method)
              .blob(order.body)
              .site(order.site)
              .time(order.created)
              .run());
    }
    return {};
  });
}

Result<std::vector<PersonOrder>> SqliteCatalog::person_orders() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT number, person_id, method, body, site, created "
                                "FROM person_order ORDER BY number LIMIT 1000"));
  return read_rows<PersonOrder>(statement, read_person_order);
}

Result<> SqliteCatalog::finish_person_order(std::uint64_t number) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Statement statement,
               database_->prepare("DELETE FROM person_order WHERE number = ?"));
    return statement.number(number).run();
  });
}

Result<> SqliteCatalog::finish_card_order(std::uint64_t number) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Statement statement, database_->prepare("DELETE FROM card_order WHERE number = ?"));
    return statement.number(number).run();
  });
}

Result<std::vector<UnkeptRecord>> SqliteCatalog::unkept_records(std::size_t most) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare(
                 "SELECT object_id, min(sealed_secret) FROM ("
                 "SELECT object_id, sealed_secret FROM job WHERE length(sealed_secret) > 0 "
                 "AND kind = 'store' "
                 "UNION ALL SELECT object_id, sealed_secret FROM consent_grant "
                 "WHERE length(sealed_secret) > 0) "
                 "WHERE object_id IN (SELECT object_id FROM object WHERE state = 'committed') "
                 "AND object_id NOT IN (SELECT object_id FROM kept_record) "
                 "GROUP BY object_id LIMIT ?"));
  statement.number(most);
  return read_rows<UnkeptRecord>(statement, read_unkept);
}

Result<> SqliteCatalog::set_record_kept(const ObjectId& object, os::UnixMs now) {
  return change([&]() -> Result<> {
    TRY(object_locked(object));
    TRY_ASSIGN(Statement statement,
               database_->prepare("INSERT OR IGNORE INTO kept_record (object_id, kept) "
                                  "VALUES (?, ?)"));
    return statement.id(object).time(now).run();
  });
}

Result<bool> SqliteCatalog::is_record_kept(const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT count(*) FROM kept_record WHERE object_id = ?"));
  statement.id(object);
  TRY(statement.step());
  const bool kept = statement.read_number() > 0;
  TRY(statement.check_row());
  return kept;
}

Result<std::uint64_t> SqliteCatalog::kept_records() {
  const std::lock_guard lock(mutex_);
  return database_->query_number("SELECT count(*) FROM kept_record");
}

Result<std::vector<ObjectId>> SqliteCatalog::kept_records_of_deleted(std::size_t most) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT object_id FROM kept_record WHERE object_id IN "
                                "(SELECT object_id FROM object WHERE state = 'deleted') LIMIT ?"));
  statement.number(most);
  return read_rows<ObjectId>(statement, [](Statement& row) { return row.read_id<ObjectId>(); });
}

Result<> SqliteCatalog::forget_kept_record(const ObjectId& object) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Statement statement,
               database_->prepare("DELETE FROM kept_record WHERE object_id = ?"));
    return statement.id(object).run();
  });
}

Result<> SqliteCatalog::forget_kept_records() {
  return change([&]() -> Result<> { return database_->execute("DELETE FROM kept_record"); });
}

}  // namespace warifu::catalog
