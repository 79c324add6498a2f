// What a holder remembers of audits: rounds that were ordered and not answered yet, the masks that
// came for them, keys that were heard, and how often each share was asked.
//
// A share is in one audit at a time and in at most kMostPerHour; a session and a key are heard
// once; a round is answered once; a mask is taken once, from the neighbour that owes it, and only
// if that one was told the same round. All of it in memory: a mask is fresh whatever was forgotten,
// so a restart costs the round and no secret (docs/adr/0027). Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "upkeep/audit_orders.h"

namespace warifu::upkeep {

class AuditBook {
 public:
  static constexpr std::size_t kMostPerHour = 120;
  static constexpr std::chrono::minutes kOrderLife{2};  // until it is asked for

  explicit AuditBook(SiteName own) : own_(std::move(own)) {}

  // Takes the place of an order for the same share that was not asked for yet. `now` is
  // os::Clock::monotonic(). Errors: kBusy (an audit of the share is under
  // way, or it was asked too often), kRefused (session or key were heard before).
  [[nodiscard]] Result<> accept(const AuditOrder& order, std::chrono::nanoseconds now);
  // Takes a mask from a neighbour. Errors: kNotFound (no such round here), kRefused (not due from
  // that site, a second one, or it was told another round; the round is then void).
  [[nodiscard]] Result<> put_mask(const SiteName& from, const AuditMask& mask);
  // The round to answer now, once. Errors: kNotFound.
  [[nodiscard]] Result<AuditOrder> start(const JobId& session);
  // Waits for the mask of a sum from the holder before this one, as long as `keep_waiting` (asked
  // every `ping`) says so. Errors: kCancelled, kRefused when the round is void.
  [[nodiscard]] Result<mac::Tag> take_mask(const JobId& session, std::size_t sum,
                                           std::chrono::milliseconds ping,
                                           const std::function<bool()>& keep_waiting);
  // The round is over, answered or not.
  void finish(const JobId& session);

 private:
  struct Open {
    AuditOrder order;
    std::map<std::size_t, mac::Tag> masks;  // by sum
    std::set<std::size_t> taken;
    std::chrono::nanoseconds since{};
    bool started = false;
    bool is_void = false;
  };
  Result<> check_fresh(const AuditOrder& order) const;
  Result<> check_rate(const ShareId& share, std::chrono::nanoseconds now);

  const SiteName own_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::map<JobId, Open> open_;
  std::deque<std::pair<JobId, HashKey>> heard_;
  std::map<ShareId, std::deque<std::chrono::nanoseconds>> asked_;
};

}  // namespace warifu::upkeep
