// The re-share of a held share, and the rule that guards it.
#include "control/reshare.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "wire/wire.h"

namespace warifu::control {

namespace {

// The rule that a share site checks for itself: parts of a share must not go to the holder of one
// of its siblings, who could then restore.
// Neither a target nor a site on the way to it may hold a sibling.
Result<> check_targets(const SiteConfig& config, const store::ShareHeader& header,
                       const ReshareRequest& request) {
  std::set<SiteName> used;
  for (const ReshareTarget& target : request.targets) {
    if (!used.insert(target.site).second) {
      return fail(Code::kRefused, target.site.text() + " would get two nested shares");
    }
    const Route route = travel_route(config.links, config.name, target.site);
    for (const store::Sibling& sibling : header.siblings) {
      const bool on_the_way = std::ranges::find(route, sibling.site) != route.end();
      if (on_the_way && sibling.share != header.share) {
        return fail(Code::kRefused, sibling.site.text() +
                                        " holds a sibling share of this object and would hold or "
                                        "relay part of another");
      }
    }
    const ShareSpec& spec = target.spec;
    if (spec.object != header.object || spec.parent != header.share ||
        spec.object_length != header.object_length || spec.chunk_bytes != header.chunk_bytes) {
      return fail(Code::kInvalidArgument, "the nested shares do not describe this share");
    }
  }
  return {};
}

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

Result<> reshare(SiteContext& site, Uploads& uploads, const ReshareRequest& request,
                 const JobId& job, const CutWatch& watch) {
  TRY_ASSIGN(const auto reader, site.shares.open(request.share));
  TRY(check_targets(site.config, reader->header(), request));
  std::vector<CutTarget> targets;
  std::vector<Sibling> siblings;
  for (const ReshareTarget& target : request.targets) {
    targets.push_back({target.site, target.spec});
    siblings.push_back({target.spec.index, target.spec.share, target.site});
  }
  const sharing::RecordLayout records(request.targets.front().spec.chunking());
  TRY_ASSIGN(Cutting cutting,
             Cutting::prepare(site, uploads, sharing::Scheme{}, records, std::move(targets), job));
  ShareInput input(*reader);
  TRY(cutting.run(input, watch));
  TRY(cutting.commit(siblings));
  TRY(site.log.append(
      "reshared", {{"share", request.share.text()},
                   {"object", reader->header().object.text()},
                   {"to", fmt::format("{} {} {}", siblings[0].site.text(), siblings[1].site.text(),
                                      siblings[2].site.text())}}));
  return {};
}

}  // namespace warifu::control
