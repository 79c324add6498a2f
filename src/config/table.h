// One table of a TOML file, read key by key; what was not read by then is unknown to finish().
//
// Errors of every function: kInvalidArgument naming file, line and key. The table and the name of
// the file must outlive it. One thread.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <set>
#include <vector>

#include <toml++/toml.h>

#include "base/result.h"

namespace warifu::config {

// "file:line: what"; without a node, "file: what".
[[nodiscard]] std::unexpected<Error> bad_config(const std::string& file, const toml::node* node,
                                                std::string_view what);

class ConfigTable {
 public:
  ConfigTable(const toml::table& table, std::string name, const std::string& file)
      : table_(table), name_(std::move(name)), file_(file) {}

  [[nodiscard]] bool has(const char* key) const { return table_.contains(key); }
  Result<std::string> text(const char* key);
  Result<std::string> text_or(const char* key, std::string otherwise);
  Result<std::int64_t> number(const char* key, std::int64_t least, std::int64_t most);
  // For a setting that may be left out; `value` is then the default.
  Result<> number_or(const char* key, std::int64_t least, std::int64_t most, std::int64_t& value);
  // A number, with or without a fraction.
  Result<double> real(const char* key, double least, double most);
  // From 0 to 1; empty when it is left out.
  Result<std::optional<double>> fraction(const char* key);
  Result<> size_if_set(const char* key, std::uint64_t& bytes);
  Result<bool> flag(const char* key, bool otherwise);
  Result<std::vector<std::string>> texts(const char* key);
  // User numbers (uids), as [1000, 1001]; empty when it is left out.
  Result<std::vector<std::uint32_t>> users(const char* key);
  // nullptr: there is none, or it is no table.
  const toml::table* inner(const char* key);
  // The text of `key` through `parse`, its error placed at the line.
  template <typename Parse>
  auto parsed(const char* key, Parse parse) -> decltype(parse(std::string())) {
    TRY_ASSIGN(const std::string value, text(key));
    auto result = parse(value);
    if (!result) {
      return bad_config(file_, table_.get(key),
                        fmt::format("'{}.{}': {}", name_, key, result.error().message));
    }
    return result;
  }
  // The caller reads this key by itself.
  void note(const char* key) { seen_.insert(key); }
  Result<> finish();

 private:
  const toml::table& table_;
  std::string name_;
  const std::string& file_;
  std::set<std::string> seen_;
};

// Every table of the array `key`, through `read(ConfigTable&, const toml::table&)`.
template <typename Read>
Result<> for_each(const toml::table& root, const char* key, const std::string& file, Read read) {
  const toml::node* node = root.get(key);
  if (node == nullptr) return {};
  const toml::array* array = node->as_array();
  if (array == nullptr) return bad_config(file, node, fmt::format("write [[{}]]", key));
  for (const toml::node& element : *array) {
    const toml::table* table = element.as_table();
    if (table == nullptr) return bad_config(file, &element, fmt::format("write [[{}]]", key));
    ConfigTable reader(*table, key, file);
    TRY(read(reader, *table));
    TRY(reader.finish());
  }
  return {};
}

}  // namespace warifu::config
