// The plan of a restore, in bytes on its hops.
#include "control/restore_quote.h"

#include "base/reason.h"
#include "control/consent_desk.h"
#include "control/exposure_ledger.h"
#include "control/network_view.h"

namespace warifu::control {
namespace {

// Records of the share at `path`.
sharing::RecordLayout records_of(const planner::PolicyNode& policy,
                                 const sharing::Chunking& chunking,
                                 const sharing::SharePath& path) {
  sharing::RecordLayout records = sharing::RecordLayout(chunking).below(policy.scheme);
  for (std::size_t steps = 1; steps < path.size(); ++steps) {
    const planner::PolicyNode* cut = policy.find(path.above(steps));
    WARIFU_CHECK(cut != nullptr);
    records = records.below(cut->scheme);
  }
  return records;
}

std::uint64_t bytes_of(const planner::RestoreSource& source, const planner::PolicyNode& policy,
                       const sharing::Chunking& chunking) {
  const auto records = records_of(policy, chunking, source.path);
  const std::size_t hops = source.route.empty() ? 0 : source.route.size() - 1;
  std::uint64_t bytes = hops * records.lengths({0}, records.count());
  for (const auto& cut : source.joined) {
    for (const planner::RestoreSource& other : cut) bytes += bytes_of(other, policy, chunking);
  }
  return bytes;
}

}  // namespace

Result<std::uint64_t> quote_restore(SiteContext& site, ShareService& own, catalog::Catalog& catalog,
                                    const ObjectId& id, const SiteName& destination) {
  TRY_ASSIGN(const catalog::Object object, catalog.object(id));
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(object.policy));
  TRY_ASSIGN(const auto shares, locate_shares(catalog, id));
  for (const planner::ShareLocation& share : shares) {
    if (policy.find(share.path) != nullptr) continue;
    return fail(Code::kCorrupt, "share " + share.letter() + " does not fit the object's policy");
  }
  const NetworkView view = look_at_network(site, own);
  const sharing::Chunking chunking{{object.length}};
  planner::RestoreField field{
      policy, shares, view.snapshot, destination, sharing::RecordLayout(chunking), {}};
  TRY_ASSIGN(field.seen, exposure_of(catalog, id));
  const auto plan = planner::plan_restore(field, {}, {});
  if (!plan) {
    return fail(Code::kUnavailable,
                "no set of shares would restore the object at " + destination.text() + " now",
                Reason::kCannotRestore);
  }
  std::uint64_t bytes = 0;
  for (const planner::RestoreSource& source : plan->sources)
    bytes += bytes_of(source, policy, chunking);
  return bytes;
}

}  // namespace warifu::control
