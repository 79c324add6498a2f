// Choosing what is refreshed next.
#include "upkeep/refresh_scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/units.h"

namespace warifu::upkeep {
namespace {

constexpr std::chrono::seconds kLongestStep(60);
constexpr std::chrono::seconds kStepUnderWay(10);
constexpr std::chrono::seconds kCountAgain(60);
constexpr std::chrono::seconds kLookLife(600);
constexpr std::int64_t kFailedRests = 86'400'000;

}  // namespace

RefreshOutlay outlay_of(const RefreshPreview& sample, std::uint64_t sample_bytes,
                        std::uint64_t all_bytes) {
  RefreshOutlay outlay;
  if (sample_bytes == 0) return outlay;
  const double factor = static_cast<double>(all_bytes) / static_cast<double>(sample_bytes) *
                        static_cast<double>(sample.dealers);
  double longest = 0;
  bool ends = true;
  for (const auto& [ends_of, bytes] : sample.plan.bytes_by_edge) {
    const double needed = static_cast<double>(bytes) * factor;
    outlay.key_bytes += static_cast<std::uint64_t>(needed);
    const auto room = sample.room.find(ends_of);
    const double rate = room == sample.room.end() ? 0 : room->second.inflow_bits_per_second / 8;
    const double seconds = rate > 0 ? needed / rate : 0;
    if (rate > 0 && seconds <= longest) continue;
    if (!ends) continue;
    ends = rate > 0;
    longest = seconds;
    outlay.slowest_link = ends_of.first.text() + " > " + ends_of.second.text();
  }
  if (ends) outlay.epoch_seconds = longest;
  return outlay;
}

std::optional<std::string> short_link(const RefreshPreview& preview, std::uint64_t reserve) {
  for (const auto& [ends, bytes] : preview.plan.bytes_by_edge) {
    const auto room = preview.room.find(ends);
    const std::uint64_t residual = room == preview.room.end() ? 0 : room->second.residual_bytes;
    const std::uint64_t needed = bytes * preview.dealers;
    if (residual >= needed && residual - needed >= reserve) continue;
    return fmt::format("{} > {} has {} to spare, the refresh takes {} and {} must stay",
                       ends.first.text(), ends.second.text(), human_bytes(residual),
                       human_bytes(needed), human_bytes(reserve));
  }
  return std::nullopt;
}

void RefreshScheduler::start() {
  status_.settings = settings_;
  if (settings_.interval.count() == 0) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void RefreshScheduler::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void RefreshScheduler::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const bool was_under_way = is_under_way();
    if (!was_under_way) step();
    std::unique_lock lock(mutex_);
    const auto step = was_under_way || status_.job ? kStepUnderWay : kLongestStep;
    const auto wait = std::clamp(settings_.interval / 4, std::chrono::seconds(1), step);
    (void)wake_.wait_for(lock, stop, wait, [] { return false; });
  }
}

bool RefreshScheduler::is_under_way() {
  std::optional<JobId> found;
  for (const auto state : {catalog::JobState::kRunning, catalog::JobState::kWaitingKey}) {
    const auto jobs = engine_.catalog().list_jobs(
        {.kind = catalog::JobKind::kRefresh, .state = state}, {.count = 1});
    if (jobs && !jobs->empty()) found = jobs->front().job;
  }
  const std::lock_guard lock(mutex_);
  status_.job = found;
  return found.has_value();
}

Result<std::vector<RefreshScheduler::Candidate>> RefreshScheduler::look() const {
  catalog::Catalog& catalog = engine_.catalog();
  std::map<ObjectId, Candidate> all;
  for (catalog::Page page{.count = catalog::kMaxPageRows};; page.skip += page.count) {
    TRY_ASSIGN(const auto objects,
               catalog.list_objects({.state = catalog::ObjectState::kCommitted}, page));
    for (const catalog::Object& object : objects) {
      all[object.object] = {object.object, object.length,
                            object.committed_at.value_or(object.created)};
    }
    if (objects.size() < page.count) break;
  }
  for (catalog::Page page{.count = catalog::kMaxPageRows};; page.skip += page.count) {
    TRY_ASSIGN(const auto jobs, catalog.list_jobs({.kind = catalog::JobKind::kRefresh}, page));
    for (const catalog::Job& job : jobs) {
      if (!job.object || !all.contains(*job.object)) continue;
      os::UnixMs& since = all[*job.object].since;
      if (job.state == catalog::JobState::kDone) {
        since.value = std::max(since.value, job.updated.value);
      } else if (catalog::is_finished(job.state)) {
        const std::int64_t due = std::chrono::milliseconds(settings_.interval).count();
        since.value = std::max(since.value, job.updated.value + std::min(kFailedRests, due) - due);
      }
    }
    if (jobs.size() < page.count) break;
  }
  std::vector<Candidate> sorted;
  sorted.reserve(all.size());
  for (const auto& [id, candidate] : all) sorted.push_back(candidate);
  std::ranges::sort(sorted, {},
                    [](const Candidate& c) { return std::pair(c.since.value, c.object); });
  return sorted;
}

void RefreshScheduler::count(const std::vector<Candidate>& all) {
  RefreshOutlay outlay;
  std::uint64_t bytes = 0;
  for (const Candidate& candidate : all) bytes += candidate.bytes;
  for (std::size_t i = 0; i < std::min(all.size(), RefreshTurns::kAtOnce); ++i) {
    const auto preview = desk_.preview_refresh(all[i].object, {});
    if (!preview) continue;
    outlay = outlay_of(*preview, all[i].bytes, bytes);
    break;
  }
  const std::int64_t now = engine_.site().system.clock.now().value;
  const std::int64_t interval = std::chrono::milliseconds(settings_.interval).count();
  outlay.objects = all.size();
  if (interval > 0) {
    outlay.due = static_cast<std::uint64_t>(std::ranges::count_if(
        all, [&](const Candidate& c) { return now - c.since.value >= interval; }));
  }
  if (!all.empty()) outlay.oldest = all.front().since;
  const std::lock_guard lock(mutex_);
  status_.outlay = std::move(outlay);
  counted_at_ = std::chrono::steady_clock::now();
}

void RefreshScheduler::note(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (status_.waits_for == why) return;
  status_.waits_for = why;
  if (!why.empty()) log_info("no refresh begins by itself: " + why);
}

Result<JobId> RefreshScheduler::begin(const Candidate& candidate) {
  TRY_ASSIGN(const RefreshPreview preview, desk_.preview_refresh(candidate.object, {}));
  if (const auto lacking = short_link(preview, settings_.reserve)) {
    return fail(Code::kOutOfKey, *lacking);
  }
  return desk_.refresh(candidate.object, {}, catalog::JobPriority::kLow);
}

void RefreshScheduler::step() {
  const auto time = std::chrono::steady_clock::now();
  const auto life = std::clamp(settings_.interval / 10, std::chrono::seconds(1), kLookLife);
  if (!looked_at_ || time - *looked_at_ >= life) {
    auto all = look();
    if (!all) return note(all.error().message);
    known_ = std::move(*all);
    looked_at_ = time;
  }
  const os::UnixMs now = engine_.site().system.clock.now();
  const std::int64_t interval = std::chrono::milliseconds(settings_.interval).count();
  std::string why;
  for (const Candidate& candidate : turns_.next(known_, now, interval)) {
    const auto job = begin(candidate);
    if (!job) {
      turns_.rest(candidate.object, job.error().code, now, interval);
      if (why.empty()) why = "object " + candidate.object.text() + ": " + job.error().message;
      continue;
    }
    log_info("job " + job->text() + " refreshes the shares of object " + candidate.object.text());
    note("");
    looked_at_.reset();  // it is not the oldest any more
    const std::lock_guard lock(mutex_);
    status_.job = *job;
    ++status_.begun;
    return;
  }
  if (!why.empty()) return note(why);
  const bool all_rest = !known_.empty() && now.value - known_.front().since.value >= interval;
  if (!all_rest) note("no object's shares are older than the interval");
}

RefreshStatus RefreshScheduler::status() {
  (void)is_under_way();
  std::unique_lock lock(mutex_);
  const bool is_fresh =
      counted_at_ && std::chrono::steady_clock::now() - *counted_at_ < kCountAgain;
  lock.unlock();
  if (!is_fresh) {
    if (const auto all = look()) count(*all);
  }
  lock.lock();
  RefreshStatus status = status_;
  status.settings = settings_;
  return status;
}

}  // namespace warifu::upkeep
