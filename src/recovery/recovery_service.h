// What every site answers about copies of the catalog and about what it holds, to the control site
// only. Thread-safe; handlers run on the channel's threads.
#pragma once

#include "channel/server.h"
#include "control/share_service.h"
#include "recovery/copy_keeper.h"

namespace warifu::recovery {

// Shares of a site from behind `after` on, ascending by id. Errors: kIo.
[[nodiscard]] Result<FoundPage> found_shares(control::SiteContext& site, const ShareId& after);
[[nodiscard]] CardPage found_cards(control::SiteContext& site, const CardId& after);

class RecoveryService {
 public:
  RecoveryService(control::SiteContext& site, CopyKeeper& keeper) : site_(site), keeper_(keeper) {}
  void add_handlers(channel::Server& server);

 private:
  Result<> handle_put(channel::Exchange& exchange);
  Result<> handle_get(channel::Exchange& exchange);

  control::SiteContext& site_;
  CopyKeeper& keeper_;
};

}  // namespace warifu::recovery
