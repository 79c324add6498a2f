// Beginning a link at one end: new pools, filled with a preshared file that was made for a new link
// (docs/keys.md). For a link that was not there before, or whose other end was lost with its key.
//
// The old pools go first, their identities before all else: without them no byte of the old key can
// be read. What a crash leaves is no link, and calling again goes on. The site must not run.
// Taking the same file again after the link was used changes nothing: pools know what they hold.
#pragma once

#include "kme/preshare.h"

namespace warifu::kme {

struct BeginOrder {
  std::string data_dir;  // of the site
  SiteName self, peer;
  std::string file;      // a set for both ends with a new link id, its streams from 0 on
  bool replace = false;  // give up a link that is there, with all of its key
};

struct BegunLink {
  LinkId link;
  std::uint64_t send_bytes = 0, receive_bytes = 0;  // usable now
  std::uint64_t dropped_bytes = 0;                  // unused key of the old link
};

// Errors: kInvalidArgument (the file is for other sites, or continues a link), kCorrupt, kRefused
// (a link is there and `replace` is not set; nothing is changed), kBusy (the site runs), kNoSpace.
[[nodiscard]] Result<BegunLink> begin_link(os::System system, const BeginOrder& order,
                                           const FileProgress& progress);

}  // namespace warifu::kme
