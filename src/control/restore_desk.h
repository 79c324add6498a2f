// Restores: streams verified plaintext to a reader under a grant.
//
// Every byte that leaves has passed its chunk's tag under the card's hash key. A source that fails
// is replaced by the next cheapest legal set; a source that lies is named and left out. The job in
// the catalog lets an interrupted restore go on from a chunk under the same use of the grant.
#pragma once

#include <functional>
#include <mutex>
#include <set>

#include "catalog/catalog.h"
#include "control/restore_plan.h"
#include "control/sealed_secret.h"
#include "control/share_service.h"

namespace warifu::control {

struct RestoreWish {
  ObjectId object;
  GrantId grant;
  std::string using_letters;  // "A,C1,C2"; empty: any
  std::string gather;
  std::string purpose;         // claimed; empty: the grant's
  consent::Grantee grantee;    // who asks
  consent::Statements stated;  // what the use will be
  consent::Scope scope;        // how much of the object
};

// Receives verified plaintext in order; an error ends the restore.
using PlainSink = std::function<Result<>(ByteView plain)>;

class RestoreDesk {
 public:
  RestoreDesk(SiteContext& site, ShareService& own, catalog::Catalog& catalog)
      : site_(site), own_(own), catalog_(catalog) {}

  // Records a job. Errors: kNotFound, kInvalidArgument.
  [[nodiscard]] Result<JobId> begin(const RestoreWish& wish);
  // Runs a job from the byte offset `from`, which must be a multiple of the chunk size.
  [[nodiscard]] Result<> stream(const JobId& job, std::uint64_t from, const PlainSink& sink);
  // Length of the object that a restore job is about.
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

  SiteContext& site_;
  ShareService& own_;
  catalog::Catalog& catalog_;
  std::mutex mutex_;
  std::set<JobId> running_;
};

}  // namespace warifu::control
