// The re-share of a held share, and the rule that guards it.
#include "control/reshare.h"

#include "control/exposure.h"

namespace warifu::control {
namespace {

// A share on its way, and who sees it there.
ShareTarget on_the_way(const SiteConfig& config, const SiteName& site, Route route) {
  ShareTarget target{.site = site, .route = std::move(route), .nested = {}, .cut = {}};
  target.knowing = key_relays(config.links, target.route);
  return target;
}

// How a share came: as the request says, if that makes sense; else the way that this site would
// know.
ShareTarget came(const SiteConfig& config, const ReshareRequest& request, const ShareId& share,
                 const SiteName& site) {
  const auto told = request.travelled.find(share);
  const bool sane = told != request.travelled.end() && !told->second.empty() &&
                    told->second.front() == config.controller && told->second.back() == site;
  return on_the_way(config, site,
                    sane ? told->second : travel_route(config.links, config.controller, site));
}

}  // namespace

Result<> check_targets(const SiteConfig& config, const store::ShareHeader& header,
                       const ReshareRequest& request) {
  const sharing::RecordLayout records = store::records_of(header);
  const sharing::Scheme scheme = request.targets.front().spec.scheme;
  ShareTarget own = came(config, request, header.share, config.name);
  own.cut = scheme;
  for (const ReshareTarget& target : request.targets) {
    const ShareSpec& spec = target.spec;
    if (spec.object != header.object || spec.parent != header.share ||
        static_cast<std::uint8_t>(spec.parent_index) != header.index || spec.scheme != scheme ||
        spec.object_length != header.object_length || spec.chunk_bytes != header.chunk_bytes ||
        spec.records != records.below(scheme)) {
      return fail(Code::kInvalidArgument, "the nested shares do not describe this share");
    }
    if (target.route.empty() || target.route.front() != config.name ||
        target.route.back() != target.site) {
      return fail(Code::kInvalidArgument,
                  "the route of a part does not lead from here to " + target.site.text());
    }
    own.nested.push_back(on_the_way(config, target.site, target.route));
  }
  std::vector<ShareTarget> shares = {own};
  for (const store::Sibling& sibling : header.siblings) {
    if (sibling.share == header.share) continue;
    shares.push_back(came(config, request, sibling.share, sibling.site));
  }
  return check_exposure(header.scheme, shares, config.controller);
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
  TRY_ASSIGN(const auto reader, site.shares.open(request.share));
  TRY(check_targets(site.config, reader->header(), request));
  std::vector<CutTarget> targets;
  std::vector<Sibling> siblings;
  std::string sites;
  for (const ReshareTarget& target : request.targets) {
    targets.push_back({target.site, target.spec, target.route});
    siblings.push_back({target.spec.index, target.spec.share, target.site});
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
