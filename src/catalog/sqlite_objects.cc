// Objects and their way from storing to committed or deleted.
#include <algorithm>
#include <set>

#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {
namespace {

constexpr std::string_view kObjectColumns =
    "SELECT object_id, person_id, label, length, chunk_count, state, policy, generation, created, "
    "committed_at, input, card_record, ifnull((SELECT lead_chunks FROM genome_object g WHERE "
    "g.object_id = object.object_id), 0) FROM object ";

Object read_object(Statement& row) {
  Object object;
  object.object = row.read_id<ObjectId>();
  object.person_id = row.read_text();
  object.label = row.read_text();
  object.length = row.read_number();
  object.chunk_count = row.read_number();
  object.state = row.read_state<ObjectState>();
  object.policy = row.read_text();
  object.generation = static_cast<std::uint32_t>(row.read_number(UINT32_MAX));
  object.created = row.read_time();
  object.committed_at = row.maybe_time();
  object.input = row.read_text();
  object.card_record = row.read_state<CardRecordState>();
  object.lead_chunks = static_cast<std::uint32_t>(row.read_number(UINT32_MAX));
  return object;
}

// Durable, or cut into shares that are, one for each index of the cut.
bool is_located(const std::vector<Share>& shares, const Share& share) {
  if (share.site) return share.state == ShareState::kDurable;
  std::set<std::uint8_t> located;
  std::size_t wanted = 1;
  for (const Share& part : shares) {
    if (part.parent != share.share) continue;
    wanted = part.cut_shares;
    if (is_located(shares, part)) located.insert(part.path.index());
  }
  return located.size() == wanted;
}

// Errors: kInvalidArgument naming the first top share that is nowhere.
Result<> check_complete(const Object& object, const std::vector<Share>& shares) {
  std::uint8_t count = 2;  // without any share: A is missing
  for (const Share& share : shares) {
    if (share.path.is_top() && share.generation == object.generation) count = share.cut_shares;
  }
  for (std::uint8_t index = 0; index < count; ++index) {
    const sharing::SharePath place = sharing::SharePath().part(index);
    std::string states;
    const bool located = std::ranges::any_of(shares, [&](const Share& share) {
      if (share.path != place || share.generation != object.generation) return false;
      states += (states.empty() ? "" : ", ") + std::string(state_name(share.state));
      return is_located(shares, share);
    });
    if (located) continue;
    return fail(Code::kInvalidArgument, "object " + object.object.text() +
                                            " cannot be committed: share " + place.text() + " is " +
                                            (states.empty() ? "not there" : states));
  }
  return {};
}

}  // namespace

Result<Object> SqliteCatalog::object_locked(const ObjectId& object) {
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kObjectColumns) + "WHERE object_id = ?"));
  statement.id(object);
  TRY_ASSIGN(auto found, read_row_if_any<Object>(statement, read_object));
  if (!found) return fail(Code::kNotFound, "object " + object.text() + " is not known");
  return std::move(*found);
}

Result<> SqliteCatalog::add_object_locked(const Object& object) {
  if (object.state != ObjectState::kStoring || object.committed_at) {
    return fail(Code::kInvalidArgument, "a new object is in state storing");
  }
  TRY(person_locked(object.person_id));
  const auto known = object_locked(object.object);
  if (known) {
    return fail(Code::kAlreadyExists, "object " + object.object.text() + " is already known");
  }
  if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
  TRY_ASSIGN(Statement statement,
             database_->prepare("INSERT INTO object (object_id, person_id, label, length, "
                                "chunk_count, state, policy, generation, created, committed_at, "
                                "input, card_record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  TRY(statement.id(object.object)
          .text(object.person_id)
          .text(object.label)
          .number(object.length)
          .number(object.chunk_count)
          .text(state_name(object.state))
          .text(object.policy)
          .number(object.generation)
          .time(object.created)
          .maybe(object.committed_at)
          .text(object.input)
          .text(state_name(object.card_record))
          .run());
  if (object.lead_chunks == 0) return {};
  TRY_ASSIGN(Statement lead,
             database_->prepare("INSERT INTO genome_object (object_id, lead_chunks) "
                                "VALUES (?, ?)"));
  return lead.id(object.object).number(object.lead_chunks).run();
}

Result<> SqliteCatalog::add_object(const Object& object) {
  TRY(check_record(object));
  return change([&] { return add_object_locked(object); });
}

Result<Object> SqliteCatalog::object(const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  return object_locked(object);
}

Result<std::vector<Object>> SqliteCatalog::list_objects(const ObjectFilter& filter,
                                                        const Page& page) {
  TRY(check_record(page));
  // What is skipped is counted in an index alone; only the rows of the page are read.
  std::string sql(kObjectColumns);
  sql += "WHERE object_id IN (SELECT object_id FROM object WHERE true ";
  if (filter.person_id) sql += "AND person_id = ? ";
  if (filter.state) sql += "AND state = ? ";
  sql += "ORDER BY created DESC, object_id LIMIT ? OFFSET ?) ORDER BY created DESC, object_id";
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement, database_->prepare(sql));
  if (filter.person_id) statement.text(*filter.person_id);
  if (filter.state) statement.text(state_name(*filter.state));
  statement.number(page.count).number(page.skip);
  return read_rows<Object>(statement, read_object);
}

namespace {
constexpr const char* kAtSite =
    "FROM share WHERE site = ? AND state = 'durable' AND object_id > ? AND "
    "(SELECT state FROM object WHERE object.object_id = share.object_id) = 'committed' ";
}  // namespace

Result<std::vector<ObjectId>> SqliteCatalog::objects_at(const SiteName& site, const ObjectId& after,
                                                        std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement, database_->prepare(std::string("SELECT DISTINCT object_id ") +
                                                     kAtSite + "ORDER BY object_id LIMIT ?"));
  statement.site(site).id(after).number(count);
  return read_rows<ObjectId>(statement, [](Statement& row) { return row.read_id<ObjectId>(); });
}

Result<std::uint64_t> SqliteCatalog::count_objects_at(const SiteName& site) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string("SELECT count(DISTINCT object_id) ") + kAtSite));
  statement.site(site).id(ObjectId{});
  TRY_ASSIGN(const bool is_there, statement.step());
  return is_there ? statement.read_number() : 0;
}

Result<std::vector<std::string>> SqliteCatalog::policies() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT DISTINCT policy FROM object WHERE state = 'committed' "
                                "ORDER BY policy"));
  return read_rows<std::string>(statement, [](Statement& row) { return row.read_text(); });
}

Result<std::vector<ObjectId>> SqliteCatalog::objects_with_share_at(
    const std::string& policy, std::span<const sharing::SharePath> places, const ObjectId& after,
    std::uint64_t count) {
  std::string marks;
  for (std::size_t i = 0; i < places.size(); ++i) marks += i == 0 ? "?" : ", ?";
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT object_id FROM object WHERE object_id > ? AND "
                                "+state = 'committed' AND policy = ? AND EXISTS (SELECT 1 FROM "
                                "share WHERE share.object_id = object.object_id AND "
                                "+share.state = 'durable' AND share.path IN (" +
                                marks + ")) ORDER BY object_id LIMIT ?"));
  statement.id(after).text(policy);
  for (const sharing::SharePath& place : places) statement.blob(place.steps());
  statement.number(count);
  return read_rows<ObjectId>(statement, [](Statement& row) { return row.read_id<ObjectId>(); });
}

Result<> SqliteCatalog::commit_object(const ObjectId& object, os::UnixMs now) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Object found, object_locked(object));
    if (found.state == ObjectState::kCommitted) return {};
    if (found.state != ObjectState::kStoring) {
      return fail(Code::kInvalidArgument, "object " + object.text() + " is " +
                                              std::string(state_name(found.state)) +
                                              "; it cannot be committed");
    }
    TRY_ASSIGN(const auto shares, shares_locked(object));
    TRY(check_complete(found, shares));
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE object SET state = 'committed', committed_at = ? "
                                  "WHERE object_id = ?"));
    return statement.time(now).id(object).run();
  });
}

Result<> SqliteCatalog::set_object_state_locked(const ObjectId& object, ObjectState state) {
  TRY_ASSIGN(Statement statement,
             database_->prepare("UPDATE object SET state = ? WHERE object_id = ?"));
  return statement.text(state_name(state)).id(object).run();
}

Result<> SqliteCatalog::fail_object(const ObjectId& object) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Object found, object_locked(object));
    if (found.state == ObjectState::kFailed) return {};
    if (found.state != ObjectState::kStoring) {
      return fail(Code::kInvalidArgument, "object " + object.text() + " is " +
                                              std::string(state_name(found.state)) +
                                              "; only storing can fail");
    }
    TRY(set_object_state_locked(object, ObjectState::kFailed));
    TRY_ASSIGN(Statement begun, database_->prepare("UPDATE share SET state = 'delete_pending' "
                                                   "WHERE object_id = ? AND state <> 'deleted'"));
    return begun.id(object).run();
  });
}

Result<> SqliteCatalog::delete_object(const ObjectId& object) {
  return change([&]() -> Result<> {
    TRY(object_locked(object));
    TRY(set_object_state_locked(object, ObjectState::kDeleted));
    TRY_ASSIGN(Statement planned, database_->prepare("UPDATE share SET state = 'deleted', "
                                                     "site = NULL WHERE object_id = ? AND "
                                                     "state = 'planned'"));
    TRY(planned.id(object).run());
    TRY_ASSIGN(Statement stored, database_->prepare("UPDATE share SET state = 'delete_pending' "
                                                    "WHERE object_id = ? AND "
                                                    "state IN ('writing', 'durable')"));
    TRY(stored.id(object).run());
    TRY_ASSIGN(Statement grants,
               database_->prepare("UPDATE consent_grant SET state = 'withdrawn', "
                                  "sealed_secret = x'' WHERE object_id = ? AND state = 'given'"));
    TRY(grants.id(object).run());
    TRY_ASSIGN(Statement jobs,
               database_->prepare("UPDATE job SET sealed_secret = x'' WHERE object_id = ?"));
    return jobs.id(object).run();
  });
}

Result<> SqliteCatalog::set_card_record(const ObjectId& object, CardRecordState state) {
  return change([&]() -> Result<> {
    TRY(object_locked(object));
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE object SET card_record = ? WHERE object_id = ?"));
    return statement.text(state_name(state)).id(object).run();
  });
}

}  // namespace warifu::catalog
