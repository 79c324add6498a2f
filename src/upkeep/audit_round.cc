// Orders, side by side answers, and the sums.
#include "upkeep/audit_round.h"

#include <algorithm>
#include <thread>

namespace warifu::upkeep {

AuditRoundRun::AuditRoundRun(control::SiteContext& site, ShareAuditor& own,
                             const AuditPlanner& plan,
                             const std::vector<planner::ShareLocation>& shares)
    : site_(site), own_(own), plan_(plan) {
  round_.session = os::random_id<JobId>(site.system.random);
  for (const PlannedSum& planned : plan.sums()) round_.sums.push_back(planned.sum);
  for (const planner::ShareLocation& share : shares) {
    const bool stands = std::ranges::any_of(plan.sums(), [&](const PlannedSum& planned) {
      return planned.letters.contains(share.letter());
    });
    if (!stands) continue;
    holders_.push_back(std::make_unique<Holder>());
    holders_.back()->share = share;
    holders_.back()->route = plan.routes().at(share.site);
  }
  // The last thing to be chosen: whoever holds what, it cannot depend on the key.
  site.system.random.fill(round_.key);
}

bool AuditRoundRun::order_all(RoundResult& result) {
  for (const auto& holder : holders_) {
    const AuditOrder order{holder->share.share, round_};
    const auto taken = [&]() -> Result<> {
      if (holder->share.site == site_.config.name) return own_.accept(order);
      TRY(site_.caller.ask(holder->share.site, number(AuditMethod::kOrder), encode(order)));
      return {};
    }();
    if (!taken) result.failures.push_back({holder->share.letter(), taken.error(), true});
  }
  return result.failures.empty();
}

Result<std::vector<mac::Tag>> AuditRoundRun::ask_far(Holder& holder) {
  TRY_ASSIGN(channel::Call started, site_.caller.start({.to = holder.share.site,
                                                        .way = planner::way_against(holder.route),
                                                        .method = number(AuditMethod::kAudit),
                                                        .body = encode_session(round_.session)}));
  {
    const std::lock_guard lock(mutex_);
    holder.call.emplace(std::move(started));
  }
  if (broken_) return fail(Code::kCancelled, "the round was broken off");
  TRY_ASSIGN(const channel::Reply reply,
             holder.call->reply([&](std::uint64_t done, std::uint64_t total) {
               holder.done = done;
               holder.total = total;
             }));
  return decode_answers(reply.body);
}

void AuditRoundRun::ask(Holder& holder) {
  if (holder.share.site == site_.config.name) {
    holder.answers = own_.answer(round_.session, {}, [&](std::uint64_t done, std::uint64_t total) {
      holder.done = done;
      holder.total = total;
      return !broken_;
    });
  } else {
    holder.answers = ask_far(holder);
  }
  const auto due =
      static_cast<std::size_t>(std::ranges::count_if(round_.sums, [&](const AuditSum& sum) {
        return sum.place_of(holder.share.site).has_value();
      }));
  if (holder.answers && holder.answers->size() != due) {
    holder.answers = fail(Code::kProtocol, holder.share.site.text() + " gives " +
                                               std::to_string(holder.answers->size()) +
                                               " answers, not " + std::to_string(due));
  }
  if (holder.answers) {
    holder.done = holder.total.load();
  } else {
    break_off(&holder);
  }
}

void AuditRoundRun::break_off(Holder* cause) {
  if (broken_.exchange(true)) return;
  cause_ = cause;
  const std::lock_guard lock(mutex_);
  for (const auto& holder : holders_) {
    if (holder->call) holder->call->cancel();
  }
}

RoundResult AuditRoundRun::run(const Watch& watch) {
  RoundResult result;
  if (!order_all(result)) return result;
  std::atomic<std::size_t> working = holders_.size();
  std::vector<std::jthread> threads;
  for (const auto& holder : holders_) {
    threads.emplace_back([&, at = holder.get()] {
      ask(*at);
      --working;
    });
  }
  while (working > 0) {
    std::uint64_t done = 0, total = 0;
    for (const auto& holder : holders_) {
      done += holder->done;
      total += holder->total;
    }
    if (!watch(done, total)) break_off(nullptr);
    site_.system.clock.sleep(std::chrono::milliseconds(20));
  }
  threads.clear();
  if (broken_) {
    if (cause_ != nullptr) {
      result.failures.push_back({cause_->share.letter(), cause_->answers.error(), false});
    }
    return result;
  }
  for (std::size_t i = 0; i < round_.sums.size(); ++i) {
    mac::Tag sum{};
    for (const auto& holder : holders_) {
      if (!round_.sums[i].place_of(holder->share.site)) continue;
      const auto before = static_cast<std::size_t>(std::ranges::count_if(
          round_.sums.begin(), round_.sums.begin() + static_cast<long>(i),
          [&](const AuditSum& other) { return other.place_of(holder->share.site).has_value(); }));
      const mac::Tag& answer = (*holder->answers)[before];
      for (std::size_t b = 0; b < sum.size(); ++b) sum[b] = static_cast<Byte>(sum[b] ^ answer[b]);
    }
    result.outcomes.push_back({plan_.sums()[i], sum == mac::Tag{}});
  }
  return result;
}

}  // namespace warifu::upkeep
