// Objects as their shares tell them.
#include <algorithm>

#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {

// Whatever stands at the place and is not this share goes; when the share is whole, what stands
// below it too. Its holder deletes it once what stands there answers (control/deletion_rule.h).
Result<> SqliteCatalog::settle_share_locked(const Share& share) {
  TRY_ASSIGN(const auto others, shares_locked(share.object));
  for (Share other : others) {
    const bool same_place = other.share != share.share && other.path == share.path;
    const bool its_part =
        share.site && other.path != share.path && other.path.is_within(share.path);
    if ((!same_place && !its_part) || other.generation != share.generation ||
        other.state >= ShareState::kDeletePending) {
      continue;
    }
    const bool is_planned = other.state == ShareState::kPlanned;
    other.state = is_planned ? ShareState::kDeleted : ShareState::kDeletePending;
    if (is_planned) other.site.reset();
    TRY(place_share_locked(other));
  }
  const auto known = std::ranges::find(others, share.share, &Share::share);
  if (known == others.end()) return add_share_locked(share);
  if (!share.site && known->state == ShareState::kDeleted) return {};
  if (known->parent != share.parent || known->path != share.path ||
      known->generation != share.generation) {
    return fail(Code::kInvalidArgument,
                "share " + share.share.text() + " was at another place of its object before");
  }
  TRY_ASSIGN(Statement statement,
             database_->prepare("UPDATE share SET state = ?, site = ?, last_site = ?, "
                                "bytes = ? WHERE share_id = ?"));
  return statement.text(state_name(share.state))
      .maybe(share.site)
      .site(share.site ? *share.site : share.last_site)
      .number(share.bytes)
      .id(share.share)
      .run();
}

Result<> SqliteCatalog::settle_spare_locked(const Share& share) {
  const auto known = share_locked(share.share);
  if (known) return known->state == ShareState::kDeleted ? Result<>() : place_share_locked(share);
  if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
  return add_share_locked(share);
}

// The object is of that generation; what lives of others goes.
Result<> SqliteCatalog::settle_generation_locked(const Object& found) {
  TRY_ASSIGN(const auto shares, shares_locked(found.object));
  for (Share share : shares) {
    if (share.generation == found.generation || share.state >= ShareState::kDeletePending) continue;
    const bool is_planned = share.state == ShareState::kPlanned;
    share.state = is_planned ? ShareState::kDeleted : ShareState::kDeletePending;
    if (is_planned) share.site.reset();
    TRY(place_share_locked(share));
  }
  TRY_ASSIGN(Statement statement,
             database_->prepare("UPDATE object SET generation = ? WHERE object_id = ?"));
  return statement.number(found.generation).id(found.object).run();
}

// What a job is about to do stands on the shares as they are now.
Result<> SqliteCatalog::check_idle_locked(const ObjectId& object) {
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT count(*) FROM job WHERE object_id = ? AND "
                                "kind != 'restore' AND "
                                "+state IN ('waiting_key', 'running', 'paused')"));
  statement.id(object);
  TRY_ASSIGN(const bool is_there, statement.step());
  if (!is_there || statement.read_number() == 0) return {};
  return fail(Code::kBusy, "a job works on object " + object.text());
}

Result<> SqliteCatalog::settle_found(const FoundObject& found, const JobId& job) {
  TRY(check_record(found.object));
  for (const auto* shares : {&found.shares, &found.spare}) {
    for (const Share& share : *shares) TRY(check_record(share));
  }
  if (found.object.state != ObjectState::kCommitted || !found.object.committed_at) {
    return fail(Code::kInvalidArgument, "an object that is found is a committed one");
  }
  return change([&]() -> Result<> {
    TRY(job_locked(job));
    TRY(check_idle_locked(found.object.object));
    const auto known = object_locked(found.object.object);
    if (!known && known.error().code != Code::kNotFound) return std::unexpected(known.error());
    const bool deleted = known && known->state == ObjectState::kDeleted;
    if (!known) {
      Object fresh = found.object;
      fresh.state = ObjectState::kStoring;
      fresh.committed_at.reset();
      TRY(add_object_locked(fresh));
    }
    if (!deleted) TRY(settle_generation_locked(found.object));
    for (const Share& share : deleted ? std::vector<Share>() : found.shares) {
      TRY(settle_share_locked(share));
    }
    for (Share share : deleted ? found.shares : found.spare) {
      if (deleted && !share.site) continue;
      share.site = share.site.value_or(share.last_site);
      share.state = ShareState::kDeletePending;
      TRY(settle_spare_locked(share));
    }
    TRY(add_sightings_locked(found.object.object, job, found.sightings));
    if (deleted || (known && known->state == ObjectState::kCommitted)) return {};
    // What the card would have to get is gone with the job that stored it, unless a copy had it.
    TRY_ASSIGN(Statement commit,
               database_->prepare(
                   "UPDATE object SET state = 'committed', committed_at = ?, card_record = "
                   "CASE WHEN EXISTS (SELECT 1 FROM job WHERE job.object_id = object.object_id "
                   "AND kind = 'store' AND length(sealed_secret) > 0) "
                   "THEN card_record ELSE 'unknown' END WHERE object_id = ?"));
    return commit.time(*found.object.committed_at).id(found.object.object).run();
  });
}

}  // namespace warifu::catalog
