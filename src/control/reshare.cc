// The re-share of a held share, and the rule that guards it.
#include "control/reshare.h"

#include "planner/exposure.h"

namespace warifu::control {
namespace {

// The tree of the object as its policy, the share that is held and the request say.
class Picture {
 public:
  Picture(const config::SiteConfig& config, const planner::PolicyNode& policy,
          const store::ShareHeader& held, const ReshareRequest& request)
      : config_(config), policy_(policy), held_(held), request_(request) {}

  [[nodiscard]] std::vector<planner::ShareTarget> shares() const { return shares_of(policy_, {}); }

 private:
  // Of places that nobody has told of, nothing.
  [[nodiscard]] std::vector<planner::ShareTarget> shares_of(const planner::PolicyNode& cut,
                                                            const sharing::SharePath& path) const {
    std::vector<planner::ShareTarget> shares;
    for (std::size_t i = 0; i < cut.children.size(); ++i) {
      const sharing::SharePath place = path.part(i);
      planner::Route route = route_of(place);
      if (route.empty()) continue;
      planner::ShareTarget target{
          .site = route.back(), .route = std::move(route), .nested = {}, .cut = {}};
      target.knowing = config::key_relays(config_.links, target.route);
      target.nested = shares_of(cut.children[i], place);
      target.cut = cut.children[i].scheme;
      shares.push_back(std::move(target));
    }
    return shares;
  }

  // What is cut here as ordered, this share and its siblings as the header says; how those came,
  // and all the rest, as the request says if that makes sense.
  [[nodiscard]] planner::Route route_of(const sharing::SharePath& place) const {
    for (const ReshareTarget& target : request_.targets) {
      if (target.spec.path == place) return target.route;
    }
    const auto told = request_.travelled.find(place);
    const bool is_told = told != request_.travelled.end() && !told->second.empty();
    if (!place.same_cut(held_.path)) return is_told ? told->second : planner::Route();
    const SiteName* site = place == held_.path ? &config_.name : nullptr;
    for (const store::Sibling& sibling : held_.siblings) {
      if (sibling.index == place.index() && sibling.share != held_.share) site = &sibling.site;
    }
    if (site == nullptr) return {};
    const SiteName from = maker();
    // It came from who cut it, or was made where it is, out of others.
    const bool sane = is_told && told->second.back() == *site &&
                      (told->second.front() == from || told->second.size() == 1);
    return sane ? told->second : config::travel_route(config_.links, from, *site);
  }

  // Who made the cut that this share is of.
  [[nodiscard]] SiteName maker() const {
    const auto told = request_.travelled.find(held_.path.parent());
    const bool is_told = told != request_.travelled.end() && !told->second.empty();
    return is_told ? told->second.back() : config_.controller;
  }

  const config::SiteConfig& config_;
  const planner::PolicyNode& policy_;
  const store::ShareHeader& held_;
  const ReshareRequest& request_;
};

}  // namespace

Result<> check_targets(const config::SiteConfig& config, const store::ShareHeader& header,
                       const ReshareRequest& request) {
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(header.policy));
  const planner::PolicyNode* cut = policy.find(header.path);
  const sharing::RecordLayout records = store::records_of(header);
  const bool is_cut = cut != nullptr && cut->children.size() == request.targets.size();
  for (const ReshareTarget& target : request.targets) {
    const ShareSpec& spec = target.spec;
    if (!is_cut || spec.object != header.object || spec.parent != header.share ||
        spec.path.parent() != header.path || spec.scheme != cut->scheme ||
        spec.object_length != header.object_length || spec.chunk_bytes != header.chunk_bytes ||
        spec.lead_chunks != header.lead_chunks || spec.records != records.below(cut->scheme)) {
      return fail(Code::kInvalidArgument, "the nested shares do not describe this share");
    }
    if (target.route.empty() || target.route.front() != config.name ||
        target.route.back() != target.site) {
      return fail(Code::kInvalidArgument,
                  "the route of a part does not lead from here to " + target.site.text());
    }
  }
  return planner::check_exposure(policy.scheme, Picture(config, policy, header, request).shares(),
                                 config.controller);
}

namespace {

// The records of a share that this site holds.
class ShareInput final : public CutInput {
 public:
  explicit ShareInput(store::ShareReader& reader) : reader_(reader) {}
  Result<> read(ChunkIndex index, MutableBytes record) override {
    return reader_.read(index, 1, record);
  }

 private:
  store::ShareReader& reader_;
};

}  // namespace

Result<CutReport> reshare(SiteContext& site, Uploads& uploads, const ReshareRequest& request,
                          const JobId& job, const CutWatch& watch) {
  TRY_ASSIGN(const auto turn, uploads.begin_cut(request.share));
  TRY_ASSIGN(const auto reader, site.shares.open(request.share));
  TRY(check_targets(site.config, reader->header(), request));
  std::vector<CutTarget> targets;
  std::vector<Sibling> siblings;
  std::string sites;
  for (const ReshareTarget& target : request.targets) {
    targets.push_back({target.site, target.spec, target.route});
    siblings.push_back({static_cast<sharing::ShareIndex>(target.spec.path.index()),
                        target.spec.share, target.site});
    sites += (sites.empty() ? "" : " ") + target.site.text();
  }
  const sharing::Scheme scheme = request.targets.front().spec.scheme;
  TRY_ASSIGN(Cutting cutting,
             Cutting::prepare(site, uploads, scheme, store::records_of(reader->header()),
                              std::move(targets), job));
  ShareInput input(*reader);
  TRY(cutting.run(input, watch));
  TRY(cutting.commit(siblings, cutting.report().entropy));
  TRY(site.log.append("reshared", {{"share", request.share.text()},
                                   {"object", reader->header().object.text()},
                                   {"to", sites}}));
  return cutting.report();
}

}  // namespace warifu::control
