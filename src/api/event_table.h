// A table that many clients have a copy of: rows of JSON under keys, and what changed.
//
// Values; not thread-safe.
#pragma once

#include <map>
#include <string>

#include <boost/json.hpp>

namespace warifu::api {

class EventTable {
 public:
  using Rows = std::map<std::string, std::string>;  // key -> a JSON object

  // Takes the rows as they are now. What is different, {"set":[...],"gone":[keys]}, ready to be
  // sent; empty when nothing is.
  [[nodiscard]] std::string take(Rows rows);
  // Everything, {"full":true,"set":[...]}.
  [[nodiscard]] std::string whole() const;
  [[nodiscard]] const Rows& rows() const { return rows_; }

 private:
  Rows rows_;
};

}  // namespace warifu::api
