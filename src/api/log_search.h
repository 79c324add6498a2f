// Searching a site's audit log: who, when, what, on what, and only what was refused.
//
// A search goes from the newest record to the oldest and looks at a bounded number of records at a
// time; `next` says where to go on. Erased records are found by their number and by nothing else.
// Thread-safe as the log is.
#pragma once

#include "audit/log.h"
#include "http/context.h"

namespace warifu::api {

struct LogQuery {
  std::string who;            // a part of the operator's name
  std::string event;          // the whole name, or its beginning with "*" behind it
  std::string text;           // a part of any field: an object, a card, a grant, a route
  std::int64_t since_ms = 0;  // not older
  std::int64_t until_ms = 0;  // not newer; 0: no end
  bool refused = false;       // only refusals
  std::uint64_t before = 0;   // sequence: only older ones; 0: from the end
  std::uint64_t most = 100;   // records
};

struct LogFound {
  std::vector<audit::Record> records;  // the newest first
  std::uint64_t next = 0;              // `before` of what comes next; 0: everything was looked at
};

// From ?who=, event, text, since, until, refused, before, most. Errors: kInvalidArgument naming it.
[[nodiscard]] Result<LogQuery> read_log_query(http::RequestContext& context);
[[nodiscard]] bool fits(const audit::Record& record, const LogQuery& query);
// Errors: those of Log::read().
[[nodiscard]] Result<LogFound> search_log(audit::Log& log, const LogQuery& query);

}  // namespace warifu::api
