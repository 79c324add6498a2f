// Opening, streaming and replacing sources.
#include "control/restore_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include <boost/json.hpp>

#include "base/log.h"
#include "control/consent_desk.h"
#include "control/exposure_ledger.h"
#include "control/fault_words.h"
#include "control/gather.h"
#include "control/network_view.h"
#include "control/restore_record.h"
#include "datapath/datapath.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::size_t kMostLooks = 8;  // at a ledger that others write to

// A share that this site holds itself.
class OwnSource final : public RecordSource {
 public:
  OwnSource(SiteContext& site, ShareService::Released released, ReadRequest request)
      : site_(site), released_(std::move(released)), request_(std::move(request)) {}

  Result<secret::Buffer> next() override {
    TRY(still_permitted(site_, released_.permit, request_));
    const ChunkIndex index{request_.first_chunk + done_++};
    secret::Buffer record(released_.reader->layout().record_length(index));
    TRY(released_.reader->read(index, 1, record.bytes()));
    return record;
  }
  void cancel() override {}

 private:
  SiteContext& site_;
  ShareService::Released released_;
  ReadRequest request_;
  std::uint64_t done_ = 0;
};

// A share that this site gathers itself.
class OwnGathering final : public RecordSource {
 public:
  OwnGathering(SiteContext& site, consent::Permit permit, ReadRequest request, GatheredShare share)
      : site_(site),
        permit_(std::move(permit)),
        request_(std::move(request)),
        share_(std::move(share)) {}

  Result<secret::Buffer> next() override {
    TRY(still_permitted(site_, permit_, request_));
    return share_.source->next();
  }
  void cancel() override { share_.source->cancel(); }

 private:
  SiteContext& site_;
  consent::Permit permit_;
  ReadRequest request_;
  GatheredShare share_;
};

}  // namespace

Bytes encode_asker(const Asker& asker) {
  wire::Writer writer;
  consent::write_grantee(writer, asker.grantee);
  consent::write_statements(writer, asker.stated);
  consent::write_scope(writer, asker.scope);
  return writer.take();
}

Result<Asker> decode_asker(ByteView bytes) {
  wire::Reader reader(bytes, "asker of a restore");
  Asker asker;
  asker.grantee = consent::read_grantee(reader);
  asker.stated = consent::read_statements(reader);
  asker.scope = consent::read_scope(reader);
  TRY(reader.finish());
  return asker;
}

bool may_resume(Code code) {
  return code == Code::kUnavailable || code == Code::kTimeout || code == Code::kOutOfKey ||
         code == Code::kCancelled || code == Code::kProtocol ||
         code == Code::kNoSpace;  // of whoever reads
}

Result<RestoreStream::Proven> RestoreStream::proven(const catalog::Grant& record) {
  Proven proven{record.grant_bytes, {}, record.sealed_secret};
  TRY_ASSIGN(const consent::KeptEvidence kept, consent::parse_kept(record.evidence));
  for (const consent::Evidence& evidence : kept.sites) proven.evidence[evidence.site] = evidence;
  return proven;
}

// The grants of other guardians' cards that have this one's id in common.
Result<> RestoreStream::find_together(const catalog::Grant& first) {
  if (grant_.together == 1) return {};
  TRY_ASSIGN(const auto given,
             catalog_.list_grants({.object = first.object, .state = catalog::GrantState::kGiven},
                                  {.count = catalog::kMaxPageRows}));
  for (const catalog::Grant& record : given) {
    const auto other = consent::parse_grant(record.grant_bytes);
    if (record.grant == first.grant || !other || !consent::same_terms(*other, grant_)) continue;
    if (other->card == grant_.card || together_.size() + 1 == grant_.together) continue;
    TRY_ASSIGN(Proven one, proven(record));
    together_.push_back(std::move(one));
  }
  if (together_.size() + 1 == grant_.together) return {};
  return fail(Code::kRefused,
              "consent " + first.grant.text() + " counts with " + std::to_string(grant_.together) +
                  (grant_.capacity == consent::Capacity::kEmergency ? " officers" : " guardians") +
                  " together; so far " + std::to_string(together_.size() + 1) +
                  " have consented ('warifu consent join')",
              Reason::kMoreGuardians);
}

bool RestoreStream::has_evidence(const SiteName& site) const {
  return evidence_.contains(site) && std::ranges::all_of(together_, [&](const Proven& other) {
           return other.evidence.contains(site);
         });
}

Result<> RestoreStream::open(const catalog::Job& job) {
  session_ = job.job;
  TRY_ASSIGN(object_, catalog_.object(*job.object));
  chunking_ = {{object_.length}};
  TRY_ASSIGN(policy_, planner::parse_policy(object_.policy));
  top_records_ = sharing::RecordLayout(chunking_).below(policy_.scheme);
  boost::json::error_code bad;
  const boost::json::value plan = boost::json::parse(job.plan, bad);
  if (bad || !plan.is_object()) return fail(Code::kCorrupt, "the job's plan is damaged");
  const auto text = [&](const char* key) {
    return std::string(plan.as_object().at(key).as_string());
  };
  TRY_ASSIGN(const GrantId grant_id, GrantId::parse(text("grant")));
  TRY_ASSIGN(const catalog::Grant record, catalog_.grant(grant_id));
  grant_bytes_ = record.grant_bytes;
  TRY_ASSIGN(grant_, consent::parse_grant(grant_bytes_));
  TRY_ASSIGN(Proven own, proven(record));
  evidence_ = std::move(own.evidence);
  TRY(find_together(record));
  purpose_ = grant_.purpose;
  if (!text("purpose").empty()) {
    TRY_ASSIGN(purpose_, consent::parse_purpose(text("purpose")));
  }
  TRY_ASSIGN(const Bytes asked, from_hex(text("asked")));
  TRY_ASSIGN(asker_, decode_asker(asked));
  if (const auto taken = taken_by(job)) use_ = taken->use;
  if (!text("using").empty()) {
    TRY_ASSIGN(wishes_.using_letters, planner::parse_letters(text("using")));
  }
  if (!text("gather").empty()) {
    TRY_ASSIGN(wishes_.gather, SiteName::parse(text("gather")));
  }
  ObjectSecrets secrets;
  std::vector<ByteView> sealed = {record.sealed_secret};
  for (const Proven& other : together_) sealed.emplace_back(other.sealed_secret);
  for (const ByteView one : sealed) {
    if (one.empty() || !secrets.hash_key.empty()) continue;
    TRY_ASSIGN(secrets, open_object_secrets(site_.keys.root_key().bytes(), one));
  }
  if (secrets.hash_key.empty()) {
    const std::string state(catalog::state_name(record.state));
    return fail(Code::kRefused, "consent " + grant_id.text() + " is " + state,
                catalog::reason_of(record.state));
  }
  key_ = std::make_unique<mac::Key>(secrets.hash_key.bytes());
  if (sharing::is_known(secrets.tag)) tag_over_tags_ = secrets.tag;
  TRY_ASSIGN(shares_, locate_shares(catalog_, object_.object));

  for (const planner::ShareLocation& share : shares_) {
    if (policy_.find(share.path) == nullptr) {
      return fail(Code::kCorrupt, "share " + share.letter() + " does not fit the object's policy");
    }
    if (has_evidence(share.site)) proven_.push_back(share);
  }
  const NetworkView view = look_at_network(site_, own_);
  missing_ = view.missing;
  snapshot_ = view.snapshot;
  TRY_ASSIGN(seen_, exposure_of(catalog_, object_.object));
  return {};
}

planner::RestoreField RestoreStream::field() const {
  return {policy_,
          proven_,
          snapshot_,
          site_.config.name,
          sharing::RecordLayout(chunking_),
          seen_,
          std::max<std::uint64_t>(chunks_left_, 1)};
}

Result<planner::RestorePlan> RestoreStream::choose() const {
  auto plan = planner::plan_restore(field(), wishes_, trials_);
  if (plan) return std::move(*plan);
  std::vector<SiteWord> words;
  for (const Fault& fault : faults_) words.push_back({fault.share, fault.why});
  std::string why = fault_words(words);
  why +=
      (why.empty() ? "" : "; ") + std::string("no set of shares that restores the object is left");
  for (const auto& [site, error] : missing_) why += "; " + error.message;
  for (const planner::ShareLocation& share : shares_) {
    if (!has_evidence(share.site)) {
      why += fmt::format("; the consent has no evidence for {}", share.site.text());
    }
  }
  if (const std::string off = planner::switched_off_text(snapshot_); !off.empty())
    why += "; " + off;
  const bool refused = refusal_ || (faults_.empty() && missing_.empty());
  return fail(refused ? Code::kRefused : Code::kUnavailable, why,
              refused ? refusal_.value_or(Reason::kNone) : Reason::kCannotRestore);
}

Result<ReadRequest> RestoreStream::read_request(const planner::ShareLocation& share,
                                                std::uint64_t first, std::uint64_t count) const {
  std::vector<consent::Presented> together;
  for (const Proven& other : together_) {
    together.push_back({other.grant, other.evidence.at(share.site)});
  }
  consent::Scope scope = asker_.scope;
  if (!scope.is_whole()) {
    scope.chunks = {{static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(count)}};
  }
  return ReadRequest{.grant = grant_bytes_,
                     .evidence = evidence_.at(share.site),
                     .object = object_.object,
                     .share = share.share,
                     .destination = site_.config.name,
                     .purpose = purpose_,
                     .session = session_,
                     .use = use_,
                     .first_chunk = first,
                     .chunk_count = count,
                     .grantee = asker_.grantee,
                     .stated = asker_.stated,
                     .scope = std::move(scope),
                     .together = std::move(together)};
}

// The ledger knows before the bytes travel. What an earlier source of this restore has shown to a
// site counts as well, and what another restore of the object, or a repair, has shown meanwhile:
// two that are legal each by itself need not be legal together.
Result<> RestoreStream::record_exposure(const planner::RestoreSource& source) {
  const std::vector<planner::SourceView> views = planner::views_of(source, site_.config.name);
  for (std::size_t tries = 0;; ++tries) {
    if (!planner::may_use(field(), source)) {
      return fail(Code::kRefused,
                  "over " + planner::route_text(source.route) +
                      " a site would see more of the object than it may",
                  Reason::kExposure);
    }
    const auto added =
        catalog_.add_sightings(object_.object, session_, sightings_of(views), sightings_of(seen_));
    if (added) break;
    if (added.error().code != Code::kBusy || tries == kMostLooks) return added;
    ++looks_;
    TRY_ASSIGN(const auto known, exposure_of(catalog_, object_.object));
    for (const auto& [site, shares] : known) seen_[site].insert(shares.begin(), shares.end());
  }
  planner::add_views(seen_, views);
  return {};
}

Gathering RestoreStream::gathering_of(const planner::RestoreSource& source) const {
  Gathering gathering;
  for (const std::vector<planner::RestoreSource>& cut : source.joined) {
    std::vector<Gathered>& others = gathering.emplace_back();
    for (const planner::RestoreSource& other : cut) {
      std::vector<consent::Evidence> together;
      for (const Proven& one : together_) together.push_back(one.evidence.at(other.at.site));
      others.push_back({.site = other.at.site,
                        .share = other.at.share,
                        .path = other.at.path,
                        .evidence = evidence_.at(other.at.site),
                        .together = std::move(together),
                        .route = other.route,
                        .gathering = gathering_of(other)});
    }
  }
  return gathering;
}

Result<std::unique_ptr<RecordSource>> RestoreStream::open_source(
    const planner::RestoreSource& source, std::uint64_t first, std::uint64_t count) {
  TRY(record_exposure(source));
  TRY_ASSIGN(ReadRequest request, read_request(source.at, first, count));
  if (source.at.site == site_.config.name) {
    TRY_ASSIGN(auto released, own_.release(request, site_.config.name));
    if (!source.is_gathered()) {
      return std::make_unique<OwnSource>(site_, std::move(released), std::move(request));
    }
    const CombineRequest combine{request, source.at.path, gathering_of(source)};
    TRY_ASSIGN(auto share, gather(site_, combine, std::move(released.reader), session_, [] {}));
    return std::make_unique<OwnGathering>(site_, std::move(released.permit), std::move(request),
                                          std::move(share));
  }
  channel::Request call_request{
      .to = source.at.site, .way = planner::way_against(source.route), .job = session_};
  if (source.is_gathered()) {
    call_request.method = number(Method::kShareCombine);
    call_request.body = encode(CombineRequest{request, source.at.path, gathering_of(source)});
  } else {
    call_request.method = number(Method::kShareRead);
    call_request.body = encode(request);
  }
  TRY_ASSIGN(channel::Call call, site_.caller.start(std::move(call_request)));
  TRY_ASSIGN(const channel::Reply reply, call.reply());
  const auto expected = shape_of(top_records_, first, count);
  if (reply.download != expected) {
    return fail(Code::kCorrupt, source.at.site.text() + " offers a share of another size");
  }
  return std::make_unique<CallRecords>(std::move(call));
}

void RestoreStream::exclude(const planner::RestoreSource& source, const std::string& letter,
                            const std::string& why, bool lied) {
  // Without a letter only this way is out: of several sites, any may have failed.
  const std::string out = letter.empty() ? source.way() : letter;
  trials_.out.insert(out);
  for (const std::string& tried : source.letters()) ++trials_.failures[tried];
  faults_.push_back({out, letter.empty() ? source.at.site : holder_of(letter), why, lied});
  log_warning(fmt::format("restore {}: share {} at {} is left out: {}", session_.text(), out,
                          faults_.back().site.text(), why));
}

SiteName RestoreStream::holder_of(const std::string& letter) const {
  const auto it = std::ranges::find(shares_, letter, &planner::ShareLocation::letter);
  return it == shares_.end() ? SiteName() : it->site;
}

Result<> RestoreStream::run(std::uint64_t from, const PlainSink& sink) {
  if ((from % chunking_.chunk_bytes != 0 && from != object_.length) || from > object_.length) {
    return fail(Code::kInvalidArgument, "a restore can go on only at a chunk's start");
  }
  const std::uint64_t end = chunking_.chunk_count();
  const std::uint64_t first = from == object_.length ? end : from / chunking_.chunk_bytes;
  if (first == 0 && tag_over_tags_) {
    tagger_ = std::make_unique<sharing::ObjectTagger>(*key_, object_.object, chunking_);
  }
  chunks_left_ = end - first;
  TRY(run_range(first, end, [&](std::uint64_t, ByteView plain) { return sink(plain); }));
  // Every chunk has passed its own tag; this binds their number and order as a whole.
  if (tagger_ != nullptr && !secret::equal(tagger_->finish(), *tag_over_tags_)) {
    return fail(Code::kCorrupt, "the chunks do not add up to the tag on the card");
  }
  const std::string_view with_tag = tagger_ != nullptr ? "checked" : "interrupted";
  whole_check_ = tag_over_tags_ ? with_tag : "not_known";
  return {};
}

Result<> RestoreStream::run_chunks(const consent::ChunkRanges& chunks, const ChunkSink& sink) {
  if (!chunks.empty() && chunks.back().end() > chunking_.chunk_count()) {
    return fail(Code::kInvalidArgument, "the object has fewer chunks than are asked for");
  }
  chunks_left_ = consent::chunk_count(chunks);
  for (const consent::ChunkRange& range : chunks) {
    TRY(run_range(range.first, range.end(), sink));
  }
  return {};
}

Result<> RestoreStream::run_range(std::uint64_t first, std::uint64_t end, const ChunkSink& sink) {
  next_chunk_ = first;
  end_chunk_ = end;
  while (next_chunk_ < end_chunk_) {
    TRY_ASSIGN(const planner::RestorePlan plan, choose());
    used_.push_back({plan, next_chunk_, 0});
    const Result<> ran = run_plan(plan, sink);
    used_.back().count = next_chunk_ - used_.back().first;
    TRY(ran);
  }
  return {};
}

// Returns without error when the plan is finished, or a source was excluded and another plan is
// due.
Result<> RestoreStream::run_plan(const planner::RestorePlan& plan, const ChunkSink& sink) {
  const std::uint64_t count = end_chunk_ - next_chunk_;
  std::vector<std::unique_ptr<RecordSource>> sources;
  std::vector<sharing::ShareIndex> tops;
  const auto give_up = [&](const planner::RestoreSource& source, const Error& error) -> Result<> {
    // Also when a gate refuses: one site must not be able to veto what others allow.
    if (error.code == Code::kRefused && !refusal_) refusal_ = error.reason;
    exclude(source, "", error.message, false);
    return {};
  };
  for (const planner::RestoreSource& side : plan.sources) {
    const std::size_t looks = looks_;
    auto opened = open_source(side, next_chunk_, count);
    // The plan was made without what others have shown meanwhile: another one may be legal, with
    // the same share.
    if (!opened && looks_ != looks) return {};
    if (!opened) return give_up(side, opened.error());
    sources.push_back(std::move(*opened));
    tops.push_back(static_cast<sharing::ShareIndex>(side.path.index()));
  }
  // Only now: a holder sends, and spends key, once somebody reads.
  for (auto& source : sources) source = std::make_unique<ReadAhead>(std::move(source), count);
  while (next_chunk_ < end_chunk_) {
    std::vector<secret::Buffer> records;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      auto record = sources[i]->next();
      if (!record) return give_up(plan.sources[i], record.error());
      records.push_back(std::move(*record));
    }
    auto chunk = combine(tops, records, next_chunk_);
    if (!chunk) return blame(plan, next_chunk_);
    if (tagger_ != nullptr) tagger_->add(chunk->tag());
    TRY(sink(next_chunk_, chunk->data()));
    ++next_chunk_;
    --chunks_left_;
  }
  return {};
}

Result<sharing::VerifiedChunk> RestoreStream::combine(const std::vector<sharing::ShareIndex>& tops,
                                                      std::span<const secret::Buffer> records,
                                                      std::uint64_t chunk) const {
  const std::size_t wanted = top_records_.length({chunk});
  if (std::ranges::any_of(records, [&](const auto& r) { return r.size() != wanted; })) {
    return fail(Code::kCorrupt, "a share has a record of another size");
  }
  if (policy_.scheme == sharing::Scheme{}) {  // one pass for both
    return datapath::combine_and_verify(*key_, {object_.object, {chunk}, chunking_.length({chunk})},
                                        {tops[0], records[0].bytes()},
                                        {tops[1], records[1].bytes()});
  }
  TRY_ASSIGN(const sharing::Joiner joiner, sharing::Joiner::make(policy_.scheme, tops));
  return sharing::verify_record(*key_, object_.object, {chunk}, chunking_.length({chunk}),
                                join_records(joiner, records, chunking_.record_length({chunk})));
}

namespace {

void add_gathering_points(const planner::RestoreSource& source, std::string& text) {
  if (source.is_gathered()) text += (text.empty() ? "" : ", ") + source.at.site.text();
  for (const std::vector<planner::RestoreSource>& cut : source.joined) {
    for (const planner::RestoreSource& other : cut) add_gathering_points(other, text);
  }
}

}  // namespace

void RestoreStream::describe(boost::json::object& result) const {
  namespace json = boost::json;
  json::array letters, routes, blamed, skipped;
  std::string gathered;
  if (!used_.empty()) {
    for (const std::string& letter : used_.back().plan.letters()) letters.emplace_back(letter);
    for (const planner::RestoreSource& source : used_.back().plan.sources) {
      routes.emplace_back(planner::route_text(source.route));
      add_gathering_points(source, gathered);
    }
  }
  for (const Fault& fault : faults_) {
    json::object entry = {{"share", fault.share}, {"site", fault.site.text()}, {"why", fault.why}};
    (fault.lied ? blamed : skipped).push_back(std::move(entry));
  }
  for (const auto& [site, why] : missing_) {
    skipped.push_back({{"site", site.text()}, {"why", why.message}});
  }
  result["object"] = object_.object.text();
  if (!whole_check_.empty()) result["tag_over_all"] = whole_check_;
  result["using"] = std::move(letters);
  result["gathered_at"] = gathered;
  result["routes"] = std::move(routes);
  result["blamed"] = std::move(blamed);
  result["skipped"] = std::move(skipped);
}

}  // namespace warifu::control
