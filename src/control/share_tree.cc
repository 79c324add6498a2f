// Reading the tree.
#include "control/share_tree.h"

#include <algorithm>

namespace warifu::control {

Result<ShareTree> ShareTree::read(catalog::Catalog& catalog, const ObjectId& object) {
  ShareTree tree;
  TRY_ASSIGN(tree.object, catalog.object(object));
  TRY_ASSIGN(tree.policy, planner::parse_policy(tree.object.policy));
  TRY_ASSIGN(tree.shares, catalog.list_shares(object));
  TRY_ASSIGN(const auto pseudonyms, catalog.pseudonyms(tree.object.person_id));
  for (const auto& entry : pseudonyms) tree.pseudonyms[entry.site] = entry.pseudonym;
  for (const catalog::Share& share : tree.shares) {
    if (tree.policy.find(share.path) != nullptr) continue;
    return fail(Code::kCorrupt, "share " + share.path.text() + " of object " + object.text() +
                                    " does not fit the object's policy");
  }
  return tree;
}

std::vector<catalog::Share> ShareTree::top_shares() const {
  std::vector<catalog::Share> top;
  for (const auto& share : shares) {
    if (share.path.is_top()) top.push_back(share);
  }
  std::ranges::sort(top, {}, &catalog::Share::path);
  return top;
}

std::vector<catalog::Share> ShareTree::nested_of(const ShareId& parent) const {
  std::vector<catalog::Share> nested;
  for (const auto& share : shares) {
    if (share.parent == parent) nested.push_back(share);
  }
  std::ranges::sort(nested, {}, &catalog::Share::path);
  return nested;
}

std::vector<catalog::Share> ShareTree::cut_around(const catalog::Share& share) const {
  std::vector<catalog::Share> cut = {share};
  for (const catalog::Share& other : shares) {
    const bool beside = other.parent == share.parent && other.generation == share.generation &&
                        other.path != share.path;
    if (beside && stands(other)) cut.push_back(other);
  }
  std::ranges::sort(cut, {}, &catalog::Share::path);
  return cut;
}

bool ShareTree::is_to_be_cut(const ShareId& share) const {
  return std::ranges::any_of(shares, [&](const catalog::Share& part) {
    return part.parent == share && part.state < catalog::ShareState::kDurable;
  });
}

std::vector<catalog::Share> ShareTree::uncut() const {
  std::vector<catalog::Share> whole;
  for (const catalog::Share& share : shares) {
    if (share.state != catalog::ShareState::kDurable || share.generation != object.generation) {
      continue;
    }
    if (!policy.find(share.path)->is_leaf()) whole.push_back(share);
  }
  return whole;
}

std::vector<catalog::Share> ShareTree::parts_anew(const ShareId& old, const ShareId& parent,
                                                  os::Random& random) const {
  std::vector<catalog::Share> parts;
  std::map<ShareId, ShareId> in_place_of = {{old, parent}};
  for (catalog::Share part : shares) {  // each before its parts
    const auto above = part.parent ? in_place_of.find(*part.parent) : in_place_of.end();
    if (above == in_place_of.end() || part.state >= catalog::ShareState::kDeletePending) continue;
    part.parent = above->second;
    const ShareId before = std::exchange(part.share, os::random_id<ShareId>(random));
    in_place_of.emplace(before, part.share);
    part.state = catalog::ShareState::kPlanned;
    part.protections.clear();
    parts.push_back(std::move(part));
  }
  return parts;
}

// A share that was replaced, or whose generation was given up, neither is durable nor has parts
// that stand.
bool ShareTree::stands(const catalog::Share& share) const {
  return share.state == catalog::ShareState::kDurable ||
         std::ranges::any_of(shares, [&](const catalog::Share& part) {
           return part.parent == share.share && stands(part);
         });
}

sharing::Scheme ShareTree::scheme_of(const catalog::Share& share) const {
  const planner::PolicyNode* cut = policy.find(share.path.parent());
  WARIFU_CHECK(cut != nullptr);
  return cut->scheme;
}

sharing::RecordLayout ShareTree::records_of(const catalog::Share& share) const {
  return planner::records_at(policy, sharing::RecordLayout(chunking()), share.path);
}

ShareSpec ShareTree::spec_of(const catalog::Share& share) const {
  const auto owner = pseudonyms.find(share.last_site);
  return {.share = share.share,
          .object = object.object,
          .parent = share.parent,
          .path = share.path,
          .scheme = scheme_of(share),
          .generation = share.generation,
          .owner = owner == pseudonyms.end() ? Pseudonym{} : owner->second,
          .object_length = object.length,
          .chunk_bytes = chunking().chunk_bytes,
          .records = records_of(share),
          .computational = true,
          .policy = object.policy,
          .lead_chunks = object.lead_chunks};
}

namespace {

void add_planned(const catalog::Share& whole, const std::vector<planner::ShareTarget>& targets,
                 const sharing::Scheme& scheme, const sharing::RecordLayout& cut,
                 os::Random& random, std::vector<catalog::Share>& shares) {
  const sharing::RecordLayout records = cut.below(scheme);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    catalog::Share share{.share = os::random_id<ShareId>(random),
                         .object = whole.object,
                         .parent = {},
                         .path = whole.path.part(i),
                         .cut_shares = scheme.shares,
                         .generation = std::max(whole.generation, 1U),
                         .site = targets[i].site,
                         .state = catalog::ShareState::kPlanned,
                         .bytes = records.lengths({0}, records.count()),
                         .route = planner::route_text(targets[i].route)};
    if (!whole.path.is_object()) share.parent = whole.share;
    shares.push_back(share);
    if (!targets[i].nested.empty()) {
      add_planned(share, targets[i].nested, targets[i].cut, records, random, shares);
    }
  }
}

}  // namespace

std::vector<catalog::Share> planned_shares(const catalog::Share& whole,
                                           const std::vector<planner::ShareTarget>& targets,
                                           const sharing::Scheme& scheme,
                                           const sharing::RecordLayout& records,
                                           os::Random& random) {
  std::vector<catalog::Share> shares;
  add_planned(whole, targets, scheme, records, random, shares);
  return shares;
}

std::vector<Sibling> siblings_of(const std::vector<catalog::Share>& shares) {
  std::vector<Sibling> siblings;
  for (const auto& share : shares) {
    siblings.push_back(
        {static_cast<sharing::ShareIndex>(share.path.index()), share.share, share.last_site});
  }
  return siblings;
}

}  // namespace warifu::control
