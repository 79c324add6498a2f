// Getting a copy of the catalog back from the sites that hold shares of it.
#pragma once

#include "control/share_service.h"
#include "recovery/messages.h"

namespace warifu::recovery {

struct TakenCopy {
  CopyPlace last;  // the bundle that ends the state
  os::UnixMs made;
  secret::Buffer root_key;      // of the control site that made it
  std::vector<SiteName> wrong;  // holders whose share does not fit; left out
};

// Writes the newest state of which enough holders have all bundles to a new file at `path`.
// Each holder's operator must have given leave. Errors: kNotFound (nobody holds a whole state),
// kRefused (no leave), kUnavailable naming the sites that do not answer, kCorrupt when no choice of
// shares passes the check, kNoSpace, kIo; no file is left then.
[[nodiscard]] Result<TakenCopy> take_copy(control::SiteContext& site, const std::string& path);

}  // namespace warifu::recovery
