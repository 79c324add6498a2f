// One field at a time.
#include "risk/scoring_values.h"

#include <charconv>
#include <cmath>

namespace warifu::risk {
namespace {

std::string plain(std::string_view field) {
  constexpr std::string_view kBlank = " \r\t";
  const std::size_t begin = field.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  field = field.substr(begin, field.find_last_not_of(kBlank) - begin + 1);
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string(field);
  std::string text;
  for (std::size_t at = 1; at + 1 < field.size(); ++at) {
    text += field[at];
    if (field[at] == '"' && field[at + 1] == '"' && at + 2 < field.size()) ++at;
  }
  return text;
}

}  // namespace

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    const std::size_t tab = line.find('\t');
    fields.push_back(plain(line.substr(0, tab)));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

std::optional<double> number_of_text(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<bool> truth_of(std::string_view text) {
  if (text.empty() || text == "FALSE" || text == "False" || text == "false" || text == "0") {
    return false;
  }
  if (text == "TRUE" || text == "True" || text == "true" || text == "1") return true;
  return std::nullopt;
}

std::optional<std::uint32_t> position_of(std::string_view text) {
  if (text.ends_with(".0")) text.remove_suffix(2);
  std::uint32_t value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || end != text.data() + text.size() || value == 0 || value >= (1U << 31)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace warifu::risk
