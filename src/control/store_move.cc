// The data path of a store: read, tag, split, keep A, send B and C.
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

void StoreJob::show_progress(std::uint64_t chunks) {
  os::Clock& clock = engine_.site().system.clock;
  const auto now = clock.monotonic();
  if (now - last_saved_ < kSaveInterval) return;
  last_saved_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  job_.progress_bytes =
      std::min(job_.total_bytes, chunks * (chunking_.chunk_bytes + sharing::kTagBytes));
  if (seconds > 1 && chunks > started_chunks_) {
    const double rate = static_cast<double>(chunks - started_chunks_) *
                        (chunking_.chunk_bytes + sharing::kTagBytes) / seconds;
    const double left = static_cast<double>(job_.total_bytes - job_.progress_bytes) / rate;
    job_.expected_end = os::UnixMs{clock.now().value + static_cast<std::int64_t>(left * 1000)};
  }
  job_.error.clear();
  (void)save(catalog::JobState::kRunning, job_.step);  // shown to people only
}

Result<> StoreJob::move() {
  SiteContext& site = engine_.site();
  const auto top = top_shares();
  if (top.size() != sharing::kShareCount || *top[0].site != site.config.name) {
    return fail(Code::kCorrupt, "the plan of job " + job_id_.text() + " does not keep A here");
  }
  std::vector<FanOut::Target> targets;
  for (std::size_t i = 1; i < top.size(); ++i) targets.push_back({*top[i].site, spec_of(top[i])});
  TRY_ASSIGN(const std::uint64_t own_durable,
             engine_.own().uploads().prepare(spec_of(top[0]), site.config.name));
  TRY_ASSIGN(FanOut fan, FanOut::prepare(site, std::move(targets), job_id_));
  const std::uint64_t first = std::min(own_durable, fan.first_chunk());
  if (own_durable == chunking_.chunk_count() && first == own_durable) {
    // All is there already; only the tag over tags must be computed again.
    TRY_ASSIGN(auto staging, StagingReader::open(site.system, staging_path(),
                                                 secrets_.staging_key.bytes(), chunking_));
    const mac::Key key(secrets_.hash_key.bytes());
    sharing::ObjectTagger tagger(key, object_.object, chunking_);
    TRY(tag_chunks(staging, key, tagger, first));
    secrets_.tag = tagger.finish();
  } else {
    TRY_ASSIGN(auto own, engine_.own().uploads().take(top[0].share, first, site.config.name));
    const Result<> moved = move_chunks(fan, *own, first);
    engine_.own().uploads().give_back(top[0].share, std::move(own));
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

Result<> StoreJob::move_chunks(FanOut& fan, store::ShareWriter& own, std::uint64_t first) {
  SiteContext& site = engine_.site();
  TRY_ASSIGN(auto staging, StagingReader::open(site.system, staging_path(),
                                               secrets_.staging_key.bytes(), chunking_));
  const mac::Key key(secrets_.hash_key.bytes());
  sharing::ObjectTagger tagger(key, object_.object, chunking_);
  TRY(tag_chunks(staging, key, tagger, first));
  TRY(fan.start(first, keep_waiting()));
  started_chunks_ = first * sharing::kShareCount;
  std::uint64_t synced = first;
  std::array<secret::Buffer, 2> sent;
  for (std::uint64_t i = first; i < chunking_.chunk_count(); ++i) {
    if (engine_.stopping()) return fail(Code::kCancelled, "the site is stopping");
    const std::size_t size = chunking_.record_length({i});
    secret::Buffer record(size);
    TRY(staging.read({i}, record.bytes()));
    tagger.add(
        sharing::finish_record(key, object_.object, {i}, chunking_.length({i}), record.bytes()));
    secret::Buffer share_a(size);
    for (auto& share : sent) share = secret::Buffer(size);
    site.system.random.fill(share_a.bytes());
    sharing::split(record.bytes(), share_a.bytes(), sent[0].bytes(), sent[1].bytes());
    TRY(own.append(share_a.bytes()));
    TRY(fan.send(sent));
    if (fan.acknowledged() > synced) {
      TRY(own.sync());
      synced = fan.acknowledged();
    }
    show_progress((i + 1) * sharing::kShareCount);
  }
  TRY(own.sync());
  TRY(fan.finish());
  secrets_.tag = tagger.finish();
  return {};
}

}  // namespace warifu::control
