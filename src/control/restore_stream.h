// The stream behind a restore job: pairs of sources, verification, blame, replacement.
#pragma once

#include <boost/json/object.hpp>

#include "control/record_source.h"
#include "control/restore_desk.h"

namespace warifu::control {

// True when a restore that ended with this code may go on later.
[[nodiscard]] bool may_resume(Code code);

class RestoreStream {
 public:
  RestoreStream(SiteContext& site, ShareService& own, catalog::Catalog& catalog)
      : site_(site), own_(own), catalog_(catalog) {}

  // Reads grant, evidence and shares; looks at the network. Errors: kNotFound, kCorrupt,
  // kInvalidArgument.
  [[nodiscard]] Result<> open(const catalog::Job& job);
  // Streams from byte offset `from`. Errors: kRefused (a gate said no), kUnavailable when no legal
  // set is left (with what became of each), the sink's.
  [[nodiscard]] Result<> run(std::uint64_t from, const PlainSink& sink);
  // Writes the key that the stream has cost into the catalog.
  [[nodiscard]] Result<> account();
  // Which shares were used, over which routes, who was skipped or blamed.
  void describe(boost::json::object& result) const;

 private:
  struct Fault {
    std::string share;
    SiteName site;
    std::string why;
    bool lied = false;
  };

  Result<RestorePlan> choose() const;
  Result<std::unique_ptr<RecordSource>> open_source(const RestoreSource& source,
                                                    std::uint64_t first, std::uint64_t count);
  Result<ReadRequest> read_request(const ShareLocation& share, std::uint64_t first,
                                   std::uint64_t count) const;
  Result<> run_plan(const RestorePlan& plan, const PlainSink& sink);
  Result<sharing::VerifiedChunk> combine(const RestoreSource& x, secret::Buffer x_record,
                                         const RestoreSource& y, secret::Buffer y_record,
                                         std::uint64_t chunk) const;
  // Finds out which share of `plan` is wrong at this chunk. Errors: kCorrupt when it cannot be
  // told.
  Result<> blame(const RestorePlan& plan, std::uint64_t chunk);
  void exclude(const RestoreSource& source, const std::string& letter, const std::string& why,
               bool lied);
  [[nodiscard]] bool is_excluded(const RestoreSource& source) const;
  [[nodiscard]] SiteName holder_of(const std::string& letter) const;

  SiteContext& site_;
  ShareService& own_;
  catalog::Catalog& catalog_;
  catalog::Object object_;
  sharing::Chunking chunking_;
  Bytes grant_bytes_;
  consent::Grant grant_;
  std::map<SiteName, consent::Evidence> evidence_;
  consent::Purpose purpose_ = consent::Purpose::kHealthManagement;
  JobId session_;
  std::unique_ptr<mac::Key> key_;
  mac::Tag tag_over_tags_{};
  std::vector<ShareLocation> shares_;
  RestoreWishes wishes_;
  std::vector<RestoreSource> sources_;
  std::vector<std::pair<SiteName, std::string>> missing_;

  std::uint64_t next_chunk_ = 0;
  std::set<std::string> excluded_;  // letters of liars, ways that failed
  std::vector<Fault> faults_;
  bool refused_ = false;  // some gate said no
  struct Used {
    RestorePlan plan;
    std::uint64_t first = 0;  // chunk
    std::uint64_t count = 0;
  };
  std::vector<Used> used_;
  Snapshot snapshot_;
  std::unique_ptr<sharing::ObjectTagger> tagger_;
};

}  // namespace warifu::control
