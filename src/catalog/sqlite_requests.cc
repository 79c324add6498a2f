// What is asked of persons. A request is given when a grant that was made for it is.
#include "base/reason.h"
#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {
namespace {

// Of several grants that were made for it the one that stands, before one that was withdrawn.
constexpr std::string_view kRequestColumns =
    "SELECT r.request_id, r.object_id, r.person_id, r.decided, r.terms, r.asked_by, r.note, r.why, "
    "r.created, r.expires, r.decided_at, g.grant_id, g.state FROM request r "
    "LEFT JOIN consent_grant g ON g.grant_id = (SELECT c.grant_id FROM request_grant m JOIN "
    "consent_grant c ON c.grant_id = m.grant_id WHERE m.request_id = r.request_id "
    "ORDER BY c.state = 'withdrawn', c.created DESC, c.grant_id LIMIT 1) ";

Request read_request(Statement& row) {
  Request request;
  request.request = row.read_id<RequestId>();
  request.object = row.read_id<ObjectId>();
  request.person_id = row.read_text();
  request.decided = row.read_state<RequestState>();
  request.terms = row.read_text();
  request.asked_by = row.read_text();
  request.note = row.read_text();
  request.why = row.read_text();
  request.created = row.read_time();
  request.expires = row.read_time();
  request.decided_at = row.maybe_time();
  request.grant = row.maybe_id<GrantId>();
  if (!row.skip_null()) request.grant_state = row.read_state<GrantState>();
  return request;
}

std::unexpected<Error> not_open(const Request& request, os::UnixMs now) {
  return fail(Code::kRefused,
              "request " + request.request.text() + " is " +
                  std::string(state_name(state_at(request, now))) + ", not waiting any more",
              Reason::kRequestOver);
}

}  // namespace

Result<Request> SqliteCatalog::request_locked(const RequestId& request) {
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kRequestColumns) + "WHERE r.request_id = ?"));
  statement.id(request);
  TRY_ASSIGN(auto found, read_row_if_any<Request>(statement, read_request));
  if (!found) return fail(Code::kNotFound, "request " + request.text() + " is not known");
  return std::move(*found);
}

Result<> SqliteCatalog::add_request(const Request& request) {
  TRY(check_record(request));
  return change([&]() -> Result<> {
    TRY(check_json_locked("the terms of a request", request.terms));
    TRY(person_locked(request.person_id));
    TRY_ASSIGN(const Object object, object_locked(request.object));
    if (object.person_id != request.person_id) {
      return fail(Code::kInvalidArgument, "object " + request.object.text() +
                                              " does not belong to person '" + request.person_id +
                                              "'");
    }
    const auto known = request_locked(request.request);
    if (known) {
      return fail(Code::kAlreadyExists, "request " + request.request.text() + " is already known");
    }
    if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
    TRY_ASSIGN(Statement open,
               database_->prepare("SELECT count(*) FROM request WHERE person_id = ? AND "
                                  "decided = 'asked' AND expires > ?"));
    open.text(request.person_id).time(request.created);
    TRY(open.step());
    const std::uint64_t waiting = open.read_number();
    TRY(open.check_row());
    if (waiting >= kMaxOpenRequests) {
      return fail(Code::kBusy, "person '" + request.person_id + "' has " + std::to_string(waiting) +
                                   " requests to decide already");
    }
    TRY_ASSIGN(Statement statement,
               database_->prepare("INSERT INTO request (request_id, object_id, person_id, decided, "
                                  "terms, asked_by, note, why, created, expires) "
                                  "VALUES (?, ?, ?, 'asked', ?, ?, ?, '', ?, ?)"));
    return statement.id(request.request)
        .id(request.object)
        .text(request.person_id)
        .text(request.terms)
        .text(request.asked_by)
        .text(request.note)
        .time(request.created)
        .time(request.expires)
        .run();
  });
}

Result<Request> SqliteCatalog::request(const RequestId& request) {
  const std::lock_guard lock(mutex_);
  return request_locked(request);
}

Result<std::vector<Request>> SqliteCatalog::list_requests(const RequestFilter& filter,
                                                          const Page& page) {
  TRY(check_record(page));
  std::string sql(kRequestColumns);
  sql += "WHERE true ";
  if (filter.person_id) sql += "AND r.person_id = ? ";
  if (filter.object) sql += "AND r.object_id = ? ";
  sql += "ORDER BY r.created DESC, r.request_id LIMIT ? OFFSET ?";
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement, database_->prepare(sql));
  if (filter.person_id) statement.text(*filter.person_id);
  if (filter.object) statement.id(*filter.object);
  statement.number(page.count).number(page.skip);
  return read_rows<Request>(statement, read_request);
}

Result<> SqliteCatalog::offer_grant(const RequestId& request, const GrantId& grant,
                                    os::UnixMs now) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Request found, request_locked(request));
    if (state_at(found, now) != RequestState::kAsked) return not_open(found, now);
    TRY_ASSIGN(Statement statement,
               database_->prepare("INSERT OR IGNORE INTO request_grant (grant_id, request_id) "
                                  "VALUES (?, ?)"));
    return statement.id(grant).id(request).run();
  });
}

Result<> SqliteCatalog::decide_request(const RequestId& request, RequestState state,
                                       const std::string& why, os::UnixMs now) {
  if (state != RequestState::kRefused && state != RequestState::kCancelled) {
    return fail(Code::kInvalidArgument, "a request is refused or cancelled, nothing else");
  }
  if (why.size() > kMaxRequestNoteBytes || why.find('\0') != std::string::npos) {
    return fail(Code::kInvalidArgument, "the reason has a zero byte or more than " +
                                            std::to_string(kMaxRequestNoteBytes) + " bytes");
  }
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Request found, request_locked(request));
    if (state_at(found, now) == state) return {};
    if (state_at(found, now) != RequestState::kAsked) return not_open(found, now);
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE request SET decided = ?, why = ?, decided_at = ? "
                                  "WHERE request_id = ?"));
    return statement.text(state_name(state)).text(why).time(now).id(request).run();
  });
}

}  // namespace warifu::catalog
