// Re-sharing: the holder of a share cuts it again for other sites.
//
// The holder reads its share record by record, splits each with fresh randomness, and sends the
// parts; it goes on only when all sites have acknowledged. An interrupted re-share is repeated from
// the last chunk that all hold durably: the parts of one chunk always come from
// one cut. Nothing is reconstructed; the holder learns nothing it did not hold.
#pragma once

#include "control/cutting.h"

namespace warifu::control {

// The rule that a share site checks for itself before it cuts: with the parts on their way from
// here, and all other shares of the object on theirs, no site sees more than the schemes allow
// (exposure.h). What it knows of those others: the siblings in the header; the rest is share
// control's word. Errors: kRefused, kInvalidArgument when the specs are not of `header` or its
// policy.
[[nodiscard]] Result<> check_targets(const config::SiteConfig& config,
                                     const store::ShareHeader& header,
                                     const ReshareRequest& request);

// Cuts `request.share` for its targets. Errors: kBusy while it is being cut already; Cutting's.
[[nodiscard]] Result<CutReport> reshare(SiteContext& site, Uploads& uploads,
                                        const ReshareRequest& request, const JobId& job,
                                        const CutWatch& watch);

}  // namespace warifu::control
