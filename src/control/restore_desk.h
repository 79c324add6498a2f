// Restores: streams verified plaintext to a reader under a grant: the whole, as the file was stored
// (without the lead of a genome object), or regions, of which only the chunks that hold them are
// fetched, by every holder's own check of the grant.
//
// Every byte that leaves has passed its chunk's tag under the card's hash key. A source that fails
// is replaced by the next cheapest legal set; a source that lies is named and left out. The job in
// the catalog lets an interrupted restore go on from a chunk under the same use of the grant.
#pragma once

#include <functional>
#include <mutex>
#include <set>

#include "catalog/catalog.h"
#include "control/region_cuts.h"
#include "control/sealed_secret.h"
#include "control/share_service.h"
#include "genome/tool.h"
#include "planner/restore_plan.h"

namespace warifu::control {

struct RestoreWish {
  ObjectId object;
  GrantId grant;
  std::string using_letters;  // "A,C1,C2"; empty: any
  std::string gather;
  std::string purpose;         // claimed; empty: the grant's
  consent::Grantee grantee;    // who asks
  consent::Statements stated;  // what the use will be
  consent::Scope scope;        // how much of the object: all, regions, or a grant's index
  std::string format;          // of regions: bam, cram, vcf, bcf; empty: as the file is
  std::size_t sites = 0;       // so many single places, by read_sites(), and nothing else
};

// What reads say at single places, by the sandboxed process.
struct SiteReading {
  // Under a consent to the whole: where they are. Under one to regions these are read, and whoever
  // asks names no site outside.
  consent::Scope places;
  genome::Task task;  // sites and qualities; the rest is filled in
};

// What regions will take out of the object's file.
struct RegionReading {
  genome::FileKind kind = genome::FileKind::kCram;
  std::uint64_t bytes = 0;  // packed, as they stand there
};
// Whether they may be read. Of its errors kNoSpace leaves a job that may go on.
using ReadingCheck = std::function<Result<>(const RegionReading&)>;

// Receives verified plaintext in order; an error ends the restore.
using PlainSink = std::function<Result<>(ByteView plain)>;
// The same, chunk by chunk.
using ChunkSink = std::function<Result<>(std::uint64_t chunk, ByteView plain)>;

class ChunkWindow;

class RestoreDesk {
 public:
  RestoreDesk(SiteContext& site, ShareService& own, catalog::Catalog& catalog)
      : site_(site), own_(own), catalog_(catalog) {}

  // Records a job. Errors: kNotFound, kInvalidArgument, kRefused (more than the consent).
  [[nodiscard]] Result<JobId> begin(const RestoreWish& wish);
  // A job for the same that broke off, so that no other use is taken; under a consent to the whole
  // it may have been for other regions. Nothing: there is none. Errors: as begin().
  [[nodiscard]] Result<std::optional<JobId>> go_on(const RestoreWish& wish);
  // Nothing where only the index tells, which is read under the same consent. No use is taken.
  // Errors: as begin().
  [[nodiscard]] Result<std::optional<RegionReading>> reading_of(const RestoreWish& wish);
  // Runs a job from the byte offset `from` of the file, which must be a multiple of the chunk size;
  // of regions it is 0, and a new run begins anew, without another use. `check` is asked before
  // regions are read of which reading_of() could not tell.
  [[nodiscard]] Result<> stream(const JobId& job, std::uint64_t from, const PlainSink& sink,
                                const ReadingCheck& check = {});
  // Reads the chunks of a consent to the index, into locked memory.
  [[nodiscard]] Result<secret::Buffer> read_index(const JobId& job);
  // Runs a job that was begun for sites; under a consent to the whole only the chunks that hold
  // them are fetched. One entry for each of the task's sites.
  [[nodiscard]] Result<std::vector<genome::SitePileup>> read_sites(const JobId& job,
                                                                   const SiteReading& wish);
  // Key over all links that reading these chunks would cost now, if the job's consent were for
  // them.
  [[nodiscard]] Result<std::uint64_t> key_bytes(const JobId& job,
                                                const consent::ChunkRanges& chunks);
  // Bytes that the job will give; of regions: that it will read.
  [[nodiscard]] Result<std::uint64_t> length(const JobId& job);

 private:
  // One reader per job at a time.
  class Running {
   public:
    Running(RestoreDesk& desk, const JobId& job) : desk_(desk), job_(job) {
      const std::lock_guard lock(desk_.mutex_);
      is_first_ = desk_.running_.insert(job_).second;
    }
    ~Running() {
      const std::lock_guard lock(desk_.mutex_);
      if (is_first_) desk_.running_.erase(job_);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    [[nodiscard]] bool is_first() const { return is_first_; }

   private:
    RestoreDesk& desk_;
    JobId job_;
    bool is_first_ = false;
  };

  struct Plan;  // what the job's record says beside the sources
  class Run;
  using Reading = std::function<Result<>(Run&)>;
  // What is presented to the holders, and what is wanted.
  Result<Plan> plan_of(const RestoreWish& wish, const catalog::Grant& grant) const;
  // A line in the log before anything is done.
  Result<> note_asked(const JobId& job, const RestoreWish& wish);
  // An attempt at a job: opens the stream, reads, keeps up the record.
  Result<> attempt(const catalog::Job& job, std::uint64_t from, const Reading& reading);
  Result<catalog::Job> resumable(const JobId& job);
  Result<> read_whole(Run& run, std::uint64_t from, const PlainSink& sink);
  Result<> read_regions(Run& run, const Plan& plan, const PlainSink& sink,
                        const ReadingCheck& check);
  Result<> room_for_index(std::uint64_t bytes) const;
  // The object's index, read under a consent to the whole.
  Result<genome::Lead> read_lead(Run& run);
  // Fetches the chunks of a cut for whoever reads the window.
  using WindowUse = std::function<Result<>(ChunkWindow& window, const genome::Task& task)>;
  Result<> with_window(Run& run, const RegionCuts& cuts, const RegionCut& one,
                       const WindowUse& use);
  std::string reference_of(const std::string& assembly) const;

  SiteContext& site_;
  ShareService& own_;
  catalog::Catalog& catalog_;
  std::mutex begin_;  // from choosing a use to the job that has it
  std::mutex mutex_;
  std::set<JobId> running_;
};

}  // namespace warifu::control
