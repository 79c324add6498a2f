// Grouping of refusals by their reason.
#include "control/fault_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace warifu::control {
namespace {

// "site NAME refuses: REASON", as gates say it, behind the names of sites that passed it on.
struct Refusal {
  std::string_view site, reason;
};

// Nothing when a site said something else.
std::optional<Refusal> refusal_of(std::string_view why) {
  constexpr std::string_view kRefuses = " refuses: ", kSite = "site ";
  const std::size_t at = why.find(kRefuses);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t name = why.rfind(kSite, at);
  if (name == std::string_view::npos) return std::nullopt;
  const std::size_t begin = name + kSite.size();
  return Refusal{why.substr(begin, at - begin), why.substr(at + kRefuses.size())};
}

}  // namespace

std::string fault_words(const std::vector<SiteWord>& words) {
  std::vector<std::string> parts;
  std::vector<std::string_view> told;  // reasons
  for (const SiteWord& word : words) {
    const auto refusal = refusal_of(word.why);
    if (!refusal) {
      parts.push_back(fmt::format("{} ({})", word.why, word.share));
      continue;
    }
    if (std::ranges::find(told, refusal->reason) != told.end()) continue;
    told.push_back(refusal->reason);
    std::vector<std::string_view> sites;
    for (const SiteWord& other : words) {
      const auto same = refusal_of(other.why);
      if (!same || same->reason != refusal->reason) continue;
      if (std::ranges::find(sites, same->site) == sites.end()) sites.push_back(same->site);
    }
    std::string part = fmt::format("site {} refuses: {}", sites.front(), refusal->reason);
    sites.erase(sites.begin());
    if (!sites.empty()) {
      part += fmt::format("; so {} {}", sites.size() == 1 ? "does" : "do", fmt::join(sites, ", "));
    }
    parts.push_back(std::move(part));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace warifu::control
