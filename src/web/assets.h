// The pages, built from the folder web/ and embedded in the program.
//
// Names are paths below the root of the site ("index.html", "assets/main-4f2a91c0.js"). Those under
// assets/ carry a hash of their content in their name, so a browser may keep them for ever.
// Constant; thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"

namespace warifu::web {

struct Asset {
  std::string_view name;
  std::string_view type;  // Content-Type
  std::string_view etag;  // with its quotation marks
  ByteView plain;
  ByteView gzip;    // empty: it would not be shorter
  ByteView brotli;  // the same
};

// Sorted by name; empty in a program that was built without pages (WARIFU_WEB=OFF).
[[nodiscard]] std::span<const Asset> assets();
// nullptr: there is none.
[[nodiscard]] const Asset* find_asset(std::string_view name);

}  // namespace warifu::web
