// Reading the tree.
#include "control/share_tree.h"

#include <algorithm>

namespace warifu::control {

Result<ShareTree> ShareTree::read(catalog::Catalog& catalog, const ObjectId& object) {
  ShareTree tree;
  TRY_ASSIGN(tree.object, catalog.object(object));
  TRY_ASSIGN(tree.policy, parse_policy(tree.object.policy));
  TRY_ASSIGN(tree.shares, catalog.list_shares(object));
  TRY_ASSIGN(const auto pseudonyms, catalog.pseudonyms(tree.object.person_id));
  for (const auto& entry : pseudonyms) tree.pseudonyms[entry.site] = entry.pseudonym;
  return tree;
}

std::vector<catalog::Share> ShareTree::top_shares() const {
  std::vector<catalog::Share> top;
  for (const auto& share : shares) {
    if (!share.parent) top.push_back(share);
  }
  std::ranges::sort(top, {}, &catalog::Share::index);
  return top;
}

std::vector<catalog::Share> ShareTree::nested_of(const ShareId& parent) const {
  std::vector<catalog::Share> nested;
  for (const auto& share : shares) {
    if (share.parent == parent) nested.push_back(share);
  }
  std::ranges::sort(nested, {}, &catalog::Share::index);
  return nested;
}

std::vector<catalog::Share> ShareTree::cut_around(const catalog::Share& share) const {
  std::vector<catalog::Share> cut = {share};
  for (const catalog::Share& other : shares) {
    const bool beside = other.parent == share.parent && other.generation == share.generation &&
                        other.index != share.index;
    // A share that was replaced, or whose generation was given up, neither stands nor has parts
    // that do.
    const auto is_durable = [](const catalog::Share& part) {
      return part.state == catalog::ShareState::kDurable;
    };
    const bool stands =
        is_durable(other) || std::ranges::any_of(nested_of(other.share), is_durable);
    if (beside && stands) cut.push_back(other);
  }
  std::ranges::sort(cut, {}, &catalog::Share::index);
  return cut;
}

std::uint8_t ShareTree::parent_index_of(const catalog::Share& share) const {
  const auto parent = std::ranges::find_if(
      shares, [&](const catalog::Share& other) { return share.parent == other.share; });
  WARIFU_CHECK(parent != shares.end() && parent->index < policy.children.size());
  return parent->index;
}

sharing::Scheme ShareTree::scheme_of(const catalog::Share& share) const {
  return share.parent ? policy.children[parent_index_of(share)].scheme : policy.scheme;
}

sharing::RecordLayout ShareTree::records_of(const catalog::Share& share) const {
  const sharing::RecordLayout top = sharing::RecordLayout(chunking()).below(policy.scheme);
  return share.parent ? top.below(scheme_of(share)) : top;
}

ShareSpec ShareTree::spec_of(const catalog::Share& share) const {
  const auto owner = pseudonyms.find(share.last_site);
  return {
      .share = share.share,
      .object = object.object,
      .parent = share.parent,
      .parent_index = static_cast<sharing::ShareIndex>(share.parent ? parent_index_of(share) : 0),
      .scheme = scheme_of(share),
      .index = static_cast<sharing::ShareIndex>(share.index),
      .generation = share.generation,
      .owner = owner == pseudonyms.end() ? Pseudonym{} : owner->second,
      .object_length = object.length,
      .chunk_bytes = chunking().chunk_bytes,
      .records = records_of(share),
      .computational = true,
      .policy = object.policy};
}

std::vector<Sibling> siblings_of(const std::vector<catalog::Share>& shares) {
  std::vector<Sibling> siblings;
  for (const auto& share : shares) {
    siblings.push_back(
        {static_cast<sharing::ShareIndex>(share.index), share.share, share.last_site});
  }
  return siblings;
}

}  // namespace warifu::control
