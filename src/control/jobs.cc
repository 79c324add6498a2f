// Threads of jobs and the retry rule.
#include "control/jobs.h"

#include <boost/json.hpp>

#include "base/log.h"

namespace warifu::control {
namespace {
constexpr std::chrono::milliseconds kFirstPause(500);
constexpr std::chrono::milliseconds kLongestPause(10'000);
}  // namespace

bool may_pass(Code code) {
  switch (code) {
    case Code::kOutOfKey:
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kBusy:
    case Code::kProtocol:  // a connection that broke in the middle of a frame looks like this
    case Code::kUnknownOutcome:
    case Code::kCancelled: return true;
    default: return false;
  }
}

Result<> Work::load_job() {
  TRY_ASSIGN(job_, engine_.catalog().job(job_id_));
  return {};
}

Result<> Work::save(catalog::JobState state, const std::string& step) {
  job_.state = state;
  job_.step = step;
  return engine_.catalog().update_job(job_id_, {.state = state,
                                                .step = step,
                                                .progress_bytes = job_.progress_bytes,
                                                .total_bytes = job_.total_bytes,
                                                .error = job_.error,
                                                .result = job_.result,
                                                .updated = engine_.site().system.clock.now(),
                                                .expected_end = job_.expected_end});
}

void Work::note_trouble(const Error& why) {
  job_.error = why.message;
  const auto state =
      why.code == Code::kOutOfKey ? catalog::JobState::kWaitingKey : catalog::JobState::kRunning;
  if (const auto saved = save(state, job_.step); !saved) log_warning(saved.error().message);
}

Result<> Work::finish() {
  release_key(engine_.site(), job_id_);
  job_.progress_bytes = job_.total_bytes;
  job_.error.clear();
  job_.expected_end.reset();
  return save(catalog::JobState::kDone, "done");
}

void Work::give_up(const Error& why) {
  release_key(engine_.site(), job_id_);
  job_.error = why.message;
  job_.result = boost::json::serialize(boost::json::object{{"code", code_name(why.code)}});
  if (const auto saved = save(catalog::JobState::kFailed, job_.step); !saved) {
    log_error(saved.error().message);
  }
}

Result<> JobEngine::delete_for_good(const catalog::Share& share) {
  TRY(delete_share(site_, own_, share));
  return catalog_.mark_deleted(share.share);
}

Result<> JobEngine::resume_all() {
  TRY_ASSIGN(const std::vector<catalog::Job> jobs, catalog_.unfinished_jobs());
  for (const catalog::Job& job : jobs) {
    if (!makers_.contains(job.kind)) continue;  // a restore goes on when its reader comes back
    log_info("resuming job " + job.job.text());
    start(job.job, job.kind);
  }
  return {};
}

void JobEngine::start(const JobId& job, catalog::JobKind kind) {
  const WorkMaker& maker = makers_.at(kind);
  const std::lock_guard lock(mutex_);
  if (stopping_) return;  // it is resumed at the next start
  threads_.emplace_back([this, job, &maker] { carry_on(job, maker); });
}

void JobEngine::stop() {
  stopping_ = true;
  {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  std::vector<std::thread> ending;
  {
    const std::lock_guard lock(mutex_);
    ending.swap(threads_);
  }
  for (std::thread& thread : ending) thread.join();
}

void JobEngine::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, duration, [this] { return stopping_.load(); });
}

void JobEngine::carry_on(const JobId& job, const WorkMaker& maker) {
  std::chrono::milliseconds wait = kFirstPause;
  while (!stopping_) {
    const std::unique_ptr<Work> work = maker(*this, job);
    const Result<> done = work->run();
    if (done) {
      log_info("job " + job.text() + " is done");
      return;
    }
    if (stopping_) return;
    // After the commit nothing may be given up: the job goes on trying, and says what is wrong.
    if (!may_pass(done.error().code) && !work->is_committed()) {
      log_error("job " + job.text() + " failed: " + done.error().message);
      work->roll_back(done.error());
      return;
    }
    log_warning("job " + job.text() + " waits: " + done.error().message);
    work->note_trouble(done.error());
    pause(wait);
    wait = std::min(wait * 2, kLongestPause);
  }
}

}  // namespace warifu::control
