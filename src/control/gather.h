// Gathering: shares of one cut meet at a holder of one of them, or of a part of one, who joins them
// into the share that was cut, cut by cut up the tree, and learns nothing but that share.
//
// Who gathers checks for itself that everything it joins is of the cuts above its own share: as its
// share's siblings say for the cut that made it, else by the policy and the labels that it knows.
#pragma once

#include "control/record_source.h"
#include "control/share_service.h"

namespace warifu::control {

struct GatheredShare {
  std::unique_ptr<RecordSource> source;
  sharing::RecordLayout records;  // of the whole share that is gathered
};

// Whether everything that is to be joined is of the cuts above the share that is held. Errors:
// kRefused, kInvalidArgument when a route does not lead here.
[[nodiscard]] Result<> check_gathering(const config::SiteConfig& config,
                                       const store::ShareHeader& held,
                                       const CombineRequest& request);

// `own` reads the share of request.own, which has been released. `waits` is called now and then
// while other sites get ready. Errors: those of
// check_gathering(), kProtocol, and those of other sites and the ways to them.
[[nodiscard]] Result<GatheredShare> gather(SiteContext& site, const CombineRequest& request,
                                           std::unique_ptr<store::ShareReader> own,
                                           const JobId& job, const std::function<void()>& waits);

}  // namespace warifu::control
