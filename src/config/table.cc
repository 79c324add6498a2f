// Reading single settings, with errors that name their place.
#include "config/table.h"

#include "base/units.h"

namespace warifu::config {

std::unexpected<Error> bad_config(const std::string& file, const toml::node* node,
                                  std::string_view what) {
  const auto line = node == nullptr ? 0 : node->source().begin.line;
  return fail(Code::kInvalidArgument, line == 0 ? fmt::format("{}: {}", file, what)
                                                : fmt::format("{}:{}: {}", file, line, what));
}

Result<std::string> ConfigTable::text(const char* key) {
  seen_.insert(key);
  const toml::node* node = table_.get(key);
  if (node == nullptr)
    return bad_config(file_, &table_, fmt::format("'{}.{}' is missing", name_, key));
  const auto value = node->value<std::string>();
  if (!node->is_string() || !value || value->empty()) {
    return bad_config(file_, node, fmt::format("'{}.{}' must be a text in quotes", name_, key));
  }
  return *value;
}

Result<std::string> ConfigTable::text_or(const char* key, std::string otherwise) {
  seen_.insert(key);
  if (table_.get(key) == nullptr) return otherwise;
  return text(key);
}

Result<std::int64_t> ConfigTable::number(const char* key, std::int64_t least, std::int64_t most) {
  seen_.insert(key);
  const toml::node* node = table_.get(key);
  const auto value = node == nullptr ? std::nullopt : node->value_exact<std::int64_t>();
  if (!value || *value < least || *value > most) {
    return bad_config(
        file_, node == nullptr ? &table_ : node,
        fmt::format("'{}.{}' must be a number from {} to {}", name_, key, least, most));
  }
  return *value;
}

Result<double> ConfigTable::real(const char* key, double least, double most) {
  seen_.insert(key);
  const toml::node* node = table_.get(key);
  const auto value = node == nullptr || !node->is_number() ? std::nullopt : node->value<double>();
  if (!value || !(*value >= least && *value <= most)) {
    return bad_config(
        file_, node == nullptr ? &table_ : node,
        fmt::format("'{}.{}' must be a number from {} to {}", name_, key, least, most));
  }
  return *value;
}

Result<> ConfigTable::number_or(const char* key, std::int64_t least, std::int64_t most,
                                std::int64_t& value) {
  seen_.insert(key);
  if (table_.get(key) == nullptr) return {};
  TRY_ASSIGN(value, number(key, least, most));
  return {};
}

Result<bool> ConfigTable::flag(const char* key, bool otherwise) {
  seen_.insert(key);
  const toml::node* node = table_.get(key);
  if (node == nullptr) return otherwise;
  const auto value = node->value_exact<bool>();
  if (!value)
    return bad_config(file_, node, fmt::format("'{}.{}' must be true or false", name_, key));
  return *value;
}

Result<std::vector<std::string>> ConfigTable::texts(const char* key) {
  seen_.insert(key);
  std::vector<std::string> values;
  const toml::array* array = table_[key].as_array();
  if (array == nullptr && table_.get(key) != nullptr) {
    return bad_config(file_, table_.get(key), fmt::format("'{}.{}' must be a list", name_, key));
  }
  if (array == nullptr) return values;
  for (const toml::node& node : *array) {
    const auto value = node.value_exact<std::string>();
    if (!value) return bad_config(file_, &node, fmt::format("'{}.{}' must hold texts", name_, key));
    values.push_back(*value);
  }
  return values;
}

Result<std::vector<std::uint32_t>> ConfigTable::users(const char* key) {
  seen_.insert(key);
  std::vector<std::uint32_t> users;
  const toml::node* node = table_.get(key);
  if (node == nullptr) return users;
  const auto bad = [&] {
    return bad_config(file_, node,
                      fmt::format("'{}.{}' must be a list of user numbers (uids)", name_, key));
  };
  if (!node->is_array() || node->as_array()->empty()) return bad();
  for (const toml::node& element : *node->as_array()) {
    const auto number = element.value_exact<std::int64_t>();
    if (!number || *number < 0 || *number >= 0xFFFFFFFF) return bad();
    users.push_back(static_cast<std::uint32_t>(*number));
  }
  return users;
}

const toml::table* ConfigTable::inner(const char* key) {
  seen_.insert(key);
  return table_[key].as_table();
}

Result<> ConfigTable::finish() {
  for (const auto& [key, node] : table_) {
    if (!seen_.contains(std::string(key.str()))) {
      return bad_config(file_, &node,
                        fmt::format("'{}.{}' is not a known setting", name_, key.str()));
    }
  }
  return {};
}

Result<std::optional<double>> ConfigTable::fraction(const char* key) {
  if (!has(key)) return std::nullopt;
  return real(key, 0, 1);
}

Result<> ConfigTable::size_if_set(const char* key, std::uint64_t& bytes) {
  if (!has(key)) return {};
  TRY_ASSIGN(bytes, parsed(key, parse_size));
  return {};
}

}  // namespace warifu::config
