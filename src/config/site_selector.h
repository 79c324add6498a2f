// Selectors: which sites a leaf of a policy, or the "via" of a nested cut, can mean.
//
//   origin         the site with share control
//   a site's name  that site
//   a label        every site that carries it
//   region:NAME    every site of that region
//   region:same    every site of the origin's region; the origin itself is not meant
//   region:other   every site of another region than the origin's
//
// A site that names no region is in none: neither the same nor another. Sites that accept no shares
// are meant by their names alone. Pure functions, any thread.
#pragma once

#include "config/site_config.h"

namespace warifu::config {

inline constexpr std::string_view kRegionPrefix = "region:";

// Whether the selector can mean the site, whether or not it accepts shares; `origin` as it is
// configured, nullptr when it is not known.
[[nodiscard]] bool selects(const std::string& selector, const SiteEntry& site,
                           const SiteEntry* origin);
// The same, and it takes new shares there.
[[nodiscard]] bool may_place(const std::string& selector, const SiteEntry& site,
                             const SiteEntry* origin);

}  // namespace warifu::config
