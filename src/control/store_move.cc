// The data path of a store: read, tag, split, keep what stays here, send the others.
#include <algorithm>

#include "control/store_job.h"

namespace warifu::control {
namespace {
constexpr std::chrono::milliseconds kSaveInterval(500);
}

channel::KeepWaiting StoreJob::keep_waiting() {
  return [this] {
    if (engine_.stopping()) return false;
    if (job_.state != catalog::JobState::kWaitingKey) {
      (void)save(catalog::JobState::kWaitingKey, job_.step);  // shown to people only
    }
    return true;
  };
}

void StoreJob::show_progress(std::uint64_t bytes) {
  os::Clock& clock = engine_.site().system.clock;
  const auto now = clock.monotonic();
  if (now - last_saved_ < kSaveInterval) return;
  last_saved_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  job_.progress_bytes = std::min(job_.total_bytes, bytes);
  if (seconds > 1 && bytes > started_bytes_) {
    const double rate = static_cast<double>(bytes - started_bytes_) / seconds;
    const double left = static_cast<double>(job_.total_bytes - job_.progress_bytes) / rate;
    job_.expected_end = os::UnixMs{clock.now().value + static_cast<std::int64_t>(left * 1000)};
  }
  job_.error.clear();
  (void)save(catalog::JobState::kRunning, job_.step);  // shown to people only
}

Result<> StoreJob::move() {
  SiteContext& site = engine_.site();
  const auto top = top_shares();
  if (top.size() != policy_.children.size()) {
    return fail(Code::kCorrupt, "the plan of job " + job_id_.text() + " does not fit its policy");
  }
  const catalog::Share* kept = nullptr;
  std::vector<FanOut::Target> targets;
  for (const auto& share : top) {
    if (*share.site == site.config.name) {
      kept = &share;
    } else {
      targets.push_back({*share.site, spec_of(share)});
    }
  }
  std::uint64_t own_durable = chunking_.chunk_count();
  if (kept != nullptr) {
    TRY_ASSIGN(own_durable, engine_.own().uploads().prepare(spec_of(*kept), site.config.name));
  }
  TRY_ASSIGN(FanOut fan, FanOut::prepare(site, std::move(targets), job_id_));
  const std::uint64_t first = std::min(own_durable, fan.first_chunk());
  if (first == chunking_.chunk_count()) {
    // All is there already; only the tag over tags must be computed again.
    TRY_ASSIGN(auto staging, StagingReader::open(site.system, staging_path(),
                                                 secrets_.staging_key.bytes(), chunking_));
    const mac::Key key(secrets_.hash_key.bytes());
    sharing::ObjectTagger tagger(key, object_.object, chunking_);
    TRY(tag_chunks(staging, key, tagger, first));
    secrets_.tag = tagger.finish();
  } else if (kept == nullptr) {
    TRY(move_chunks(fan, nullptr, first));
  } else {
    TRY_ASSIGN(auto own, engine_.own().uploads().take(kept->share, first, site.config.name));
    const Result<> moved = move_chunks(fan, own.get(), first);
    engine_.own().uploads().give_back(kept->share, std::move(own));
    TRY(moved);
  }
  TRY(save_secrets());
  return save(catalog::JobState::kRunning, "commit");
}

// Tags of chunks that an earlier run has moved: read, not split again.
Result<> StoreJob::tag_chunks(StagingReader& staging, const mac::Key& key,
                              sharing::ObjectTagger& tagger, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    secret::Buffer record(chunking_.record_length({i}));
    TRY(staging.read({i}, record.bytes()));
    tagger.add(
        sharing::finish_record(key, object_.object, {i}, chunking_.length({i}), record.bytes()));
  }
  return {};
}

Result<> StoreJob::move_chunks(FanOut& fan, store::ShareWriter* own, std::uint64_t first) {
  SiteContext& site = engine_.site();
  TRY_ASSIGN(auto staging, StagingReader::open(site.system, staging_path(),
                                               secrets_.staging_key.bytes(), chunking_));
  const mac::Key key(secrets_.hash_key.bytes());
  sharing::ObjectTagger tagger(key, object_.object, chunking_);
  TRY(tag_chunks(staging, key, tagger, first));
  TRY(fan.start(first, keep_waiting()));
  TRY_ASSIGN(const sharing::Splitter splitter, first_given(policy_.scheme));
  const auto top = top_shares();
  const sharing::RecordLayout shares = records_of(top.front());
  const auto bytes_until = [&](std::uint64_t end) { return shares.lengths({0}, end) * top.size(); };
  started_bytes_ = bytes_until(first);
  std::uint64_t synced = first;
  for (std::uint64_t i = first; i < chunking_.chunk_count(); ++i) {
    if (engine_.stopping()) return fail(Code::kCancelled, "the site is stopping");
    const std::size_t size = chunking_.record_length({i});
    secret::Buffer record(policy_.scheme.padded(size));
    TRY(staging.read({i}, record.bytes().first(size)));
    tagger.add(sharing::finish_record(key, object_.object, {i}, chunking_.length({i}),
                                      record.bytes().first(size)));
    std::vector<secret::Buffer> made = split_record(splitter, record.bytes(), site.system.random);
    std::vector<secret::Buffer> sent;
    for (std::size_t j = 0; j < made.size(); ++j) {
      if (*top[j].site == site.config.name) {
        TRY(own->append(made[j].bytes()));
      } else {
        sent.push_back(std::move(made[j]));
      }
    }
    TRY(fan.send(sent));
    if (fan.acknowledged() > synced) {
      if (own != nullptr) TRY(own->sync());
      synced = fan.acknowledged();
    }
    show_progress(bytes_until(i + 1));
  }
  if (own != nullptr) TRY(own->sync());
  TRY(fan.finish());
  secrets_.tag = tagger.finish();
  return {};
}

}  // namespace warifu::control
