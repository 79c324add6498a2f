// Stores that lie, and the list of bugs.
#include "testing/cluster_bugs.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "planner/policy.h"
#include "testing/cluster_run.h"

namespace warifu::sim {
namespace {

// Where a store lies.
enum class StoreLie : std::uint8_t {
  kKeepsWhatIsDeleted,  // remove() does nothing
  kSeesNoRot,           // verify() finds everything right
  kWritesOther,         // one bit of what a site was sent is another on its disk
  kListsAnother,        // lists show B where C is
  kWritesOtherParts,    // as kWritesOther, but only parts of a share that was cut again
  kKeepsWhatWasCut,     // remove() does nothing for a share that the policy cuts again
};

class LyingWriter final : public store::ShareWriter {
 public:
  LyingWriter(std::unique_ptr<store::ShareWriter> below, std::size_t depth)
      : below_(std::move(below)), depth_(depth) {}
  const store::ShareHeader& header() const override { return below_->header(); }
  const store::ShareLayout& layout() const override { return below_->layout(); }
  ChunkIndex next_chunk() const override { return below_->next_chunk(); }
  std::uint64_t durable_chunks() const override { return below_->durable_chunks(); }
  Result<> append(ByteView record) override {
    Bytes other(record.begin(), record.end());
    if (header().path.index() == 2 && header().path.size() >= depth_) other.front() ^= 1;
    return below_->append(other);
  }
  Result<> sync() override { return below_->sync(); }
  Result<> truncate_to(ChunkIndex chunk) override { return below_->truncate_to(chunk); }
  Result<> commit() override { return below_->commit(); }
  Result<> abandon() override { return below_->abandon(); }

 private:
  std::unique_ptr<store::ShareWriter> below_;
  std::size_t depth_;  // of the shallowest share that it spoils
};

class LyingReader final : public store::ShareReader {
 public:
  explicit LyingReader(std::unique_ptr<store::ShareReader> below) : below_(std::move(below)) {}
  const store::ShareHeader& header() const override { return below_->header(); }
  const store::ShareLayout& layout() const override { return below_->layout(); }
  const std::string& header_damage() const override { return below_->header_damage(); }
  Result<> read(ChunkIndex first, std::uint64_t count, MutableBytes out) override {
    return below_->read(first, count, out);
  }
  Result<> verify(ChunkIndex, MutableBytes) override { return {}; }

 private:
  std::unique_ptr<store::ShareReader> below_;
};

class LyingStore final : public store::ShareStore {
 public:
  LyingStore(std::unique_ptr<store::ShareStore> below, StoreLie lie)
      : below_(std::move(below)), lie_(lie) {}
  Result<std::unique_ptr<store::ShareWriter>> create(const store::ShareHeader& header) override {
    return bent(below_->create(header));
  }
  Result<std::unique_ptr<store::ShareWriter>> reopen(const ShareId& share) override {
    return bent(below_->reopen(share));
  }
  Result<std::unique_ptr<store::ShareReader>> open(const ShareId& share) override {
    auto reader = below_->open(share);
    if (!reader || lie_ != StoreLie::kSeesNoRot) return reader;
    return std::make_unique<LyingReader>(std::move(*reader));
  }
  Result<> remove(const ShareId& share) override {
    if (lie_ == StoreLie::kKeepsWhatIsDeleted) return {};
    if (lie_ == StoreLie::kKeepsWhatWasCut && is_cut_again(share)) return {};
    return below_->remove(share);
  }
  Result<store::ShareListing> list() override { return renamed(below_->list()); }
  Result<store::Inventory> inventory() override { return renamed(below_->inventory()); }
  Result<std::vector<store::ShareSummary>> shares_of(const ObjectId& object) override {
    auto shares = below_->shares_of(object);
    if (shares && lie_ == StoreLie::kListsAnother) rename(*shares);
    return shares;
  }
  Result<store::StoreTotals> totals() override { return below_->totals(); }
  Result<store::PartialListing> list_partial() override { return below_->list_partial(); }
  Result<> complete(const ShareId& share, const store::Completion& completion) override {
    return below_->complete(share, completion);
  }
  void watch_damage(store::DamageWatch watch) override { below_->watch_damage(std::move(watch)); }
  Result<std::uint64_t> free_bytes() override { return below_->free_bytes(); }

 private:
  [[nodiscard]] bool is_cut_again(const ShareId& share) const {
    const auto reader = below_->open(share);
    if (!reader) return false;
    const auto policy = planner::parse_policy((*reader)->header().policy);
    const auto* node = policy ? policy->find((*reader)->header().path) : nullptr;
    return node != nullptr && !node->is_leaf();
  }
  template <typename Listing>
  Result<Listing> renamed(Result<Listing> listing) const {
    if (listing && lie_ == StoreLie::kListsAnother) rename(listing->shares);
    return listing;
  }
  static void rename(auto& shares) {
    for (auto& share : shares) {
      if (share.path.index() == 2) share.path = share.path.parent().part(1);
    }
  }
  Result<std::unique_ptr<store::ShareWriter>> bent(
      Result<std::unique_ptr<store::ShareWriter>> writer) {
    const bool spoils = lie_ == StoreLie::kWritesOther || lie_ == StoreLie::kWritesOtherParts;
    if (!writer || !spoils) return writer;
    return std::make_unique<LyingWriter>(std::move(*writer),
                                         lie_ == StoreLie::kWritesOtherParts ? 2 : 1);
  }

  std::unique_ptr<store::ShareStore> below_;
  StoreLie lie_;
};

ClusterBugs lying_store(StoreLie lie) {
  return {.parts = {.store = [lie](std::unique_ptr<store::ShareStore> below) {
            return std::make_unique<LyingStore>(std::move(below), lie);
          }}};
}

std::vector<ClusterBug> make_bugs() {
  using C = ClusterCounts;
  const std::vector<std::uint64_t C::*> gone = {&C::missing, &C::lost, &C::unhealed};
  return {
      {"share_names_not_synced", {.files = {.share_names_not_synced = true}}, gone},
      {"shares_not_synced", {.files = {.shares_not_synced = true}}, gone},
      {"marks_not_synced", {.files = {.marks = {.never_synced = true}}}, {&C::reused}},
      {"marks_one_behind", {.files = {.marks = {.one_behind = true}}}, {&C::reused}},
      {"keeps_what_is_deleted", lying_store(StoreLie::kKeepsWhatIsDeleted), {&C::orphans}},
      {"scrub_sees_no_rot", lying_store(StoreLie::kSeesNoRot), {&C::lost}},
      {"writes_other_bytes", lying_store(StoreLie::kWritesOther), {&C::wrong}},
      // Only a rebuild asks where shares stand.
      {"lists_another",
       lying_store(StoreLie::kListsAnother),
       {&C::wrong, &C::lost, &C::missing, &C::unhealed, &C::forgotten},
       true},
      {"reads_blind", {.reads_blind = true}, {&C::wrong}},
      // Only a network whose policy cuts a share again has these.
      {"writes_other_parts",
       lying_store(StoreLie::kWritesOtherParts),
       {&C::wrong},
       false,
       "nested"},
      // Only after a rebuild does such a share stand without a job.
      {"leaves_whole", {.leaves_whole = true}, {&C::unhealed}, true, "nested"},
      {"keeps_what_was_cut",
       lying_store(StoreLie::kKeepsWhatWasCut),
       {&C::orphans},
       false,
       "nested"},
  };
}

}  // namespace

std::span<const ClusterBug> cluster_seeded_bugs() {
  static const std::vector<ClusterBug> bugs = make_bugs();
  return bugs;
}

namespace {

// In a process of its own, because a bug may also break an invariant or keep a run from its end.
bool shows(const ClusterBug& bug, std::uint64_t seed) {
  const pid_t child = ::fork();
  WARIFU_CHECK(child >= 0);
  if (child == 0) {
    const int nowhere = ::dup2(::fileno(std::tmpfile()), STDERR_FILENO);
    const ClusterOutcome outcome = run_cluster({.seed = seed,
                                                .bugs = bug.bugs,
                                                .burn_control = bug.burn_control,
                                                .shape = std::string(bug.shape)});
    const bool is_due =
        std::ranges::any_of(bug.due, [&](const auto count) { return outcome.counts.*count > 0; });
    ::_exit(nowhere >= 0 && is_due ? 1 : 0);
  }
  int status = 0;
  WARIFU_CHECK(::waitpid(child, &status, 0) == child);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

std::optional<std::uint64_t> seed_that_shows(const ClusterBug& bug, std::uint64_t seeds) {
  for (const ClusterShape* shape : cluster_shapes()) {
    (void)cluster_images(*shape);  // made once, for all children
  }
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (shows(bug, seed)) return seed;
  }
  return std::nullopt;
}

}  // namespace warifu::sim
