// The catalog's word, then the shares'.
#include "recovery/known_objects.h"

#include <algorithm>

namespace warifu::recovery {
namespace {

using catalog::ShareState;

bool is_counted(const catalog::Share& share) {
  return share.state == ShareState::kDurable && share.site;
}

std::uint64_t held(const catalog::FoundObject& found, const Evidence& evidence) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      found.shares,
      [&](const catalog::Share& share) { return share.site && evidence.shows(share); }));
}

// Whether nothing of it is missing, but for what this site has lost.
bool is_whole(const catalog::FoundObject& found, const Evidence& evidence) {
  return std::ranges::all_of(found.shares, [&](const catalog::Share& share) {
    return !share.site || evidence.shows(share) ||
           (*share.site == evidence.own && evidence.is_burnt());
  });
}

// Whether something that is shown stands in the tree for that place, or for all of it in parts.
bool is_filled(const catalog::FoundObject& found, const sharing::SharePath& place,
               const Evidence& evidence) {
  bool any = false;
  for (const catalog::Share& share : found.shares) {
    if (!share.site || !(share.path == place || share.path.is_within(place))) continue;
    if (!evidence.shows(share)) return false;
    any = true;
  }
  return any;
}

// The tree's word against each share that the catalog counts on.
Result<> check_stands(const catalog::FoundObject& found, const std::vector<catalog::Share>& rows,
                      const Evidence& evidence) {
  const bool whole = is_whole(found, evidence);
  for (const catalog::Share& share : rows) {
    if (!is_counted(share) || !evidence.may_stand(share)) continue;
    // A refresh that had been committed is brought to its end.
    if (share.generation < found.object.generation && whole) continue;
    const bool stays = std::ranges::any_of(found.shares, [&](const catalog::Share& one) {
      return one.share == share.share && one.site == share.site;
    });
    if (stays) continue;
    const bool is_unreadable = evidence.unreadable.contains(share.share);
    if (is_unreadable && share.generation == found.object.generation &&
        is_filled(found, share.path, evidence)) {
      continue;
    }
    return fail(Code::kRefused, "what sites show does not agree with share " + share.share.text() +
                                    " at " + share.site->text() + ", which " +
                                    (evidence.shows(share) ? "is there"
                                     : is_unreadable       ? "is there and cannot be read"
                                                           : "does not answer"));
  }
  return {};
}

// A catalog that knows the object knows what is told by nobody any more.
void take_names(FoundTree& tree, const std::vector<catalog::Share>& rows) {
  for (const auto& [path, made_up] : tree.unnamed) {
    const auto row = std::ranges::find_if(rows, [&](const catalog::Share& share) {
      return share.path == path && share.generation == tree.found.object.generation &&
             share.state >= ShareState::kDeletePending;
    });
    if (row == rows.end()) continue;
    for (catalog::Share& share : tree.found.shares) {
      if (share.share == made_up) share.share = row->share;
      if (share.parent == made_up) share.parent = row->share;
    }
  }
}

// Every share that it counts on may stand. What else sites show was under way and is of no use, but
// they have seen it. On account of what is not shown nothing changes.
std::optional<Verdict> keep(const catalog::Object& known, const std::vector<catalog::Share>& rows,
                            const Evidence& evidence) {
  if (known.state != catalog::ObjectState::kCommitted) return std::nullopt;
  Verdict verdict{.found = {.object = known}, .is_kept = true, .owner = {}};
  for (const catalog::Share& share : rows) {
    if (!is_counted(share)) continue;
    if (evidence.shows(share)) {
      verdict.found.shares.push_back(share);
    } else if (evidence.may_stand(share) || *share.site == evidence.own) {
      ++verdict.lost;
    } else {
      return std::nullopt;
    }
  }
  if (verdict.found.shares.empty()) return std::nullopt;
  for (const FoundShare& one : evidence.shown) {
    verdict.found.sightings.push_back({one.site, one.spec.path});
  }
  verdict.spare = evidence.shown.size() - verdict.found.shares.size();
  return verdict;
}

Verdict verdict_of(FoundTree tree, const Evidence& evidence) {
  Verdict verdict{.found = std::move(tree.found), .owner = std::move(tree.owner)};
  verdict.lost = tree.lost;
  verdict.spare = evidence.shown.size() - held(verdict.found, evidence);
  verdict.found.spare.clear();  // nothing is deleted on what sites say
  return verdict;
}

// Of the generation that the catalog knows, as long as all of it is there: a refresh that was not
// committed leaves it so. And where it restores the object, rather than of an older one: that the
// catalog was switched over is not undone because some of it is lost.
Result<FoundTree> tree_of(const catalog::Object& known, const Evidence& evidence) {
  std::vector<FoundShare> same;
  std::ranges::copy_if(evidence.shown, std::back_inserter(same), [&](const FoundShare& found) {
    return found.spec.generation == known.generation;
  });
  if (same.empty() || same.size() == evidence.shown.size()) return settle(evidence.shown);
  auto tree = settle(same);
  if (tree && is_whole(tree->found, evidence)) return tree;
  auto any = settle(evidence.shown);
  const bool is_older = any && any->found.object.generation < known.generation;
  return tree && (!any || is_older) ? std::move(tree) : std::move(any);
}

}  // namespace

bool Evidence::shows(const catalog::Share& share) const {
  return std::ranges::any_of(shown, [&](const FoundShare& one) {
    return one.spec.share == share.share && one.site == *share.site;
  });
}

bool Evidence::may_stand(const catalog::Share& share) const {
  return silent.contains(*share.site) || unreadable.contains(share.share) || shows(share);
}

bool Evidence::is_burnt() const {
  return std::ranges::none_of(shown, [&](const FoundShare& one) { return one.site == own; });
}

std::vector<catalog::Share> to_be_asked(const std::vector<catalog::Share>& rows,
                                        const Evidence& evidence) {
  std::vector<catalog::Share> missing;
  std::ranges::copy_if(rows, std::back_inserter(missing), [&](const catalog::Share& share) {
    return is_counted(share) && !evidence.silent.contains(*share.site) && !evidence.shows(share);
  });
  return missing;
}

Result<Verdict> judge_known(const catalog::Object& known, const std::vector<catalog::Share>& rows,
                            const Evidence& evidence) {
  if (auto kept = keep(known, rows, evidence)) return std::move(*kept);
  TRY_ASSIGN(FoundTree tree, tree_of(known, evidence));
  take_names(tree, rows);
  Verdict verdict = verdict_of(std::move(tree), evidence);
  verdict.found.object.person_id = known.person_id;
  TRY(check_stands(verdict.found, rows, evidence));
  return verdict;
}

Result<Verdict> judge_unknown(const Evidence& evidence) {
  TRY_ASSIGN(FoundTree tree, settle(evidence.shown));
  return verdict_of(std::move(tree), evidence);
}

}  // namespace warifu::recovery
