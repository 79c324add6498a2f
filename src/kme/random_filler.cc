// The rounds of the filler.
#include "kme/random_filler.h"

#include "base/log.h"

namespace warifu::kme {
namespace {

constexpr std::chrono::milliseconds kPauseFull(20);
constexpr std::chrono::milliseconds kPauseBroken(200);
// How long a batch may grow: many small segments make a large index.
constexpr std::chrono::seconds kBatchTime(30);
constexpr std::chrono::milliseconds kAwaitedBatchTime(200);

}  // namespace

Result<> RandomFiller::report() {
  const std::lock_guard lock(reporting_);
  auto started = mixer_.start();
  pool_.note_supply(started);
  return started;
}

Result<> RandomFiller::readmit(const std::string& source) {
  TRY(mixer_.readmit(source));
  (void)report();  // another source may be out still
  return {};
}

Result<std::uint64_t> RandomFiller::round() {
  TRY(report());
  const std::uint64_t held = pool_.status().available_bytes;
  if (held >= high_water_bytes_) return 0;
  const auto begun = system_.clock.monotonic();
  auto batch = mixer_.next(kBatchBytes, [&](std::size_t bytes) {
    if (stopping_) return true;
    const auto age = system_.clock.monotonic() - begun;
    return bytes > 0 && (age > kBatchTime || (age > kAwaitedBatchTime && pool_.is_awaited()));
  });
  if (!batch) {
    (void)report();
    return std::unexpected(batch.error());
  }
  if (batch->bytes.empty()) return 0;
  TRY(pool_.add(*batch));
  return batch->bytes.size();
}

void RandomFiller::run() {
  std::string last_problem;
  while (!stopping_) {
    const auto taken = round();
    if (taken) {
      last_problem.clear();
      if (*taken == 0) system_.clock.sleep(kPauseFull);
      continue;
    }
    if (taken.error().code == Code::kCancelled) return;
    if (taken.error().message != last_problem) {
      last_problem = taken.error().message;
      log_error("random numbers: nothing is made: " + last_problem);
    }
    system_.clock.sleep(kPauseBroken);
  }
}

void RandomFiller::stop() {
  stopping_ = true;
  mixer_.stop();
  pool_.stop();
}

}  // namespace warifu::kme
