// What persons have allowed.
#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {
namespace {

constexpr std::string_view kGrantColumns =
    "SELECT grant_id, object_id, person_id, grant_bytes, evidence, state, created, expiry, "
    "sealed_secret, opening FROM consent_grant ";

Grant read_grant(Statement& row) {
  Grant grant;
  grant.grant = row.read_id<GrantId>();
  grant.object = row.read_id<ObjectId>();
  grant.person_id = row.read_text();
  grant.grant_bytes = row.read_blob();
  grant.evidence = row.read_blob();
  grant.state = row.read_state<GrantState>();
  grant.created = row.read_time();
  grant.expiry = row.read_time();
  grant.sealed_secret = row.read_blob();
  grant.opening = row.read_blob();
  return grant;
}

}  // namespace

Result<Grant> SqliteCatalog::grant_locked(const GrantId& grant) {
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kGrantColumns) + "WHERE grant_id = ?"));
  statement.id(grant);
  TRY_ASSIGN(auto found, read_row_if_any<Grant>(statement, read_grant));
  if (!found) return fail(Code::kNotFound, "grant " + grant.text() + " is not known");
  return std::move(*found);
}

Result<> SqliteCatalog::add_grant(const Grant& grant) {
  TRY(check_record(grant));
  return change([&]() -> Result<> {
    TRY(person_locked(grant.person_id));
    TRY_ASSIGN(const Object object, object_locked(grant.object));
    if (object.person_id != grant.person_id) {
      return fail(
          Code::kInvalidArgument,
          "object " + grant.object.text() + " does not belong to person '" + grant.person_id + "'");
    }
    const auto known = grant_locked(grant.grant);
    if (known) {
      return fail(Code::kAlreadyExists, "grant " + grant.grant.text() + " is already known");
    }
    if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
    TRY_ASSIGN(
        Statement statement,
        database_->prepare("INSERT INTO consent_grant (grant_id, object_id, person_id, "
                           "grant_bytes, evidence, state, created, expiry, sealed_secret, opening) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    return statement.id(grant.grant)
        .id(grant.object)
        .text(grant.person_id)
        .blob(grant.grant_bytes)
        .blob(grant.evidence)
        .text(state_name(grant.state))
        .time(grant.created)
        .time(grant.expiry)
        .blob(grant.sealed_secret)
        .blob(grant.opening)
        .run();
  });
}

Result<Grant> SqliteCatalog::grant(const GrantId& grant) {
  const std::lock_guard lock(mutex_);
  return grant_locked(grant);
}

Result<std::vector<Grant>> SqliteCatalog::list_grants(const GrantFilter& filter, const Page& page) {
  TRY(check_record(page));
  std::string sql(kGrantColumns);
  sql += "WHERE true ";
  if (filter.person_id) sql += "AND person_id = ? ";
  if (filter.object) sql += "AND object_id = ? ";
  if (filter.state) sql += "AND state = ? ";
  sql += "ORDER BY created DESC, grant_id LIMIT ? OFFSET ?";
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement, database_->prepare(sql));
  if (filter.person_id) statement.text(*filter.person_id);
  if (filter.object) statement.id(*filter.object);
  if (filter.state) statement.text(state_name(*filter.state));
  statement.number(page.count).number(page.skip);
  return read_rows<Grant>(statement, read_grant);
}

Result<> SqliteCatalog::set_grant_state(const GrantId& grant, GrantState state) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Grant found, grant_locked(grant));
    if (found.state == state) return {};
    if (found.state != GrantState::kGiven) {
      return fail(Code::kInvalidArgument, "grant " + grant.text() + " is " +
                                              std::string(state_name(found.state)) +
                                              " and stays so");
    }
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE consent_grant SET state = ?, sealed_secret = x'' "
                                  "WHERE grant_id = ?"));
    return statement.text(state_name(state)).id(grant).run();
  });
}

}  // namespace warifu::catalog
