// Grouping of refusals by their reason.
#include "control/fault_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace warifu::control {
namespace {

constexpr std::string_view kRefuses = "refuses: ";

// Why a site refuses; empty when it said something else.
std::string_view reason_of(std::string_view why) {
  const std::size_t at = why.find(kRefuses);
  return at == std::string_view::npos ? std::string_view() : why.substr(at + kRefuses.size());
}

}  // namespace

std::string fault_words(const std::vector<SiteWord>& words) {
  std::vector<std::string> parts;
  for (auto word = words.begin(); word != words.end(); ++word) {
    const std::string_view reason = reason_of(word->why);
    if (reason.empty()) {
      parts.push_back(fmt::format("{} ({})", word->why, word->share));
      continue;
    }
    const auto is_same = [&](const SiteWord& other) { return reason_of(other.why) == reason; };
    if (std::any_of(words.begin(), word, is_same)) continue;
    std::vector<std::string> others;
    for (auto other = word + 1; other != words.end(); ++other) {
      const bool is_named =
          other->site == word->site || std::ranges::find(others, other->site) != others.end();
      if (is_same(*other) && !is_named) others.push_back(other->site);
    }
    parts.push_back(fmt::format("site {} refuses: {}", word->site, reason));
    if (!others.empty()) {
      parts.push_back(
          fmt::format("so {} {}", others.size() == 1 ? "does" : "do", fmt::join(others, ", ")));
    }
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace warifu::control
