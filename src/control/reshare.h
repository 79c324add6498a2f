// Re-sharing: the holder of a share cuts it again for three other sites.
//
// The holder reads its share record by record, splits each with fresh randomness, and sends the
// three parts; it goes on only when all three sites have acknowledged. An interrupted re-share is
// repeated from the last chunk that all three hold durably: the parts of one chunk always come from
// one cut. Nothing is reconstructed; the holder learns nothing it did not hold.
#pragma once

#include "control/cutting.h"

namespace warifu::control {

// Cuts `request.share` for its three targets. `progress` hears chunks done and total.
[[nodiscard]] Result<> reshare(SiteContext& site, Uploads& uploads, const ReshareRequest& request,
                               const JobId& job, const CutWatch& watch);

}  // namespace warifu::control
