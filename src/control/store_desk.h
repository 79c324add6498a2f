// Taking a file in: the upload goes into a sealed staged copy; when it is whole, a store job
// begins.
#pragma once

#include <boost/json/object.hpp>

#include "control/jobs.h"
#include "control/reference_check.h"
#include "control/sealed_secret.h"
#include "control/staging.h"

namespace warifu::control {

struct StoreTicket {
  ObjectId object;
  JobId job;
  // What the policy's word "fragile" has allowed; of a genome, that its reference lacks.
  std::vector<std::string> warnings;
  std::optional<LackingReference> lacking;  // the same, for pages
};

// A staged file that is whole, and what it is to be.
struct StagedObject {
  JobId job;
  std::string person, label, policy;
  catalog::JobPriority priority = catalog::JobPriority::kUsual;
  std::uint64_t length = 0;       // with its lead
  std::uint32_t lead_chunks = 0;  // of a genome: chunks of manifest and index at its beginning
  ByteView key;                   // of the staging
};
// Records object and job, and starts the job; the staged files are the job's from here on. Errors:
// of the log and the catalog.
[[nodiscard]] Result<StoreTicket> start_store(JobEngine& engine, const StagedObject& staged);

// Of a genome: what of its reference this site lacks. What cannot be understood is logged: it is no
// reason not to store.
[[nodiscard]] std::optional<LackingReference> lacking_reference_of(const SiteContext& site,
                                                                   const StagedObject& staged);

// One upload. Without finish() everything staged is erased again.
class Upload {
 public:
  Upload(Upload&&) = default;
  ~Upload();
  // Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> append(ByteView plain) { return writer_->append(plain); }
  // Before finish(): whose turn the job will have.
  void set_priority(catalog::JobPriority priority) { priority_ = priority; }
  // Before finish(): the object is a genome's, and begins with so many chunks of manifest and
  // index.
  void set_lead(std::uint32_t chunks) { lead_chunks_ = chunks; }
  // Records object and job, and starts the job. Errors: kInvalidArgument (an empty file,
  // a lead without one).
  [[nodiscard]] Result<StoreTicket> finish();

 private:
  friend class StoreDesk;
  Upload(JobEngine& engine, catalog::Person person, std::string label, std::string policy);

  JobEngine* engine_;
  catalog::Person person_;
  std::string label_;
  std::string policy_;
  catalog::JobPriority priority_ = catalog::JobPriority::kUsual;
  std::uint32_t lead_chunks_ = 0;
  std::vector<std::string> warnings_;
  JobId job_;
  secret::Buffer staging_key_;
  std::unique_ptr<StagingWriter> writer_;  // empty after finish() and after a move
};

// What may be stored.
struct Admission {
  catalog::Person person;
  std::string label, policy;
  std::vector<std::string> warnings;
};

class StoreDesk {
 public:
  explicit StoreDesk(JobEngine& engine) : engine_(engine) {}
  // Whether a file of this length may be stored; errors as begin().
  [[nodiscard]] Result<Admission> admit(const std::string& person, const std::string& label,
                                        std::uint64_t length, const std::string& policy);
  [[nodiscard]] JobEngine& engine() { return engine_; }
  // `length` is what the sender announces (0: unknown): space for the staged copy and share A must
  // be there. `policy` (empty: the site's own) must make sense in this network (policy_check.h).
  // Errors: kNotFound (the person), kNoSpace, kInvalidArgument (also a policy that cannot be read),
  // kRefused (it makes no sense, or there is no legal placement).
  [[nodiscard]] Result<Upload> begin(const std::string& person, const std::string& label,
                                     std::uint64_t length, const std::string& policy);
  // What would be planned now for an object of this length (docs/api.md). Errors: kInvalidArgument,
  // kRefused naming the rules, with the sites that do not answer.
  [[nodiscard]] Result<boost::json::object> advise(std::uint64_t length, const std::string& policy);

 private:
  JobEngine& engine_;
};

}  // namespace warifu::control
