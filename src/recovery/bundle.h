// A part of a copy of the catalog, as it is shared among sites (docs/formats/catalog-copy.md).
//
//   bundle  := "WRFCATB1" catalog:16 epoch:u32 number:u32 ends:u8 made:i64 page_bytes:u32
//              total_pages:u64 count:u32 root_key:32 page{count}
//   page    := number:u64 bytes{page_bytes}
//
// An epoch begins with all pages of the catalog; later bundles hold what changed. A bundle that
// `ends` completes a state of the catalog. A bundle is guarded and cut as sharing/guarded.h says,
// one share for each holder. `root_key` is the control site's own: it opens the secrets that the
// catalog keeps sealed. Values only, any thread.
#pragma once

#include <vector>

#include "base/ids.h"
#include "os/system.h"
#include "secret/secret.h"

namespace warifu::recovery {

using CatalogId = Id16<struct CatalogTag>;
using AttemptId = Id16<struct CopyAttemptTag>;

// A bundle's place among all of a catalog.
struct CopyPlace {
  CatalogId catalog;
  std::uint32_t epoch = 0;
  std::uint32_t number = 0;
  auto operator<=>(const CopyPlace&) const = default;
};

inline constexpr std::size_t kRootKeyBytes = 32;
inline constexpr std::size_t kBundlePages = 128;
inline constexpr std::size_t kMaxPageBytes = 65'536;
inline constexpr std::size_t kMaxGuardedBytes = kBundlePages * (kMaxPageBytes + 8) + 4096;

struct Bundle {
  CopyPlace place;
  bool ends = false;
  os::UnixMs made;
  std::uint32_t page_bytes = 0;
  std::uint64_t total_pages = 0;  // of the catalog's file then
  secret::Buffer root_key;
  struct Page {
    std::uint64_t number = 0;
    Bytes bytes;
  };
  std::vector<Page> pages;  // at most kBundlePages
};

// Ready for sharing::cut_guarded().
[[nodiscard]] secret::Buffer guard(const Bundle& bundle, os::Random& random);
// Errors: kCorrupt when the check fails or the bundle makes no sense.
[[nodiscard]] Result<Bundle> open_guarded(ByteView guarded);

}  // namespace warifu::recovery
