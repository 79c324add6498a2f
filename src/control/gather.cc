// Joins, one on top of the other.
#include "control/gather.h"

#include <algorithm>

namespace warifu::control {
namespace {

// Records of the share that is held here.
class HeldRecords final : public RecordSource {
 public:
  HeldRecords(std::unique_ptr<store::ShareReader> reader, std::uint64_t first)
      : reader_(std::move(reader)), next_(first) {}
  Result<secret::Buffer> next() override {
    const ChunkIndex index{next_++};
    secret::Buffer record(reader_->layout().record_length(index));
    TRY(reader_->read(index, 1, record.bytes()));
    return record;
  }
  void cancel() override {}

 private:
  std::unique_ptr<store::ShareReader> reader_;
  std::uint64_t next_;
};

// Records of a share that was cut, out of shares of that cut.
class JoinedRecords final : public RecordSource {
 public:
  // `records` are of what comes out; `sources` in the order of joiner.from().
  JoinedRecords(sharing::Joiner joiner, std::vector<std::unique_ptr<RecordSource>> sources,
                const sharing::RecordLayout& records, std::uint64_t first)
      : joiner_(std::move(joiner)), sources_(std::move(sources)), records_(records), next_(first) {}
  Result<secret::Buffer> next() override {
    const std::uint32_t length = records_.length({next_++});
    std::vector<secret::Buffer> parts;
    for (const auto& source : sources_) {
      TRY_ASSIGN(secret::Buffer part, source->next());
      if (part.size() != joiner_.scheme().share_bytes(length)) {
        return fail(Code::kProtocol, "a sibling sent a record of another size");
      }
      parts.push_back(std::move(part));
    }
    return join_records(joiner_, parts, length);
  }
  void cancel() override {
    for (const auto& source : sources_) source->cancel();
  }

 private:
  sharing::Joiner joiner_;
  std::vector<std::unique_ptr<RecordSource>> sources_;
  sharing::RecordLayout records_;
  std::uint64_t next_;
};

class Gatherer {
 public:
  Gatherer(SiteContext& site, const CombineRequest& request, const store::ShareHeader& held,
           planner::PolicyNode policy, const JobId& job, const std::function<void()>& waits)
      : site_(site),
        request_(request),
        held_(held),
        policy_(std::move(policy)),
        job_(job),
        waits_(waits) {}

  // With what has been joined below it, everything above, level by level.
  Result<GatheredShare> gather(std::unique_ptr<RecordSource> own) {
    sharing::SharePath here = held_.path;
    for (const std::vector<Gathered>& others : request_.gathering) {
      std::vector<sharing::ShareIndex> from = {static_cast<sharing::ShareIndex>(here.index())};
      std::vector<std::unique_ptr<RecordSource>> sources;
      sources.push_back(std::move(own));
      for (const Gathered& other : others) {
        const auto given = other.path.above(here.size());
        from.push_back(static_cast<sharing::ShareIndex>(given.index()));
        TRY_ASSIGN(auto source, fetch(other, given));
        sources.push_back(std::move(source));
      }
      here = here.parent();
      TRY_ASSIGN(sharing::Joiner joiner, sharing::Joiner::make(policy_.find(here)->scheme, from));
      own = std::make_unique<JoinedRecords>(std::move(joiner), std::move(sources), layout(here),
                                            request_.own.first_chunk);
    }
    return GatheredShare{std::move(own), layout(here)};
  }

 private:
  [[nodiscard]] sharing::RecordLayout layout(const sharing::SharePath& path) const {
    return planner::records_at(
        policy_, sharing::RecordLayout(sharing::Chunking{{held_.object_length}, held_.chunk_bytes}),
        path);
  }

  Result<std::unique_ptr<RecordSource>> fetch(const Gathered& other,
                                              const sharing::SharePath& given) {
    ReadRequest read = request_.own;
    read.share = other.share;
    read.evidence = other.evidence;
    if (other.together.size() != read.together.size()) {
      return fail(Code::kInvalidArgument, "a sibling lacks evidence of grants that are together");
    }
    for (std::size_t i = 0; i < read.together.size(); ++i) {
      read.together[i].evidence = other.together[i];
    }
    const bool whole = other.gathering.empty();
    channel::Request call_request{
        .to = other.site, .way = planner::way_against(other.route), .job = job_};
    call_request.method = number(whole ? Method::kShareRead : Method::kShareCombine);
    call_request.body =
        whole ? encode(read) : encode(CombineRequest{read, other.path, other.gathering});
    TRY_ASSIGN(channel::Call call, site_.caller.start(std::move(call_request)));
    TRY_ASSIGN(const channel::Reply reply,
               call.reply([&](std::uint64_t, std::uint64_t) { waits_(); }));
    if (reply.download != shape_of(layout(given), read.first_chunk, read.chunk_count)) {
      return fail(Code::kProtocol, other.site.text() + " offers a share of another size");
    }
    return std::make_unique<CallRecords>(std::move(call));
  }

  SiteContext& site_;
  const CombineRequest& request_;
  const store::ShareHeader& held_;
  planner::PolicyNode policy_;
  const JobId& job_;
  const std::function<void()>& waits_;
};

std::unexpected<Error> refuse(const config::SiteConfig& config, const std::string& why) {
  return fail(Code::kRefused, config.name.text() + ": " + why);
}

// Another share of the cut that made `here`, or a part of one.
bool is_beside(const config::SiteConfig& config, const planner::PolicyNode& policy,
               const store::ShareHeader& held, const sharing::SharePath& here,
               const Gathered& other) {
  if (here != held.path || !other.path.same_cut(here)) {
    return may_hold(config, policy, other.path, other.site);
  }
  const auto known = std::ranges::find(held.siblings, other.path.index(), &store::Sibling::index);
  const planner::PolicyNode* place = policy.find(other.path);
  return place != nullptr && place->is_leaf() && known != held.siblings.end() &&
         known->site == other.site && known->share == other.share;
}

}  // namespace

Result<> check_gathering(const config::SiteConfig& config, const store::ShareHeader& held,
                         const CombineRequest& request) {
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(held.policy));
  if (request.path != held.path || policy.find(held.path) == nullptr ||
      request.gathering.size() >= held.path.size()) {
    return refuse(config, "the share that is held stands elsewhere");
  }
  sharing::SharePath here = held.path;
  for (const std::vector<Gathered>& others : request.gathering) {
    for (const Gathered& other : others) {
      if (other.route.empty() || other.route.front() != other.site ||
          other.route.back() != config.name) {
        return fail(Code::kInvalidArgument,
                    "the route of a part does not lead from its holder here");
      }
      const bool fits = other.path.size() >= here.size() &&
                        other.path.above(here.size()).same_cut(here) && !other.path.is_within(here);
      if (!fits || !is_beside(config, policy, held, here, other)) {
        return refuse(config, "another share is not a sibling of the one held here");
      }
    }
    here = here.parent();
  }
  return {};
}

Result<GatheredShare> gather(SiteContext& site, const CombineRequest& request,
                             std::unique_ptr<store::ShareReader> own, const JobId& job,
                             const std::function<void()>& waits) {
  const store::ShareHeader held = own->header();
  TRY(check_gathering(site.config, held, request));
  TRY_ASSIGN(planner::PolicyNode policy, planner::parse_policy(held.policy));
  Gatherer gatherer(site, request, held, std::move(policy), job, waits);
  return gatherer.gather(std::make_unique<HeldRecords>(std::move(own), request.own.first_chunk));
}

}  // namespace warifu::control
