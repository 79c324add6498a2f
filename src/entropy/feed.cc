// Reading, testing, conditioning, and what becomes of a source that fails.
#include "entropy/feed.h"

#include <algorithm>

#include "base/log.h"

namespace warifu::entropy {

std::string_view state_name(FeedState state) {
  switch (state) {
    case FeedState::kUntested: return "untested";
    case FeedState::kHealthy: return "healthy";
    case FeedState::kUnavailable: return "unavailable";
    case FeedState::kFailed: return "failed";
  }
  return "unknown";
}

Feed::Feed(FeedSettings settings, std::unique_ptr<Source> source, os::Clock& clock,
           os::Random& seed_random)
    : settings_(std::move(settings)),
      source_(std::move(source)),
      clock_(clock),
      tests_(entropy::cutoffs(settings_.min_entropy, settings_.alpha_log2)) {
  if (settings_.condition && settings_.min_entropy < kFullEntropy) {
    condenser_.emplace(settings_.min_entropy,
                       [&](MutableBytes out) { seed_random.fill(out); });
  }
  status_.settings = settings_;
  status_.cutoffs = tests_.cutoffs();
  status_.raw_per_block = condenser_ ? condenser_->raw_bytes() : 0;
}

FeedStatus Feed::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Result<> Feed::start() {
  const std::lock_guard reading(reading_);
  return start_locked();
}

Result<> Feed::readmit() {
  const std::lock_guard reading(reading_);
  {
    const std::lock_guard lock(mutex_);
    if (status_.state == FeedState::kHealthy) return {};
    status_.state = FeedState::kUntested;
    retry_at_ = {};
  }
  log_warning("random numbers: source '" + settings_.name + "' is to be taken in again");
  return start_locked();
}

Result<> Feed::start_locked() {
  {
    const std::lock_guard lock(mutex_);
    if (status_.state == FeedState::kHealthy) return {};
    if (status_.state == FeedState::kFailed) return fail(Code::kRefused, status_.problem);
    if (status_.state == FeedState::kUnavailable && clock_.monotonic() < retry_at_) {
      return fail(Code::kUnavailable, status_.problem);
    }
  }
  tests_.restart();
  secret::Buffer unused(kStartupSamples);
  TRY(read_tested(unused.bytes()));
  const std::lock_guard lock(mutex_);
  status_.state = FeedState::kHealthy;
  status_.problem.clear();
  log_info("random numbers: source '" + settings_.name + "' passed its start-up tests");
  return {};
}

Result<> Feed::read_tested(MutableBytes out) {
  while (!out.empty()) {
    if (stopping_) return fail(Code::kCancelled, "the site stops");
    const auto got = source_->read(out);
    if (!got) return std::unexpected(unavailable(got.error()));
    WARIFU_CHECK(*got > 0 && *got <= out.size());
    if (const Verdict verdict = tests_.feed(out.first(*got)); verdict != Verdict::kGood) {
      return std::unexpected(failed(verdict));
    }
    out = out.subspan(*got);
    const std::lock_guard lock(mutex_);
    status_.raw_bytes += *got;
  }
  return {};
}

Error Feed::failed(Verdict verdict) {
  const std::lock_guard lock(mutex_);
  status_.state = FeedState::kFailed;
  ++status_.failures;
  status_.last_failure = clock_.now();
  status_.problem = "source '" + settings_.name + "' failed its " +
                    std::string(verdict_name(verdict)) + " at " +
                    os::utc_text(status_.last_failure);
  log_error("random numbers: " + status_.problem + "; it is taken out until an operator takes it " +
            "in again");
  return {Code::kRefused, status_.problem};
}

Error Feed::unavailable(const Error& why) {
  const std::lock_guard lock(mutex_);
  std::string problem = "source '" + settings_.name + "' cannot be read: " + why.message;
  if (status_.state != FeedState::kUnavailable || status_.problem != problem) {
    log_error("random numbers: " + problem);
  }
  status_.state = FeedState::kUnavailable;
  status_.problem = std::move(problem);
  retry_at_ = clock_.monotonic() + kRetryAfter;
  return {Code::kUnavailable, status_.problem};
}

Result<> Feed::take(MutableBytes out) {
  WARIFU_CHECK(out.size() % Condenser::kOutBytes == 0);
  const std::lock_guard reading(reading_);
  TRY(start_locked());
  if (condenser_) {
    secret::Buffer raw(condenser_->raw_bytes());
    for (std::size_t at = 0; at < out.size(); at += Condenser::kOutBytes) {
      TRY(read_tested(raw.bytes()));
      condenser_->condense(raw.bytes(), out.subspan(at, Condenser::kOutBytes));
    }
  } else {
    TRY(read_tested(out));
  }
  const std::lock_guard lock(mutex_);
  status_.bytes += out.size();
  return {};
}

}  // namespace warifu::entropy
