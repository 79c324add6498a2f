// The new holder's side of repairs and moves: asks the holders that share control names for their
// parts, sums them up and writes the share; and what a holder is told of siblings that moved.
//
// Parts are read side by side, each a few records ahead, because the masks of two helpers come in
// whole windows. What is durable stays when a take breaks off; the next one goes on from there with
// new masks. Thread-safe; handlers run on the channel's threads.
#pragma once

#include "control/record_source.h"
#include "control/share_service.h"
#include "upkeep/orders.h"

namespace warifu::upkeep {

class ShareTaker {
 public:
  ShareTaker(control::SiteContext& site, control::Uploads& uploads)
      : site_(site), uploads_(uploads) {}

  void add_handlers(channel::Server& server);

  // Called with durable and all records.
  using Watch = std::function<Result<>(std::uint64_t done, std::uint64_t total)>;
  // Takes the records from `request.first_chunk` on of a share that `from` announced here; all are
  // durable afterwards. Errors: those of the holders and the ways, kProtocol when a part does not
  // fit, kNotFound when nothing was announced, kRefused when this site holds another share of the
  // object.
  [[nodiscard]] Result<> take(const TakeRequest& request, const SiteName& from, const JobId& job,
                              const Watch& watch);
  // Errors: kNotFound (no such share), kRefused (not a sibling of it).
  [[nodiscard]] Result<> hear(const SiblingNews& news);

 private:
  using Sources = std::vector<std::unique_ptr<control::RecordSource>>;
  Result<> check_holdings(const store::ShareHeader& made);
  Result<Sources> open_sources(const TakeRequest& request, const JobId& job,
                               const sharing::RecordLayout& records, const Watch& watch);
  Result<> write_sums(const TakeRequest& request, Sources& sources, store::ShareWriter& writer,
                      const Watch& watch);

  control::SiteContext& site_;
  control::Uploads& uploads_;
};

}  // namespace warifu::upkeep
