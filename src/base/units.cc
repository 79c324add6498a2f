// Texts of sizes, rates and durations, and parsing of sizes.
#include "base/units.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

namespace warifu {
namespace {
std::string scaled(double value, const char* const* units, std::size_t unit_count) {
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < unit_count) {
    value /= 1000.0;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}
}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  return scaled(static_cast<double>(bytes), kUnits.data(), kUnits.size());
}

std::string human_bit_rate(double bits_per_second) {
  static constexpr std::array kUnits = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
  return scaled(bits_per_second, kUnits.data(), kUnits.size());
}

std::string human_seconds(double seconds) {
  char text[64];
  if (seconds < 10) {
    std::snprintf(text, sizeof text, "%.1f s", seconds);
    return text;
  }
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  if (whole < 60) return number(whole) + " s";
  if (whole < 3600) return number(whole / 60) + " min " + number(whole % 60) + " s";
  if (whole < 48 * 3600) return number(whole / 3600) + " h " + number(whole % 3600 / 60) + " min";
  return number(whole / 86400) + " d " + number(whole % 86400 / 3600) + " h";
}

Result<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 14> kSuffixes = {
      {{"", 1},
       {"B", 1},
       {"K", 1ULL << 10},
       {"M", 1ULL << 20},
       {"G", 1ULL << 30},
       {"T", 1ULL << 40},
       {"KiB", 1ULL << 10},
       {"MiB", 1ULL << 20},
       {"GiB", 1ULL << 30},
       {"TiB", 1ULL << 40},
       {"kB", 1000},
       {"MB", 1000000},
       {"GB", 1000000000},
       {"TB", 1000000000000}}};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc{}) {
    for (const auto& [name, factor] : kSuffixes) {
      if (suffix != name) continue;
      if (number > UINT64_MAX / factor) break;
      return number * factor;
    }
  }
  return fail(Code::kInvalidArgument,
              "'" + std::string(text) + "' is not a size; write for example 500, 64K, 210M, 1G");
}

Result<std::uint64_t> parse_delay(std::string_view text) {
  std::uint64_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error == std::errc{} && number < 100'000'000 && end + 1 == last) {
    if (*end == 's') return number;
    if (*end == 'm') return number * 60;
    if (*end == 'h') return number * 3600;
    if (*end == 'd') return number * 86400;
  }
  return fail(Code::kInvalidArgument,
              "'" + std::string(text) + "' is not a duration; write 90s, 30m, 1h or 7d");
}

Result<std::uint64_t> parse_duration(std::string_view text) {
  TRY_ASSIGN(const std::uint64_t seconds, parse_delay(text));
  if (seconds > 0) return seconds;
  return fail(Code::kInvalidArgument, "'" + std::string(text) + "' must be longer than nothing");
}

}  // namespace warifu
