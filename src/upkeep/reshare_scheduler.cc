// Looking over all objects, by their policies.
#include "upkeep/reshare_scheduler.h"

#include <algorithm>

#include "base/log.h"

namespace warifu::upkeep {
namespace {

constexpr std::chrono::seconds kLookInterval(60);
constexpr std::chrono::minutes kUnplannedRests(10);
constexpr std::int64_t kFailedRests = 86'400'000;
constexpr std::uint64_t kBatch = 500;          // objects in one question to the catalog
constexpr std::size_t kMostUnderWay = 16;      // of such jobs, before more begin by themselves
constexpr std::size_t kMostTried = 20;         // plans that were refused, in one look

// Places of shares that a policy cuts again.
std::vector<sharing::SharePath> cut_places(const planner::PolicyNode& policy) {
  std::vector<sharing::SharePath> places;
  for (const auto& [path, node] : planner::share_paths(policy)) {
    if (!node->is_leaf()) places.push_back(path);
  }
  return places;
}

}  // namespace

void ReshareScheduler::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void ReshareScheduler::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void ReshareScheduler::hurry() {
  const std::lock_guard lock(mutex_);
  hurried_ = true;
  wake_.notify_all();
}

void ReshareScheduler::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      (void)wake_.wait_for(lock, stop, kLookInterval, [this] { return hurried_; });
      if (std::exchange(hurried_, false)) rests_.clear();
    }
    if (stop.stop_requested()) return;
    const Result<> looked = step();
    if (!looked) log_warning("shares that are to be cut: " + looked.error().message);
  }
}

Result<> ReshareScheduler::look(const std::function<bool(const ObjectId&, Stand)>& hear) {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const auto policies, catalog.policies());
  for (const std::string& text : policies) {
    TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(text));
    const auto places = cut_places(policy);
    if (places.empty()) continue;
    for (ObjectId after;;) {
      TRY_ASSIGN(const auto objects,
                 catalog.objects_with_share_at(text, places, after, kBatch));
      for (const ObjectId& object : objects) {
        TRY_ASSIGN(const Stand stand, stand_of(object));
        if (engine_.stopping() || !hear(object, stand)) return {};
      }
      if (objects.size() < kBatch) break;
      after = objects.back();
    }
  }
  return {};
}

Result<ReshareScheduler::Stand> ReshareScheduler::stand_of(const ObjectId& object) {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const auto jobs, catalog.unfinished_jobs_of(object));
  for (const catalog::Job& job : jobs) {
    if (control::is_cutting_again(job) || job.kind == catalog::JobKind::kStore) {
      return Stand::kUnderWay;
    }
  }
  TRY_ASSIGN(const auto before,
             catalog.list_jobs({.kind = catalog::JobKind::kReshare, .object = object},
                               {.count = 1}));
  if (!before.empty() && before.front().state == catalog::JobState::kCancelled) {
    return Stand::kLeft;
  }
  if (!before.empty() && before.front().state == catalog::JobState::kFailed) {
    const std::int64_t age =
        engine_.site().system.clock.now().value - before.front().updated.value;
    if (age < kFailedRests) {
      note("object " + object.text() + ": " + before.front().error);
      return Stand::kLeft;
    }
  }
  return engine_.site().config.auto_reshare ? Stand::kWaiting : Stand::kLeft;
}

Result<std::size_t> ReshareScheduler::count_under_way() {
  TRY_ASSIGN(const auto jobs, engine_.catalog().unfinished_jobs());
  return static_cast<std::size_t>(std::ranges::count_if(jobs, [](const catalog::Job& job) {
    return job.kind == catalog::JobKind::kReshare && job.state != catalog::JobState::kPaused;
  }));
}

Result<> ReshareScheduler::step() {
  TRY_ASSIGN(std::size_t under_way, count_under_way());
  const auto now = engine_.site().system.clock.monotonic();
  std::erase_if(rests_, [&](const auto& entry) { return entry.second <= now; });
  note("");
  std::size_t refused = 0;
  return look([&](const ObjectId& object, Stand stand) {
    if (stand != Stand::kWaiting || rests_.contains(object)) return true;
    if (under_way >= kMostUnderWay || refused >= kMostTried) return false;
    const auto job = desk_.reshare(object, "", catalog::JobPriority::kLow);
    if (job) {
      ++under_way;
      log_info("job " + job->text() + " cuts a share of object " + object.text() +
               " again, which stood whole");
      return true;
    }
    if (job.error().code == Code::kBusy) return true;  // another job works on it: soon
    ++refused;
    rests_[object] = now + kUnplannedRests;
    note("object " + object.text() + ": " + job.error().message);
    return true;
  });
}

void ReshareScheduler::note(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  if (problem == problem_) return;
  problem_ = problem;
  if (!problem.empty()) log_warning("a share that is to be cut again stays whole: " + problem);
}

Result<UncutStatus> ReshareScheduler::status() {
  UncutStatus status;
  TRY(look([&](const ObjectId&, Stand stand) {
    ++status.objects;
    ++(stand == Stand::kUnderWay  ? status.under_way
       : stand == Stand::kWaiting ? status.waiting
                                  : status.left);
    return true;
  }));
  const std::lock_guard lock(mutex_);
  status.problem = status.objects > status.under_way ? problem_ : "";
  return status;
}

}  // namespace warifu::upkeep
