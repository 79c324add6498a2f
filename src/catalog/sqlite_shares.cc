// Shares: where they are, and the step from one location to another.
#include <algorithm>
#include <set>

#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {
namespace {

constexpr std::string_view kShareColumns =
    "SELECT share_id, object_id, parent_id, path, cut_shares, generation, site, last_site, state, "
    "bytes, route, protections FROM share ";

Share read_share(Statement& row) {
  Share share;
  share.share = row.read_id<ShareId>();
  share.object = row.read_id<ObjectId>();
  share.parent = row.maybe_id<ShareId>();
  share.path = row.read_path();
  share.cut_shares = static_cast<std::uint8_t>(row.read_number(kMaxCutShares));
  share.generation = static_cast<std::uint32_t>(row.read_number(UINT32_MAX));
  share.site = row.maybe_site();
  share.last_site = row.maybe_site().value_or(SiteName());
  share.state = row.read_state<ShareState>();
  share.bytes = row.read_number();
  share.route = row.read_text();
  share.protections = row.read_text();
  return share;
}

std::unexpected<Error> cannot(const Share& share, std::string_view why) {
  return fail(Code::kInvalidArgument, "share " + share.share.text() + " is " +
                                          std::string(state_name(share.state)) + "; " +
                                          std::string(why));
}

std::unexpected<Error> not_its_nested(const ShareId& parent, std::string_view why) {
  return fail(Code::kInvalidArgument,
              "the location of share " + parent.text() + " cannot move: " + std::string(why));
}

// All shares of one cut of `parent`, each on its way or durable, at different sites.
Result<> check_nested(const Share& parent, const std::vector<Share>& nested) {
  std::set<std::uint8_t> indexes;
  std::set<SiteName> sites;
  for (const Share& share : nested) {
    if (share.parent != parent.share) {
      return not_its_nested(parent.share, "share " + share.share.text() + " is not cut from it");
    }
    if (share.state != ShareState::kWriting && share.state != ShareState::kDurable) {
      return not_its_nested(parent.share, "nested share " + share.share.text() + " is " +
                                              std::string(state_name(share.state)));
    }
    if (!indexes.insert(share.path.index()).second ||
        share.cut_shares != nested.front().cut_shares) {
      return not_its_nested(parent.share, "every share of one cut must stand once");
    }
    sites.insert(share.last_site);
  }
  if (nested.empty() || nested.size() != nested.front().cut_shares) {
    return not_its_nested(parent.share, "it needs all nested shares of the cut");
  }
  if (sites.size() != nested.size()) {
    return not_its_nested(parent.share, "two nested shares are at one site");
  }
  return {};
}

}  // namespace

Result<Share> SqliteCatalog::share_locked(const ShareId& share) {
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kShareColumns) + "WHERE share_id = ?"));
  statement.id(share);
  TRY_ASSIGN(auto found, read_row_if_any<Share>(statement, read_share));
  if (!found) return fail(Code::kNotFound, "share " + share.text() + " is not known");
  return std::move(*found);
}

Result<std::vector<Share>> SqliteCatalog::shares_locked(const ObjectId& object) {
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kShareColumns) +
                                "WHERE object_id = ? "
                                "ORDER BY generation, length(path), path, share_id"));
  statement.id(object);
  return read_rows<Share>(statement, read_share);
}

Result<> SqliteCatalog::check_parent_locked(const Share& share) {
  if (!share.parent) return {};
  TRY_ASSIGN(const Share parent, share_locked(*share.parent));
  if (parent.path == share.path.parent() && parent.object == share.object &&
      parent.generation == share.generation) {
    return {};
  }
  return fail(Code::kInvalidArgument,
              "share " + share.share.text() + " cannot be nested in share " + parent.share.text() +
                  ": it is of another object or generation, or stands elsewhere");
}

Result<> SqliteCatalog::add_share_locked(const Share& share) {
  TRY(check_json_locked("the protections of a share", share.protections));
  TRY(object_locked(share.object));
  TRY(check_parent_locked(share));
  const auto known = share_locked(share.share);
  if (known) return fail(Code::kAlreadyExists, "share " + share.share.text() + " is already known");
  if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
  TRY_ASSIGN(const auto others, shares_locked(share.object));
  // Shares that stand side by side come from one cut.
  const auto other_cut = std::ranges::find_if(others, [&](const Share& other) {
    return other.state < ShareState::kDeletePending && other.generation == share.generation &&
           other.path.same_cut(share.path) && other.cut_shares != share.cut_shares;
  });
  if (other_cut != others.end() && share.state < ShareState::kDeletePending) {
    return fail(Code::kInvalidArgument, "share " + share.share.text() +
                                            " is not of the cut that made share " +
                                            other_cut->share.text());
  }
  const auto in_the_way = std::ranges::find_if(others, [&](const Share& other) {
    return other.state < ShareState::kDeletePending && other.generation == share.generation &&
           other.path == share.path;
  });
  if (in_the_way != others.end() && share.state < ShareState::kDeletePending) {
    return fail(Code::kAlreadyExists, "share " + in_the_way->share.text() + " of object " +
                                          share.object.text() + " stands where share " +
                                          share.share.text() + " would");
  }
  TRY_ASSIGN(Statement statement,
             database_->prepare("INSERT INTO share (share_id, object_id, parent_id, path, "
                                "cut_shares, generation, site, last_site, state, bytes, route, "
                                "protections) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const SiteName last = share.site ? *share.site : share.last_site;
  return statement.id(share.share)
      .id(share.object)
      .maybe(share.parent)
      .blob(share.path.steps())
      .number(share.cut_shares)
      .number(share.generation)
      .maybe(share.site)
      .maybe(last.empty() ? std::nullopt : std::optional(last))
      .text(state_name(share.state))
      .number(share.bytes)
      .text(share.route)
      .text(share.protections)
      .run();
}

Result<> SqliteCatalog::add_shares(std::span<const Share> shares) {
  for (const Share& share : shares) TRY(check_record(share));
  return change([&]() -> Result<> {
    for (const Share& share : shares) TRY(add_share_locked(share));
    return {};
  });
}

Result<> SqliteCatalog::plan_shares(const ObjectId& object, const JobId& job,
                                    std::span<const Share> shares,
                                    std::span<const Sighting> sightings,
                                    std::span<const Sighting> reckoned) {
  for (const Share& share : shares) TRY(check_record(share));
  return change([&]() -> Result<> {
    TRY(check_reckoned_locked(object, reckoned));
    for (const Share& share : shares) TRY(add_share_locked(share));
    return add_sightings_locked(object, job, sightings);
  });
}

Result<Share> SqliteCatalog::share(const ShareId& share) {
  const std::lock_guard lock(mutex_);
  return share_locked(share);
}

Result<std::vector<Share>> SqliteCatalog::list_shares(const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  TRY(object_locked(object));
  return shares_locked(object);
}

Result<> SqliteCatalog::place_share_locked(const Share& share) {
  TRY_ASSIGN(Statement statement,
             database_->prepare("UPDATE share SET state = ?, site = ? WHERE share_id = ?"));
  return statement.text(state_name(share.state)).maybe(share.site).id(share.share).run();
}

Result<> SqliteCatalog::set_share_state(const ShareId& share, ShareState state) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Share found, share_locked(share));
    if (found.state == state) return {};
    if (state < found.state) {
      return cannot(found, "it does not become " + std::string(state_name(state)) + " again");
    }
    found.state = state;
    if (state == ShareState::kDeleted) found.site.reset();
    return place_share_locked(found);
  });
}

Result<> SqliteCatalog::set_share_travel(const ShareId& share, const std::string& route,
                                         const std::string& protections) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Share found, share_locked(share));
    found.route = route;
    found.protections = protections;
    TRY(check_record(found));
    TRY(check_json_locked("the protections of a share", protections));
    TRY_ASSIGN(
        Statement statement,
        database_->prepare("UPDATE share SET route = ?, protections = ? WHERE share_id = ?"));
    return statement.text(route).text(protections).id(share).run();
  });
}

Result<> SqliteCatalog::move_location(const ShareId& parent, std::span<const ShareId> nested) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Share cut, share_locked(parent));
    std::vector<Share> pieces;
    for (const ShareId& id : nested) {
      TRY_ASSIGN(Share piece, share_locked(id));
      pieces.push_back(std::move(piece));
    }
    TRY(check_nested(cut, pieces));
    const bool all_durable = std::ranges::all_of(
        pieces, [](const Share& piece) { return piece.state == ShareState::kDurable; });
    if (!cut.site && all_durable) return {};  // done before
    if (cut.state != ShareState::kDurable) return cannot(cut, "its location cannot move");
    cut.state = ShareState::kDeletePending;
    cut.site.reset();
    TRY(place_share_locked(cut));
    for (Share& piece : pieces) {
      piece.state = ShareState::kDurable;
      TRY(place_share_locked(piece));
    }
    return {};
  });
}

Result<std::vector<Share>> SqliteCatalog::parts_locked(const Share& cut) {
  TRY_ASSIGN(const std::vector<Share> shares, shares_locked(cut.object));
  std::set<ShareId> above = {cut.share};
  std::vector<Share> parts;
  for (const Share& share : shares) {  // each before its parts
    if (!share.parent || !above.contains(*share.parent)) continue;
    if (share.state >= ShareState::kDeletePending) continue;
    above.insert(share.share);
    parts.push_back(share);
  }
  return parts;
}

Result<> SqliteCatalog::give_up_locked(Share part) {
  part.state =
      part.state == ShareState::kPlanned ? ShareState::kDeleted : ShareState::kDeletePending;
  part.site.reset();
  return place_share_locked(part);
}

// What was still to be made of `old` is not made any more; `parts`, of `parent`, are to have just
// those places.
Result<> SqliteCatalog::give_up_parts_locked(const Share& old, const ShareId& parent,
                                             std::span<const Share> parts) {
  std::set<ShareId> fresh = {parent};
  for (const Share& part : parts) {
    if (!part.parent || !fresh.contains(*part.parent)) {
      return cannot(old, "part " + part.share.text() + " is not of what takes its place");
    }
    fresh.insert(part.share);
  }
  TRY_ASSIGN(const std::vector<Share> given_up, parts_locked(old));
  for (const Share& share : given_up) {
    const auto again = std::ranges::find(parts, share.path, &Share::path);
    if (again == parts.end() || again->state != ShareState::kPlanned) {
      return cannot(old, "its part " + share.path.text() + " is not planned anew");
    }
    TRY(give_up_locked(share));
  }
  if (given_up.size() == parts.size()) return {};
  return cannot(old, "more parts are planned anew than it was to be cut into");
}

Result<> SqliteCatalog::give_up_parts(const ShareId& parent) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Share cut, share_locked(parent));
    if (cut.state != ShareState::kDurable) return cannot(cut, "it does not stay whole");
    TRY_ASSIGN(const std::vector<Share> parts, parts_locked(cut));
    for (const Share& part : parts) TRY(give_up_locked(part));
    return {};
  });
}

Result<> SqliteCatalog::replace_parts(const ShareId& parent, std::span<const Share> parts) {
  for (const Share& part : parts) TRY(check_record(part));
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Share cut, share_locked(parent));
    if (cut.state != ShareState::kDurable) return cannot(cut, "it is not cut anew");
    TRY(give_up_parts_locked(cut, parent, parts));
    for (const Share& part : parts) TRY(add_share_locked(part));
    return {};
  });
}

Result<> SqliteCatalog::replace_share(const ShareId& old, const Share& fresh,
                                      std::span<const Share> parts) {
  TRY(check_record(fresh));
  for (const Share& part : parts) TRY(check_record(part));
  return change([&]() -> Result<> {
    TRY_ASSIGN(Share replaced, share_locked(old));
    const bool same_place = replaced.object == fresh.object && replaced.parent == fresh.parent &&
                            replaced.path == fresh.path &&
                            replaced.generation == fresh.generation &&
                            replaced.bytes == fresh.bytes;
    const auto known = share_locked(fresh.share);
    if (same_place && known && known->state == ShareState::kDurable && known->site == fresh.site &&
        !replaced.site) {
      return {};  // done before
    }
    if (replaced.state != ShareState::kDurable) return cannot(replaced, "nothing takes its place");
    if (!same_place || fresh.state != ShareState::kDurable) {
      return cannot(replaced, "share " + fresh.share.text() + " cannot take its place");
    }
    replaced.state = ShareState::kDeletePending;
    replaced.site.reset();
    TRY(place_share_locked(replaced));
    TRY(give_up_parts_locked(replaced, fresh.share, parts));
    TRY(add_share_locked(fresh));
    for (const Share& part : parts) TRY(add_share_locked(part));
    return {};
  });
}

namespace {

// Each share of `old` has one in `fresh` at its place and site, and there are no others.
Result<> check_renewed(const ObjectId& object, const std::vector<Share>& old,
                       const std::vector<Share>& fresh) {
  const bool renewed =
      !old.empty() && old.size() == fresh.size() && std::ranges::all_of(old, [&](const Share& was) {
        return std::ranges::any_of(fresh, [&](const Share& is) {
          return is.site == was.site && is.path == was.path && is.bytes == was.bytes;
        });
      });
  if (renewed) return {};
  return fail(Code::kInvalidArgument, "the shares of object " + object.text() +
                                          " do not all have one of the next generation");
}

}  // namespace

Result<> SqliteCatalog::commit_generation(const ObjectId& object, std::uint32_t generation,
                                          const JobId& job, std::span<const Sighting> sightings,
                                          std::span<const Sighting> reckoned) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Object found, object_locked(object));
    if (found.generation == generation) return {};  // done before
    if (found.state != ObjectState::kCommitted || found.generation > generation) {
      return fail(Code::kInvalidArgument,
                  "object " + object.text() + " of generation " + std::to_string(found.generation) +
                      " is " + std::string(state_name(found.state)) +
                      "; it cannot become generation " + std::to_string(generation));
    }
    TRY_ASSIGN(const auto all, shares_locked(object));
    TRY(check_reckoned_locked(object, reckoned));
    std::vector<Share> old, fresh;
    for (const Share& share : all) {
      if (share.state == ShareState::kDurable) old.push_back(share);
      if (share.state == ShareState::kWriting && share.generation == generation) {
        fresh.push_back(share);
      }
    }
    TRY(check_renewed(object, old, fresh));
    for (Share& share : old) {
      share.state = ShareState::kDeletePending;
      TRY(place_share_locked(share));
    }
    for (Share& share : fresh) {
      share.state = ShareState::kDurable;
      TRY(place_share_locked(share));
    }
    TRY_ASSIGN(Statement forget, database_->prepare("DELETE FROM sighting WHERE object_id = ?"));
    TRY(forget.id(object).run());
    TRY(add_sightings_locked(object, job, sightings));
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE object SET generation = ? WHERE object_id = ?"));
    return statement.number(generation).id(object).run();
  });
}

Result<> SqliteCatalog::mark_deleted(const ShareId& share) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Share found, share_locked(share));
    if (found.state == ShareState::kDeleted) return {};
    if (found.state != ShareState::kDeletePending)
      return cannot(found, "nobody asked to delete it");
    found.state = ShareState::kDeleted;
    found.site.reset();
    return place_share_locked(found);
  });
}

Result<std::vector<Share>> SqliteCatalog::pending_deletions() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kShareColumns) +
                                "WHERE state = 'delete_pending' ORDER BY object_id, share_id"));
  return read_rows<Share>(statement, read_share);
}

}  // namespace warifu::catalog
