// A holder's side of repairs and moves: parts of its shares, given to the site that share control
// named, masked with key that it draws with other helpers.
//
// A part leaves only for a session that share control ordered here, once, to the site that the
// order names; a part of a repair never without a mask. Masks are key of the link between two
// helpers, drawn as key as share is (channel/drawn.h): burnt for everything else at both ends,
// nothing sent. Orders live in memory: who restarts has forgotten them, and the job orders anew,
// with fresh masks. Thread-safe; handlers run on the channel's threads.
#pragma once

#include <condition_variable>

#include "base/bounded_queue.h"
#include "control/record_source.h"
#include "control/share_service.h"
#include "upkeep/part_maker.h"

namespace warifu::upkeep {

// Masks on their way from who drew them to who adds them.
using MaskQueue = BoundedQueue<secret::Buffer>;

class ShareGiver {
 public:
  explicit ShareGiver(control::SiteContext& site) : site_(site) {}

  void add_handlers(channel::Server& server);

  // Takes an order of share control; one for the same session is replaced only while nobody uses
  // it. Errors: kNotFound (no such share), kRefused, kBusy (too many orders).
  [[nodiscard]] Result<> accept(const PartOrder& order);
  // The parts of a session for `to`. Errors: kNotFound (no such order, or given already), kRefused.
  // `ping` is called while a record is waited for; it says whether to wait on.
  struct Part {
    std::unique_ptr<control::RecordSource> records;
    sharing::RecordLayout layout;
    std::uint64_t first = 0;
  };
  [[nodiscard]] Result<Part> open(const JobId& session, const SiteName& to, const JobId& job,
                                  channel::KeepWaiting ping);

 private:
  struct Order {
    PartOrder order;
    std::shared_ptr<MaskQueue> masks;  // from `before`
    std::chrono::nanoseconds taken{};  // os::Clock::monotonic()
    bool given = false;
  };
  Result<> handle_mask(channel::Exchange& exchange);
  Result<> handle_give(channel::Exchange& exchange);
  void forget_old();

  control::SiteContext& site_;
  std::mutex mutex_;
  std::map<JobId, Order> orders_;
};

}  // namespace warifu::upkeep
