// Passes over the shares, and what becomes of damage.
#include "upkeep/scrubber.h"

#include <algorithm>

#include "base/log.h"
#include "base/reason.h"
#include "store/directory_files.h"

namespace warifu::upkeep {
namespace {

constexpr std::chrono::seconds kLook(10);  // between looks whether something is due
constexpr std::chrono::seconds kSaveInterval(5);
constexpr std::chrono::milliseconds kStep(200);  // of waiting for the rate

// The share that a file of the store is named after.
std::optional<ShareId> share_of_path(const std::string& path) {
  return store::share_of_name(path.substr(path.rfind('/') + 1), store::kCommittedEnding);
}

}  // namespace

Result<std::unique_ptr<Scrubber>> Scrubber::open(control::SiteContext& site,
                                                 const std::string& path, Tell tell) {
  TRY_ASSIGN(ScrubState state, load_scrub_state(site.system.files, path));
  std::unique_ptr<Scrubber> scrubber(new Scrubber(site, path, std::move(tell), std::move(state)));
  site.shares.watch_damage([at = scrubber.get()](const ShareId& share, const std::string& why) {
    at->note(share, why);
  });
  return scrubber;
}

Scrubber::Scrubber(control::SiteContext& site, std::string path, Tell tell, ScrubState state)
    : site_(site), path_(std::move(path)), tell_(std::move(tell)), state_(std::move(state)) {}

void Scrubber::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Scrubber::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  save();
}

void Scrubber::hurry() {
  const std::lock_guard lock(mutex_);
  hurried_ = true;
  // Whoever asks means every share, also those that the pass under way has read already.
  if (running_) {
    again_ = true;
  } else {
    state_.started = {};
  }
  wake_.notify_all();
}

ScrubStatus Scrubber::status() const {
  ScrubStatus status{.state = {}, .rate = site_.config.scrub_rate, .running = running_};
  if (const auto totals = site_.shares.totals()) status.total_bytes = totals->bytes;
  const std::lock_guard lock(mutex_);
  status.state = state_;
  return status;
}

std::vector<ShareId> Scrubber::damaged() const {
  const std::lock_guard lock(mutex_);
  std::vector<ShareId> shares;
  for (const auto& [share, damage] : state_.damage) shares.push_back(share);
  return shares;
}

void Scrubber::note(const ShareId& share, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (state_.damage.contains(share) || state_.damage.size() >= kMaxDamages) return;
    state_.damage[share] = {why, site_.system.clock.now(), false};
    wake_.notify_all();
  }
  log_error(why);
  const auto noted = site_.log.append("share_damaged", {{"share", share.text()}});
  if (!noted) log_error(noted.error().message);
}

void Scrubber::save() {
  ScrubState state;
  {
    const std::lock_guard lock(mutex_);
    state = state_;
  }
  saved_ = site_.system.clock.monotonic();
  if (const auto saved = save_scrub_state(site_.system.files, path_, state); !saved) {
    log_warning(saved.error().message);
  }
}

bool Scrubber::is_due() {
  const std::lock_guard lock(mutex_);
  if (hurried_) return true;
  if (site_.config.scrub_rate == 0) return false;
  const std::chrono::milliseconds since(site_.system.clock.now().value - state_.finished.value);
  return state_.started.value != 0 || since >= site_.config.scrub_interval;
}

void Scrubber::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    tell_all();
    if (is_due()) {
      running_ = true;
      pass(stop);
      running_ = false;
      continue;
    }
    std::unique_lock lock(mutex_);
    const auto untold = [&] {
      return std::ranges::any_of(state_.damage,
                                 [](const auto& entry) { return !entry.second.told; });
    };
    const bool waits_for_control = untold();
    wake_.wait_for(lock, stop, kLook, [&] { return hurried_ || (!waits_for_control && untold()); });
  }
}

void Scrubber::pass(const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex_);
    if (state_.started.value == 0) {
      state_.started = site_.system.clock.now();
      state_.at = {};
      state_.record = state_.read_bytes = 0;
      // Once a pass share control hears again of what is still damaged.
      for (auto& [share, damage] : state_.damage) damage.told = false;
    }
  }
  pace_ = site_.system.clock.monotonic();
  const auto listing = site_.shares.inventory();
  if (!listing) {
    log_error(listing.error().message);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kLook, [] { return false; });
    return;
  }
  note_unreadable(listing->problems);
  forget_gone(listing->shares);
  for (const store::ShareSummary& share : listing->shares) {
    if (share.share < state_.at) continue;
    if (!read_share(share.share, stop)) return save();
    tell_all();
  }
  {
    const std::lock_guard lock(mutex_);
    state_.started = {};
    if (!again_) {
      state_.finished = site_.system.clock.now();
      ++state_.passes;
      hurried_ = false;
    }
    again_ = false;
  }
  save();
}

bool Scrubber::read_share(const ShareId& share, const std::stop_token& stop) {
  bool from_start = true;
  {
    const std::lock_guard lock(mutex_);
    if (state_.at != share) state_.record = 0;
    state_.at = share;
    from_start = state_.record == 0;
  }
  const auto reader = site_.shares.open(share);
  if (!reader) {
    if (reader.error().code == Code::kCorrupt) note(share, error_text(reader.error()));
    return true;  // deleted since, or told
  }
  if (!(*reader)->header_damage().empty()) mend_header(**reader);
  bool good = true;
  const store::ShareLayout& layout = (*reader)->layout();
  Bytes record(layout.record_length({0}));
  for (std::uint64_t i = state_.record; i < layout.chunk_count(); ++i) {
    if (stop.stop_requested()) return false;
    if (const auto read = (*reader)->verify({i}, record); !read) {
      good = false;
      note(share, error_text(read.error()));
    }
    const std::uint64_t bytes = layout.record_offset({i + 1}) - layout.record_offset({i});
    {
      const std::lock_guard lock(mutex_);
      state_.record = i + 1;
      state_.read_bytes += bytes;
    }
    if (site_.system.clock.monotonic() - saved_ > kSaveInterval) save();
    keep_pace(bytes, stop);
  }
  const std::lock_guard lock(mutex_);
  if (good && from_start) state_.damage.erase(share);
  return true;
}

// One of the two copies is good, and says what the other has to say.
void Scrubber::mend_header(const store::ShareReader& reader) {
  const store::ShareHeader& header = reader.header();
  log_error(reader.header_damage() + "; it is written anew from the other copy");
  const auto mended =
      site_.shares.complete(header.share, {.siblings = header.siblings,
                                           .entropy_origins = header.entropy_origins,
                                           .computational = header.computational});
  if (!mended) return note(header.share, error_text(mended.error()));
  const auto noted = site_.log.append("header_mended", {{"share", header.share.text()}});
  if (!noted) log_error(noted.error().message);
}

void Scrubber::keep_pace(std::uint64_t bytes, const std::stop_token& stop) {
  const std::uint64_t rate = site_.config.scrub_rate;
  if (rate == 0) return;
  pace_ += std::chrono::nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(rate)));
  while (!stop.stop_requested()) {
    const auto now = site_.system.clock.monotonic();
    // What was not used in time is not made up for.
    pace_ = std::max(pace_, now - std::chrono::seconds(1));
    std::unique_lock lock(mutex_);
    if (hurried_ || now >= pace_) return;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(pace_ - now);
    wake_.wait_for(lock, stop, std::min(left + std::chrono::milliseconds(1), kStep),
                   [&] { return hurried_; });
  }
}

void Scrubber::note_unreadable(const std::vector<store::ShareProblem>& problems) {
  for (const store::ShareProblem& problem : problems) {
    const auto share = share_of_path(problem.path);
    if (share && !problem.usable) note(*share, problem.reason);
  }
}

// Damage of shares that are not here any more.
void Scrubber::forget_gone(const std::vector<store::ShareSummary>& there) {
  const std::lock_guard lock(mutex_);
  std::erase_if(state_.damage, [&](const auto& entry) {
    const bool listed =
        std::ranges::binary_search(there, entry.first, {}, &store::ShareSummary::share);
    if (listed) return false;
    const auto opened = site_.shares.open(entry.first);
    return !opened && opened.error().code == Code::kNotFound;
  });
}

void Scrubber::tell_all() {
  std::vector<ShareId> untold;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [share, damage] : state_.damage) {
      if (!damage.told) untold.push_back(share);
    }
  }
  if (untold.empty()) return;
  if (const auto told = tell_(untold); !told) {
    log_warning("share control has not heard of damaged shares yet: " + told.error().message);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    for (const ShareId& share : untold) {
      if (const auto known = state_.damage.find(share); known != state_.damage.end()) {
        known->second.told = true;
      }
    }
  }
  save();
}

}  // namespace warifu::upkeep
