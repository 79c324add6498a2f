// Small values that grants, requests and texts share: purpose, language, what may be shown.
// No state; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace warifu::consent {

enum class Purpose : std::uint8_t { kHealthManagement = 1, kResearch = 2, kMedicine = 3 };
inline constexpr std::uint8_t kLastPurpose = 3;

// "health_management", "research", "medicine".
[[nodiscard]] std::string_view purpose_name(Purpose purpose);
// Errors: kInvalidArgument.
[[nodiscard]] Result<Purpose> parse_purpose(std::string_view name);

enum class Locale : std::uint8_t { kEnglish, kJapanese };
// "medical care", as the consent text says it.
[[nodiscard]] std::string_view purpose_words(Purpose purpose, Locale locale);

// A text of 1 to `most` bytes of UTF-8 that looks like what it is, because the person decides by
// what the screen shows: no controls, nothing invisible, nothing that turns the direction of
// writing, no space at either end.
[[nodiscard]] bool is_showable(std::string_view text, std::size_t most);
// 1 to `most` printable ASCII characters without space.
[[nodiscard]] bool is_plain(std::string_view text, std::size_t most);

}  // namespace warifu::consent
