// The stream behind a restore job: sets of sources, verification, blame, replacement.
#pragma once

#include <boost/json/object.hpp>

#include "base/reason.h"
#include "control/messages.h"
#include "control/record_source.h"
#include "control/restore_desk.h"

namespace warifu::control {

// Who asks, for which use, for how much (with the chunks to be read, unless it is the whole): as a
// job's plan keeps it.
struct Asker {
  consent::Grantee grantee;
  consent::Statements stated;
  consent::Scope scope;
};
[[nodiscard]] Bytes encode_asker(const Asker& asker);
// Errors: kProtocol.
[[nodiscard]] Result<Asker> decode_asker(ByteView bytes);

// True when a restore that ended with this code may go on later.
[[nodiscard]] bool may_resume(Code code);

class RestoreStream {
 public:
  RestoreStream(SiteContext& site, ShareService& own, catalog::Catalog& catalog)
      : site_(site), own_(own), catalog_(catalog) {}

  // Reads grant, evidence and shares; looks at the network. Errors: kNotFound, kCorrupt,
  // kInvalidArgument.
  [[nodiscard]] Result<> open(const catalog::Job& job);
  // Streams the whole from byte offset `from`. Errors: kRefused (a gate said no), kUnavailable when
  // no legal set is left (with what became of each), the sink's.
  [[nodiscard]] Result<> run(std::uint64_t from, const PlainSink& sink);
  // Gives these chunks, ascending, each verified; every holder is asked for these and no others.
  // Errors: as run().
  [[nodiscard]] Result<> run_chunks(const consent::ChunkRanges& chunks, const ChunkSink& sink);
  [[nodiscard]] const catalog::Object& object() const { return object_; }
  // Key that reading so many chunks from these shares costs, over all links, by the plan that would
  // be taken now. Errors: as run(), nothing is sent.
  [[nodiscard]] Result<std::uint64_t> key_bytes(const consent::ChunkRanges& chunks);
  // Writes the key that the stream has cost into the catalog.
  [[nodiscard]] Result<> account();
  // Which shares were used, over which routes, who was skipped or blamed; of a whole object, what
  // became of the tag over all tags.
  void describe(boost::json::object& result) const;

 private:
  struct Fault {
    std::string share;
    SiteName site;
    std::string why;
    bool lied = false;
  };

  // One record that a source has given when asked for a single chunk.
  struct Sample {
    planner::RestoreSource source;
    secret::Buffer record;
  };
  // Which samples are right, once a set of them has verified.
  struct Verdict {
    std::set<std::string> honest;  // letters of samples that are right
    std::set<std::string> wrong;   // ways of samples that are not
  };

  [[nodiscard]] std::uint64_t cost_of(const planner::RestoreSource& source,
                                      const consent::ChunkRanges& chunks) const;
  Result<planner::RestorePlan> choose() const;
  [[nodiscard]] planner::RestoreField field() const;
  Result<std::unique_ptr<RecordSource>> open_source(const planner::RestoreSource& source,
                                                    std::uint64_t first, std::uint64_t count);
  // Errors: kRefused when a site would see more than it may; the catalog's.
  Result<> record_exposure(const planner::RestoreSource& source);
  // What is joined there, with the evidence for each site.
  [[nodiscard]] Gathering gathering_of(const planner::RestoreSource& source) const;
  Result<> account(const planner::RestoreSource& source, std::uint64_t first, std::uint64_t count);
  Result<ReadRequest> read_request(const planner::ShareLocation& share, std::uint64_t first,
                                   std::uint64_t count) const;
  // The chunks [first, end).
  Result<> run_range(std::uint64_t first, std::uint64_t end, const ChunkSink& sink);
  Result<> run_plan(const planner::RestorePlan& plan, const ChunkSink& sink);
  // Joins one record of each of threshold-many top shares and verifies it. Errors: kCorrupt.
  Result<sharing::VerifiedChunk> combine(const std::vector<sharing::ShareIndex>& tops,
                                         std::span<const secret::Buffer> records,
                                         std::uint64_t chunk) const;
  // Finds out which share of `plan` is wrong at this chunk. Errors: kCorrupt when it cannot be
  // told.
  Result<> blame(const planner::RestorePlan& plan, std::uint64_t chunk);
  [[nodiscard]] std::vector<planner::RestoreSource> ways_to_sample(
      const planner::RestorePlan& plan) const;
  std::vector<Sample> take_samples(const planner::RestorePlan& plan, std::uint64_t chunk);
  [[nodiscard]] bool verifies(const std::vector<const Sample*>& set, std::uint64_t chunk) const;
  [[nodiscard]] std::vector<const Sample*> find_verifying(const std::vector<Sample>& samples,
                                                          std::size_t planned,
                                                          std::uint64_t chunk) const;
  [[nodiscard]] Verdict judge(const std::vector<Sample>& samples,
                              const std::vector<const Sample*>& verifying,
                              std::uint64_t chunk) const;
  void exclude(const planner::RestoreSource& source, const std::string& letter,
               const std::string& why, bool lied);
  [[nodiscard]] SiteName holder_of(const std::string& letter) const;

  SiteContext& site_;
  ShareService& own_;
  catalog::Catalog& catalog_;
  catalog::Object object_;
  sharing::Chunking chunking_;
  planner::PolicyNode policy_;
  sharing::RecordLayout top_records_;
  Bytes grant_bytes_;
  consent::Grant grant_;
  // Of a consent of several guardians the other grants, and each with its evidence for every site.
  struct Proven {
    Bytes grant;
    std::map<SiteName, consent::Evidence> evidence;
    Bytes sealed_secret = {};  // one of those who consent together has the object's record
  };
  static Result<Proven> proven(const catalog::Grant& record);
  Result<> find_together(const catalog::Grant& first);
  // For all grants of the consent.
  [[nodiscard]] bool has_evidence(const SiteName& site) const;
  std::vector<Proven> together_;
  std::map<SiteName, consent::Evidence> evidence_;
  consent::Purpose purpose_ = consent::Purpose::kHealthManagement;
  Asker asker_;
  JobId session_;
  std::uint16_t use_ = 1;  // of the grant
  std::unique_ptr<mac::Key> key_;
  std::optional<mac::Tag> tag_over_tags_;  // none: not known
  // What became of it: "checked", "not_known", or "interrupted" (the stream began in the middle);
  // empty of parts.
  std::string_view whole_check_;
  std::vector<planner::ShareLocation> shares_;  // all
  std::vector<planner::ShareLocation> proven_;  // that the consent has evidence for
  planner::RestoreWishes wishes_;
  std::vector<std::pair<SiteName, Error>> missing_;
  std::map<SiteName, planner::Seen> seen_;  // the exposure ledger, this restore included
  std::size_t looks_ = 0;                   // so often it had more than was known here

  std::uint64_t next_chunk_ = 0;
  std::uint64_t end_chunk_ = 0;    // of the range that is being read
  std::uint64_t chunks_left_ = 0;  // of all ranges
  planner::RestoreTrials trials_;
  std::vector<Fault> faults_;
  std::optional<Reason> refusal_;  // some gate said no: the first one's word
  struct Used {
    planner::RestorePlan plan;
    std::uint64_t first = 0;  // chunk
    std::uint64_t count = 0;
  };
  std::vector<Used> used_;
  planner::Snapshot snapshot_;
  std::unique_ptr<sharing::ObjectTagger> tagger_;
};

}  // namespace warifu::control
