// From the end to the beginning, a page at a time.
#include "api/log_search.h"

#include <algorithm>

#include "api/json.h"

namespace warifu::api {
namespace {

constexpr std::uint64_t kPage = 2'000;
constexpr std::uint64_t kMostLooked = 100'000;  // by one request
constexpr std::uint64_t kMostFound = 500;

std::string lower(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return low;
}

bool contains(std::string_view text, const std::string& part) {
  return lower(text).find(part) != std::string::npos;
}

bool is_refusal(std::string_view event) {
  return event == "refused" || event.ends_with("_refused");
}

bool event_fits(std::string_view event, std::string_view wanted) {
  if (wanted.ends_with('*')) return event.starts_with(wanted.substr(0, wanted.size() - 1));
  return wanted.empty() || event == wanted;
}

}  // namespace

Result<LogQuery> read_log_query(http::RequestContext& context) {
  LogQuery query;
  const auto text = [&](const char* name) {
    return std::string(context.request().query.find(name).value_or(""));
  };
  query.who = lower(text("who"));
  query.event = text("event");
  query.text = lower(text("text"));
  query.refused = text("refused") == "true";
  TRY_ASSIGN(const std::uint64_t since, query_number(context, "since", 0));
  TRY_ASSIGN(const std::uint64_t until, query_number(context, "until", 0));
  TRY_ASSIGN(query.before, query_number(context, "before", 0));
  TRY_ASSIGN(query.most, query_number(context, "most", query.most));
  query.since_ms = static_cast<std::int64_t>(since);
  query.until_ms = static_cast<std::int64_t>(until);
  query.most = std::clamp<std::uint64_t>(query.most, 1, kMostFound);
  return query;
}

bool fits(const audit::Record& record, const LogQuery& query) {
  if (record.erased) {
    return query.who.empty() && query.event.empty() && query.text.empty() && !query.refused &&
           query.since_ms == 0 && query.until_ms == 0;
  }
  if (record.time.value < query.since_ms) return false;
  if (query.until_ms != 0 && record.time.value > query.until_ms) return false;
  if (query.refused && !is_refusal(record.event)) return false;
  if (!event_fits(record.event, query.event)) return false;
  bool who = query.who.empty(), text = query.text.empty();
  for (const auto& [name, value] : record.fields) {
    if (name.find("operator") != std::string::npos || name == "proposed_by") {
      who = who || contains(value, query.who);
    }
    text = text || contains(value, query.text);
  }
  return who && (text || contains(record.event, query.text));
}

Result<LogFound> search_log(audit::Log& log, const LogQuery& query) {
  LogFound found;
  std::uint64_t end = log.head().sequence + 1;  // records below it are still to be looked at
  if (query.before != 0) end = std::min(end, query.before);
  for (std::uint64_t looked = 0; end > 1 && looked < kMostLooked; looked += kPage) {
    const std::uint64_t from = end > kPage ? end - kPage : 1;
    TRY_ASSIGN(const auto records, log.read(from, end - from));
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
      end = record->sequence;
      if (!fits(*record, query)) continue;
      found.records.push_back(*record);
      if (found.records.size() < query.most) continue;
      found.next = end > 1 ? end : 0;
      return found;
    }
    end = from;
  }
  found.next = end > 1 ? end : 0;
  return found;
}

}  // namespace warifu::api
