// Steps, crashes, and the gate opened again.
#include "testing/gate_life.h"

#include <algorithm>

#include "testing/gate_bugs.h"

namespace warifu::sim {
namespace {
constexpr std::uint64_t kSteps = 40;
}  // namespace

GateLife::GateLife(std::uint64_t seed, GateBug bug)
    : seed_(seed), dice_(seed), random_(seed ^ 0x5eed) {
  options_.nonce_life = std::chrono::minutes(15);
  options_.failures_allowed = 1'000'000;
  options_.decide = decision_of(bug);
  options_.decide_act = act_decision_of(bug);
  if (bug == GateBug::kNothingDurable) {
    lies_ = {.sync_does_nothing = true, .sync_dir_does_nothing = true};
  }
  random_.fill(root_.bytes());
}

GateTally GateLife::run() {
  tally_.runs = 1;
  for (std::uint64_t i = 0; i < kSteps && tally_.violations == 0; ++i) {
    ++tally_.steps;
    if (dice_.one_in(4)) disk_->crash_at(dice_.between(1, 12));
    try {
      step();
      disk_->clear_faults();
    } catch (const SimCrash&) {
      ++tally_.crashes;
      recover();
    }
  }
  if (log_ != nullptr) at_end();
  return tally_;
}

void GateLife::open() {
  if (!disk_) disk_ = std::make_unique<SimDisk>();
  // A log does not stand garbage in its last line, and says so (docs/threat-model.md).
  disk_->spare_garbage([](const std::string& path) { return path.ends_with("audit.log"); });
  disk_->lie(lies_);
  const os::System system{*disk_, clock_, random_};
  auto log = audit::Log::open(system, "/audit.log", site_);
  if (!log) return violate("the log does not open: " + log.error().message);
  log_ = std::move(*log);
  auto gate = consent::Gate::open(system, "/gate", site_, root_, *log_, options_);
  if (!gate) return violate("the gate does not open: " + gate.error().message);
  gate_ = std::move(*gate);
}

void GateLife::recover() {
  {
    const SimDisk::Quiet quiet(*disk_);
    gate_.reset();
    log_.reset();
  }
  disk_ = disk_->crash_image(dice_.next());
  open();
  if (gate_ != nullptr) after_power();
}

void GateLife::restart() {
  gate_.reset();
  log_.reset();
  disk_ = disk_->kill_image();
  open();
}

void GateLife::violate(const std::string& what) {
  ++tally_.violations;
  if (tally_.first_violation.empty()) {
    tally_.first_violation = "seed " + std::to_string(seed_) + ": " + what;
  }
}

std::uint64_t GateLife::logged(const std::string& event) {
  const auto records = log_->read(1, audit::kMaxRead);
  if (!records) {
    violate("the log cannot be read: " + records.error().message);
    return 0;
  }
  return static_cast<std::uint64_t>(std::ranges::count(*records, event, &audit::Record::event));
}

}  // namespace warifu::sim
