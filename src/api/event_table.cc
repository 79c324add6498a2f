// Differences of two maps.
#include "api/event_table.h"

namespace warifu::api {

std::string EventTable::take(Rows rows) {
  std::string set, gone;
  for (const auto& [key, row] : rows) {
    const auto before = rows_.find(key);
    if (before != rows_.end() && before->second == row) continue;
    set += (set.empty() ? "" : ",") + row;
  }
  for (const auto& [key, row] : rows_) {
    if (rows.contains(key)) continue;
    gone += (gone.empty() ? "" : ",") + boost::json::serialize(boost::json::value(key));
  }
  rows_ = std::move(rows);
  if (set.empty() && gone.empty()) return "";
  return R"({"set":[)" + set + R"(],"gone":[)" + gone + "]}";
}

std::string EventTable::whole() const {
  std::string set;
  for (const auto& [key, row] : rows_) set += (set.empty() ? "" : ",") + row;
  return R"({"full":true,"set":[)" + set + "]}";
}

}  // namespace warifu::api
