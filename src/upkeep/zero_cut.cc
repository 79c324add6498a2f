// Cuts of zero, the top one first.
#include "upkeep/zero_cut.h"

#include <algorithm>
#include <array>

namespace warifu::upkeep {
namespace {

// Which shares are given: drawn ones, then whichever come first.
Result<std::vector<sharing::ShareIndex>> choose_given(const sharing::Scheme& scheme,
                                                      const std::vector<bool>& drawn) {
  std::vector<sharing::ShareIndex> given;
  for (const bool wanted : {true, false}) {
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (drawn[i] != wanted) continue;
      if (given.size() < scheme.privacy()) {
        given.push_back(static_cast<sharing::ShareIndex>(i));
      } else if (wanted) {
        return fail(Code::kInvalidArgument,
                    "more zero shares are key of links than a " + scheme.text() + " cut may have");
      }
    }
  }
  return given;
}

}  // namespace

Result<ZeroCut::Node> ZeroCut::make_node(const planner::PolicyNode& cut,
                                         const std::vector<bool>& drawn, std::size_t& leaf) {
  std::vector<std::size_t> leaves(cut.children.size(), kInner);
  std::vector<bool> own_drawn(cut.children.size());
  std::map<std::size_t, Node> inner;
  for (std::size_t i = 0; i < cut.children.size(); ++i) {
    if (cut.children[i].is_leaf()) {
      own_drawn[i] = drawn[leaf];
      leaves[i] = leaf++;
      continue;
    }
    TRY_ASSIGN(Node below, make_node(cut.children[i], drawn, leaf));
    inner.emplace(i, std::move(below));
  }
  TRY_ASSIGN(const auto given, choose_given(cut.scheme, own_drawn));
  TRY_ASSIGN(sharing::Splitter splitter, sharing::Splitter::make(cut.scheme, given));
  return Node{std::move(splitter), std::move(leaves), std::move(inner)};
}

Result<ZeroCut> ZeroCut::make(const planner::PolicyNode& policy,
                              const sharing::RecordLayout& records,
                              const std::vector<bool>& drawn) {
  WARIFU_CHECK(drawn.size() == planner::leaf_paths(policy).size());
  std::size_t leaf = 0;
  TRY_ASSIGN(Node top, make_node(policy, drawn, leaf));
  return ZeroCut(std::move(top), records, drawn);
}

// `shares` are those of this cut, by index; empty ones are made, or drawn at random when given.
Result<> ZeroCut::split(const Node& node, ByteView secret, std::span<secret::Buffer> shares,
                        const Random& random) const {
  const sharing::Scheme& scheme = node.splitter.scheme();
  std::array<ByteView, sharing::kMaxShares> given;
  std::array<MutableBytes, sharing::kMaxShares> made;
  const std::size_t bytes = scheme.share_bytes(secret.size());
  const auto at = [&](sharing::ShareIndex index) -> secret::Buffer& {
    return shares[static_cast<std::size_t>(index)];
  };
  for (std::size_t i = 0; i < node.splitter.given().size(); ++i) {
    secret::Buffer& share = at(node.splitter.given()[i]);
    if (share.empty()) {
      share = secret::Buffer(bytes);
      TRY(random(share.bytes()));
    }
    if (share.size() != bytes) return fail(Code::kProtocol, "drawn key of another length came");
    given[i] = share.bytes();
  }
  for (std::size_t i = 0; i < node.splitter.made().size(); ++i) {
    secret::Buffer& share = at(node.splitter.made()[i]);
    share = secret::Buffer(bytes);
    made[i] = share.bytes();
  }
  node.splitter.split(secret, std::span(given).first(node.splitter.given().size()),
                      std::span(made).first(node.splitter.made().size()));
  return {};
}

// `secret` is padded as the scheme pads; `shares` are those of the whole object, by leaf.
Result<> ZeroCut::cut_node(const Node& node, secret::Buffer secret,
                           std::span<secret::Buffer> shares, const Random& random) const {
  std::vector<secret::Buffer> made(node.leaves.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    const std::size_t leaf = node.leaves[i];
    if (leaf != kInner && drawn_[leaf]) made[i] = std::move(shares[leaf]);
  }
  TRY(split(node, secret.bytes(), made, random));
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (node.leaves[i] != kInner) shares[node.leaves[i]] = std::move(made[i]);
  }
  for (const auto& [share, below] : node.inner) {
    secret::Buffer padded(below.splitter.scheme().padded(made[share].size()));
    std::ranges::copy(made[share].bytes(), padded.bytes().begin());
    TRY(cut_node(below, std::move(padded), shares, random));
  }
  return {};
}

Result<> ZeroCut::cut(ChunkIndex index, std::span<secret::Buffer> shares,
                      const Random& random) const {
  WARIFU_CHECK(shares.size() == drawn_.size());
  const std::size_t bytes = top_.splitter.scheme().padded(records_.length(index));
  return cut_node(top_, secret::Buffer(bytes), shares, random);
}

}  // namespace warifu::upkeep
