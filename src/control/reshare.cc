// The re-share of a held share, and the rule that guards it.
#include "control/reshare.h"

#include "control/exposure.h"

namespace warifu::control {

Result<> check_targets(const SiteConfig& config, const store::ShareHeader& header,
                       const ReshareRequest& request) {
  const sharing::RecordLayout records = store::records_of(header);
  const sharing::Scheme scheme = request.targets.front().spec.scheme;
  ShareTarget own{.site = config.name,
                  .route = travel_route(config.links, config.controller, config.name),
                  .nested = {},
                  .cut = scheme};
  for (const ReshareTarget& target : request.targets) {
    const ShareSpec& spec = target.spec;
    if (spec.object != header.object || spec.parent != header.share ||
        static_cast<std::uint8_t>(spec.parent_index) != header.index || spec.scheme != scheme ||
        spec.object_length != header.object_length || spec.chunk_bytes != header.chunk_bytes ||
        spec.records != records.below(scheme)) {
      return fail(Code::kInvalidArgument, "the nested shares do not describe this share");
    }
    own.nested.push_back(
        {target.site, travel_route(config.links, config.name, target.site), {}, {}});
  }
  std::vector<ShareTarget> shares = {own};
  for (const store::Sibling& sibling : header.siblings) {
    if (sibling.share == header.share) continue;
    shares.push_back(
        {sibling.site, travel_route(config.links, config.controller, sibling.site), {}, {}});
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
    targets.push_back({target.site, target.spec});
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
