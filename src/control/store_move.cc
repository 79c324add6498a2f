// The data path of a store: staged chunks are tagged, cut and moved.
#include <algorithm>

#include "control/key_account.h"
#include "control/store_job.h"

namespace warifu::control {
namespace {

// Staged chunks as tagged records; every tag also goes into the tag over all tags.
class TaggedInput final : public CutInput {
 public:
  TaggedInput(StagingReader& staging, const mac::Key& key, const ObjectId& object,
              const sharing::Chunking& chunking)
      : staging_(staging),
        key_(key),
        object_(object),
        chunking_(chunking),
        tagger_(key, object, chunking) {}

  Result<> read(ChunkIndex index, MutableBytes record) override {
    TRY(staging_.read(index, record));
    tagger_.add(sharing::finish_record(key_, object_, index, chunking_.length(index), record));
    return {};
  }
  [[nodiscard]] mac::Tag tag_over_tags() const { return tagger_.finish(); }

 private:
  StagingReader& staging_;
  const mac::Key& key_;
  ObjectId object_;
  sharing::Chunking chunking_;
  sharing::ObjectTagger tagger_;
};

}  // namespace

Result<std::vector<CutTarget>> StoreJob::top_targets() {
  std::vector<CutTarget> targets;
  for (const auto& share : tree_.top_shares()) {
    TRY_ASSIGN(planner::Route route, parse_route(share.route));
    targets.push_back({share.last_site, tree_.spec_of(share), std::move(route)});
  }
  return targets;
}

Result<Cutting> StoreJob::prepare_cut() {
  TRY_ASSIGN(std::vector<CutTarget> targets, top_targets());
  return Cutting::prepare(engine_.site(), engine_.own().uploads(), tree_.policy.scheme,
                          sharing::RecordLayout(chunking_), std::move(targets), job_id_);
}

Result<> StoreJob::move() {
  SiteContext& site = engine_.site();
  if (tree_.top_shares().size() != tree_.policy.scheme.shares) {
    return fail(Code::kCorrupt, "the plan of job " + job_id_.text() + " does not fit its policy");
  }
  TRY_ASSIGN(Cutting cutting, prepare_cut());
  TRY_ASSIGN(auto staging, StagingReader::open(site.system, staging_path(),
                                               secrets_.staging_key.bytes(), chunking_));
  const mac::Key key(secrets_.hash_key.bytes());
  TaggedInput input(staging, key, tree_.object.object, chunking_);
  // Chunks that an earlier run has moved: tagged again for the tag over all tags, not cut again.
  for (std::uint64_t i = 0; i < cutting.first_chunk(); ++i) {
    secret::Buffer record(chunking_.record_length({i}));
    TRY(input.read({i}, record.bytes()));
  }
  const auto top = tree_.top_shares();
  const sharing::RecordLayout shares = tree_.records_of(top.front());
  const auto bytes_until = [&](std::uint64_t end) { return shares.lengths({0}, end) * top.size(); };
  const auto progress = [&](std::uint64_t done, std::uint64_t) -> Result<> {
    if (show_bytes(bytes_until(done))) return {};
    return fail(Code::kCancelled, "the job is interrupted");
  };
  TRY(cutting.run(input, {progress, [&] { return keep_waiting(); }}));
  cut_entropy_ = cutting.report().entropy;
  secrets_.tag = input.tag_over_tags();
  TRY(save_secrets());
  return save(catalog::JobState::kRunning, "commit");
}

}  // namespace warifu::control
