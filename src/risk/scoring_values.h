// Single fields of a scoring file. Pure functions, any thread; input may be hostile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace warifu::risk {

// The fields of a line between tabs, quotes taken off, blanks at the ends too.
[[nodiscard]] std::vector<std::string> fields_of(std::string_view line);
// A finite number; nothing when it is not one.
[[nodiscard]] std::optional<double> number_of_text(std::string_view text);
// TRUE, True, 1; FALSE, False, 0 and an empty field are no. Nothing when it is neither.
[[nodiscard]] std::optional<bool> truth_of(std::string_view text);
// A position; nothing when it is none. "123.0", as spreadsheets write it, is one.
[[nodiscard]] std::optional<std::uint32_t> position_of(std::string_view text);

}  // namespace warifu::risk
