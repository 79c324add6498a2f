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
           const JobId& job, const std::function<void()>& waits)
      : site_(site), request_(request), held_(held), job_(job), waits_(waits) {}

  // With what has been joined below it, everything above, level by level.
  Result<GatheredShare> gather(std::unique_ptr<RecordSource> own) {
    TRY_ASSIGN(policy_, parse_policy(held_.policy));
    if (request_.path != held_.path || policy_.find(held_.path) == nullptr) {
      return refuse("the share that is held stands elsewhere");
    }
    sharing::SharePath here = held_.path;
    for (const std::vector<Gathered>& others : request_.gathering) {
      std::vector<sharing::ShareIndex> from = {static_cast<sharing::ShareIndex>(here.index())};
      std::vector<std::unique_ptr<RecordSource>> sources;
      sources.push_back(std::move(own));
      for (const Gathered& other : others) {
        TRY(check(other, here));
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
  [[nodiscard]] std::unexpected<Error> refuse(const std::string& why) const {
    return fail(Code::kRefused, site_.config.name.text() + ": " + why);
  }
  [[nodiscard]] sharing::RecordLayout layout(const sharing::SharePath& path) const {
    return records_at(
        policy_, sharing::RecordLayout(sharing::Chunking{{held_.object_length}, held_.chunk_bytes}),
        path);
  }

  // Another share of the cut that made `here`, or one below it.
  [[nodiscard]] Result<> check(const Gathered& other, const sharing::SharePath& here) const {
    if (other.route.empty() || other.route.front() != other.site ||
        other.route.back() != site_.config.name) {
      return fail(Code::kInvalidArgument, "the route of a part does not lead from its holder here");
    }
    const bool is_sibling = here == held_.path && other.path.same_cut(here);
    const auto known =
        std::ranges::find(held_.siblings, other.path.index(), &store::Sibling::index);
    const bool as_known = is_sibling && known != held_.siblings.end() &&
                          known->site == other.site && known->share == other.share;
    const bool as_policy = !is_sibling && may_hold(site_.config, policy_, other.path, other.site);
    if (as_known || as_policy) return {};
    return refuse("another share is not a sibling of the one held here");
  }

  Result<std::unique_ptr<RecordSource>> fetch(const Gathered& other,
                                              const sharing::SharePath& given) {
    ReadRequest read = request_.own;
    read.share = other.share;
    read.evidence = other.evidence;
    const bool whole = other.gathering.empty();
    channel::Request call_request{.to = other.site, .way = way_against(other.route), .job = job_};
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
  const JobId& job_;
  const std::function<void()>& waits_;
  PolicyNode policy_;
};

}  // namespace

Result<GatheredShare> gather(SiteContext& site, const CombineRequest& request,
                             std::unique_ptr<store::ShareReader> own, const JobId& job,
                             const std::function<void()>& waits) {
  const store::ShareHeader held = own->header();
  Gatherer gatherer(site, request, held, job, waits);
  return gatherer.gather(std::make_unique<HeldRecords>(std::move(own), request.own.first_chunk));
}

}  // namespace warifu::control
