// A holder's side of repairs and moves: parts of its shares, given to the site that share control
// named, masked with key that it draws with other helpers.
//
// Share control orders, and a holder checks for itself, so that a rooted one gets nothing: the
// chain makes a share out of enough others and nothing else; the new holder may carry that place of
// the policy, holds no sibling, and has been given no other share of the object by this site or a
// sibling's; a part of a repair goes masked, to nobody who shares its masks, and passes nobody who
// does (channel::Request::passed); who draws a mask with this site must have been told the same
// chain. A part leaves once for an order. Masks are key of the link between two helpers, drawn as
// key as share is (channel/drawn.h): burnt for everything else at both ends, nothing sent.
// Orders live in memory: who restarts has forgotten them, and the job orders anew, with fresh
// masks. Thread-safe; handlers run on the channel's threads.
#pragma once

#include <condition_variable>

#include "base/bounded_queue.h"
#include "control/record_source.h"
#include "control/share_service.h"
#include "upkeep/given_record.h"
#include "upkeep/part_maker.h"

namespace warifu::upkeep {

// Masks on their way from who drew them to who adds them.
using MaskQueue = BoundedQueue<secret::Buffer>;

class ShareGiver {
 public:
  ShareGiver(control::SiteContext& site, GivenRecord& given) : site_(site), given_(given) {}

  // Whether this site has helped no other share of the object to that site. Errors: kRefused.
  [[nodiscard]] Result<> may(const MayRequest& request) const {
    return given_.check(request.object, request.place, request.to);
  }
  void add_handlers(channel::Server& server);

  // Takes an order of share control. Errors: kNotFound (no such share), kRefused, kBusy (too many
  // orders), kUnavailable (a sibling's holder that has to be asked).
  [[nodiscard]] Result<> accept(const PartOrder& order);

 private:
  struct Order {
    PartOrder order;
    std::shared_ptr<MaskQueue> masks;  // from `before`
    std::chrono::nanoseconds taken{};  // os::Clock::monotonic()
    bool given = false;
  };
  // The parts of a session for the new holder, over the sites that its request has passed.
  struct Part {
    std::unique_ptr<control::RecordSource> records;
    sharing::RecordLayout layout;
    std::uint64_t first = 0;
  };
  Result<Part> open(const JobId& session, channel::Exchange& exchange);
  Result<> check_new_holder(const store::ShareHeader& held, const PartOrder& order);
  Result<> check_masks(const PartOrder& order, const std::vector<SiteName>& passed) const;
  Result<> handle_may(channel::Exchange& exchange);
  Result<> handle_mask(channel::Exchange& exchange);
  Result<> handle_give(channel::Exchange& exchange);
  void forget_old();

  control::SiteContext& site_;
  GivenRecord& given_;
  std::mutex mutex_;
  std::map<JobId, Order> orders_;
};

}  // namespace warifu::upkeep
