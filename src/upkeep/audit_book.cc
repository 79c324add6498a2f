// Rounds, masks and limits.
#include "upkeep/audit_book.h"

#include <algorithm>

namespace warifu::upkeep {
namespace {
constexpr std::size_t kHeard = 4096;
constexpr std::size_t kMostOpen = 256;
}  // namespace

Result<> AuditBook::check_fresh(const AuditOrder& order) const {
  const auto heard = [&](const auto& known) {
    return known.first == order.round.session || known.second == order.round.key;
  };
  if (std::ranges::none_of(heard_, heard)) return {};
  return fail(Code::kRefused, own_.text() + " has heard this audit's session or key before");
}

Result<> AuditBook::check_rate(const ShareId& share, std::chrono::nanoseconds now) {
  const auto old = [&](std::chrono::nanoseconds at) { return now - at >= std::chrono::hours(1); };
  for (auto entry = asked_.begin(); entry != asked_.end();) {
    std::erase_if(entry->second, old);
    entry = entry->second.empty() ? asked_.erase(entry) : std::next(entry);
  }
  const auto known = asked_.find(share);
  if (known == asked_.end() || known->second.size() < kMostPerHour) return {};
  return fail(Code::kBusy, own_.text() + " has answered " + std::to_string(kMostPerHour) +
                               " audits of share " + share.text() + " within an hour");
}

Result<> AuditBook::accept(const AuditOrder& order, std::chrono::nanoseconds now) {
  const std::lock_guard lock(mutex_);
  TRY(check_fresh(order));
  // A round that was not asked for in time, or that another one of the same share follows, is over.
  std::erase_if(open_, [&](const auto& entry) {
    const Open& open = entry.second;
    return !open.started && (now - open.since > kOrderLife || open.order.share == order.share);
  });
  for (const auto& [session, open] : open_) {
    if (open.order.share != order.share) continue;
    return fail(Code::kBusy,
                "an audit of share " + order.share.text() + " is under way at " + own_.text());
  }
  if (open_.size() >= kMostOpen) return fail(Code::kBusy, "too many audits are ordered here");
  TRY(check_rate(order.share, now));
  asked_[order.share].push_back(now);
  heard_.emplace_back(order.round.session, order.round.key);
  if (heard_.size() > kHeard) heard_.pop_front();
  open_[order.round.session] = {.order = order, .masks = {}, .taken = {}, .since = now};
  return {};
}

Result<> AuditBook::put_mask(const SiteName& from, const AuditMask& mask) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(mask.session);
  if (found == open_.end()) {
    return fail(Code::kNotFound, own_.text() + " takes no part in this audit");
  }
  Open& open = found->second;
  const AuditRound& round = open.order.round;
  const auto at = mask.sum < round.sums.size() ? round.sums[mask.sum].place_of(own_) : std::nullopt;
  if (!at || *at == 0 || round.sums[mask.sum].chain[*at - 1].site != from) {
    return fail(Code::kRefused, "no mask is due from " + from.text());
  }
  if (hash_of(round, mask.round_key) != mask.round_hash) {
    open.is_void = true;
    came_.notify_all();
    return fail(Code::kRefused, from.text() + " has been told another audit than " + own_.text());
  }
  if (!open.taken.insert(mask.sum).second) {
    return fail(Code::kRefused, "a second mask for the same sum came from " + from.text());
  }
  open.masks[mask.sum] = mask.mask;
  came_.notify_all();
  return {};
}

Result<AuditOrder> AuditBook::start(const JobId& session) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(session);
  if (found == open_.end() || found->second.started) {
    return fail(Code::kNotFound, own_.text() + " has nothing to answer in this audit");
  }
  found->second.started = true;
  return found->second.order;
}

Result<mac::Tag> AuditBook::take_mask(const JobId& session, std::size_t sum,
                                      std::chrono::milliseconds ping,
                                      const std::function<bool()>& keep_waiting) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto found = open_.find(session);
    if (found == open_.end()) return fail(Code::kCancelled, "the audit has ended");
    if (found->second.is_void) {
      return fail(Code::kRefused, "holders were told different audits; nothing is answered");
    }
    if (const auto mask = found->second.masks.find(sum); mask != found->second.masks.end()) {
      const mac::Tag taken = mask->second;
      found->second.masks.erase(mask);
      return taken;
    }
    if (came_.wait_for(lock, ping) == std::cv_status::no_timeout) continue;
    lock.unlock();
    const bool wait = keep_waiting();
    lock.lock();
    if (!wait) return fail(Code::kCancelled, "nobody waits for this audit any more");
  }
}

void AuditBook::finish(const JobId& session) {
  const std::lock_guard lock(mutex_);
  open_.erase(session);
}

}  // namespace warifu::upkeep
