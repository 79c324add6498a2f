// A site's side of refreshes: as a holder it makes the share of the next generation beside the old
// one, which stays the truth until share control says otherwise; as the dealer it cuts zero for
// everybody.
//
// Share control orders, and a site checks for itself: the new share stands at the very place of the
// old one and is of the next generation; zero shares come from the dealer that was named for this
// attempt, and from no earlier attempt; a dealer holds a whole share, deals to every place of the
// object's policy and to siblings where its own share's header knows them, on ways that show nobody
// too much (refresh_plan.h). A site cannot see whether a zero share is one: share control audits
// the new shares before the old ones go.
// The zero shares of one record come from one dealing: where one breaks off, the next begins at the
// first record that some holder lacks, and all drop what they have behind it. Attempts live in
// memory: who restarts has forgotten them, and the job begins anew. Thread-safe; handlers run on
// the channel's threads.
#pragma once

#include "control/cut_lane.h"
#include "upkeep/refresh_orders.h"

namespace warifu::upkeep {

class ShareRefresher {
 public:
  ShareRefresher(control::SiteContext& site, control::Uploads& uploads)
      : site_(site), uploads_(uploads) {}

  void add_handlers(channel::Server& server);

  // Makes or reopens the new share; how many of its records are durable. Errors: kNotFound (no such
  // share), kRefused, kBusy (it is being written), kNoSpace.
  [[nodiscard]] Result<std::uint64_t> begin(const RefreshBegin& begin);
  // Deals records from `order.first_chunk` on; they are durable at all holders afterwards. Errors:
  // kNotFound (not begun here), kRefused, those of holders and ways.
  [[nodiscard]] Result<keypool::Entropy> deal(const DealOrder& order, const JobId& job,
                                              const control::CutWatch& watch);
  // When the oldest key came in that this site would send to `peer` under next; none when it has
  // none. Errors: kNotFound (no such link).
  [[nodiscard]] Result<std::optional<os::UnixMs>> oldest_key(const SiteName& peer) const;

 private:
  struct Attempt {
    JobId session;
    ShareId old;
    SiteName dealer;
    std::chrono::nanoseconds begun{};  // os::Clock::monotonic()
  };
  // The old share and the new one's file, to add zero shares.
  class Adding;
  Result<Attempt> attempt_of(const ShareId& fresh, const JobId& session,
                             const SiteName& dealer) const;
  // The same; the caller holds the mutex.
  Result<Attempt> attempt_locked(const ShareId& fresh, const JobId& session,
                                 const SiteName& dealer) const;
  Result<std::unique_ptr<Adding>> open_adding(const ShareId& fresh, const Attempt& attempt,
                                              std::uint64_t first);
  // The same as a lane of the dealer.
  Result<std::unique_ptr<control::CutLane>> open_lane(const ShareId& fresh, const Attempt& attempt,
                                                      std::uint64_t first);
  Result<> handle_zeros(channel::Exchange& exchange);
  Result<> handle_deal(channel::Exchange& exchange);

  control::SiteContext& site_;
  control::Uploads& uploads_;
  mutable std::mutex mutex_;
  std::map<ShareId, Attempt> attempts_;  // by the new share
};

// Whether `fresh` is the share `old` in its next generation. Errors: kRefused saying what differs.
[[nodiscard]] Result<> check_next_generation(const store::ShareHeader& old,
                                             const control::ShareSpec& fresh);
// Whether the dealer that holds `held` may carry this order out. Errors: kRefused.
[[nodiscard]] Result<> check_deal(const config::SiteConfig& config, const store::ShareHeader& held,
                                  const DealOrder& order);

}  // namespace warifu::upkeep
