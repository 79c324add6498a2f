// Names, words, and the rule of what may be shown.
#include "consent/values.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace warifu::consent {
namespace {

constexpr std::array<std::string_view, kLastPurpose> kPurposes = {"health_management", "research",
                                                                  "medicine"};

// Length of the UTF-8 sequence at the start of `text` and its code point; 0 when malformed.
std::pair<std::size_t, std::uint32_t> decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return {0, 0};
  std::uint32_t point = first & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    point = point << 6 | (byte(i) & 0x3Fu);
  }
  const std::uint32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (point < least || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return {0, 0};
  return {size, point};
}

}  // namespace

std::string_view purpose_name(Purpose purpose) {
  return kPurposes.at(static_cast<std::size_t>(purpose) - 1);
}

Result<Purpose> parse_purpose(std::string_view name) {
  for (std::size_t i = 0; i < kPurposes.size(); ++i) {
    if (kPurposes[i] == name) return static_cast<Purpose>(i + 1);
  }
  return fail(Code::kInvalidArgument, "purpose '" + std::string(name.substr(0, 40)) +
                                          "' must be health_management, research or medicine");
}

std::string_view purpose_words(Purpose purpose, Locale locale) {
  const bool english = locale == Locale::kEnglish;
  switch (purpose) {
    case Purpose::kHealthManagement: return english ? "health management" : "健康管理";
    case Purpose::kResearch: return english ? "research" : "研究";
    case Purpose::kMedicine: return english ? "medical care" : "診療";
  }
  return {};
}

bool is_showable(std::string_view text, std::size_t most) {
  if (text.empty() || text.size() > most || text.front() == ' ' || text.back() == ' ') return false;
  while (!text.empty()) {
    const auto [size, point] = decode_utf8(text);
    const bool hidden = (point >= 0x200B && point <= 0x200F) ||
                        (point >= 0x2028 && point <= 0x202E) ||
                        (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF || point == 0xAD ||
                        point == 0x061C || point == 0x180E || point == 0x3164;
    if (size == 0 || point < 0x20 || (point >= 0x7F && point < 0xA0) || hidden) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool is_plain(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
}

}  // namespace warifu::consent
