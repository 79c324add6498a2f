// Looking over all objects, by their policies.
#include "upkeep/reshare_scheduler.h"

#include <algorithm>

#include "base/log.h"

namespace warifu::upkeep {
namespace {

constexpr std::chrono::seconds kFirstUncutLook(5);
constexpr std::chrono::seconds kUncutLook(60);
constexpr std::chrono::seconds kUnplannedRests(50);  // where a site is away that may come back
constexpr std::chrono::seconds kImpossibleRests(600);
constexpr std::int64_t kFailedCutRests = 86'400'000;
constexpr std::uint64_t kBatch = 500;      // objects in one question to the catalog
constexpr std::size_t kMostUnderWay = 16;  // of such jobs, before more begin by themselves
constexpr std::size_t kMostTried = 20;     // plans that were refused, in one look

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
  std::chrono::seconds wait = kFirstUncutLook;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      (void)wake_.wait_for(lock, stop, wait, [this] { return hurried_; });
      hurried_ = false;
    }
    if (stop.stop_requested()) return;
    const Result<> looked = step();
    if (!looked) log_warning("shares that are to be cut: " + looked.error().message);
    wait = kUncutLook;
  }
}

Result<> ReshareScheduler::look(const std::function<bool(const ObjectId&, const Found&)>& hear) {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const auto rebuilt, catalog.list_jobs({.kind = catalog::JobKind::kRebuild,
                                                    .state = catalog::JobState::kDone},
                                                   {.count = 1}));
  const os::UnixMs known_since = rebuilt.empty() ? os::UnixMs{} : rebuilt.front().updated;
  TRY_ASSIGN(const auto policies, catalog.policies());
  for (const std::string& text : policies) {
    const auto policy = planner::parse_policy(text);
    const auto places = policy ? cut_places(*policy) : std::vector<sharing::SharePath>();
    if (places.empty()) continue;  // one that cannot be read, everybody says who needs it
    for (ObjectId after;;) {
      TRY_ASSIGN(const auto objects, catalog.objects_with_share_at(text, places, after, kBatch));
      for (const ObjectId& object : objects) {
        TRY_ASSIGN(const Found found, find(object, known_since));
        if (engine_.stopping() || !hear(object, found)) return {};
      }
      if (objects.size() < kBatch) break;
      after = objects.back();
    }
  }
  return {};
}

Result<ReshareScheduler::Found> ReshareScheduler::find(const ObjectId& object,
                                                       os::UnixMs known_since) {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const auto jobs, catalog.unfinished_jobs_of(object));
  for (const catalog::Job& job : jobs) {
    if (control::is_cutting_again(job) || job.kind == catalog::JobKind::kStore) {
      return Found{.stand = Stand::kUnderWay, .problem = {}};
    }
  }
  TRY_ASSIGN(
      const auto before,
      catalog.list_jobs({.kind = catalog::JobKind::kReshare, .object = object}, {.count = 1}));
  if (!before.empty() && before.front().state == catalog::JobState::kCancelled) {
    return Found{.stand = Stand::kLeft, .problem = {}};
  }
  if (!before.empty() && before.front().state == catalog::JobState::kFailed) {
    const os::UnixMs now = engine_.site().system.clock.now();
    const os::UnixMs failed = before.front().updated;
    // What failed before the catalog was rebuilt says nothing: it ended with its site.
    if (now.value - failed.value < kFailedCutRests && failed.value >= known_since.value) {
      return Found{.stand = Stand::kLeft,
                   .problem = "object " + object.text() + ": " + before.front().error};
    }
  }
  return Found{.stand = engine_.site().config.auto_reshare ? Stand::kWaiting : Stand::kLeft,
               .problem = {}};
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
  std::string problem;
  std::size_t refused = 0;
  TRY(look([&](const ObjectId& object, const Found& found) {
    if (problem.empty()) problem = found.problem;
    if (found.stand != Stand::kWaiting || rests_.contains(object)) return true;
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
    const bool may_pass = control::may_pass(job.error().code);
    rests_[object] = now + (may_pass ? kUnplannedRests : kImpossibleRests);
    problem = "object " + object.text() + ": " + job.error().message;
    return true;
  }));
  if (!problem.empty() || rests_.empty()) note(problem);
  return {};
}

void ReshareScheduler::note(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  if (problem == problem_) return;
  problem_ = problem;
  if (!problem.empty()) log_warning("a share that is to be cut again stays whole: " + problem);
}

Result<UncutStatus> ReshareScheduler::status() {
  UncutStatus status;
  TRY(look([&](const ObjectId&, const Found& found) {
    ++status.objects;
    ++(found.stand == Stand::kUnderWay  ? status.under_way
       : found.stand == Stand::kWaiting ? status.waiting
                                        : status.left);
    if (status.problem.empty()) status.problem = found.problem;
    return true;
  }));
  const std::lock_guard lock(mutex_);
  if (status.problem.empty() && status.waiting > 0) status.problem = problem_;
  return status;
}

}  // namespace warifu::upkeep
