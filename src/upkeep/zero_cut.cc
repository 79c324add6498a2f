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

std::vector<TreePlace> places_of(const control::PolicyNode& policy) {
  std::vector<TreePlace> places;
  for (std::size_t top = 0; top < policy.children.size(); ++top) {
    const control::PolicyNode& child = policy.children[top];
    if (child.is_leaf()) places.push_back({static_cast<std::uint8_t>(top), std::nullopt});
    for (std::size_t part = 0; part < child.children.size(); ++part) {
      places.push_back({static_cast<std::uint8_t>(top), static_cast<std::uint8_t>(part)});
    }
  }
  return places;
}

sharing::RecordLayout records_at(const control::PolicyNode& policy,
                                 const sharing::RecordLayout& records, const TreePlace& place) {
  const sharing::RecordLayout top = records.below(policy.scheme);
  return place.part ? top.below(policy.children[place.top].scheme) : top;
}

Result<ZeroCut> ZeroCut::make(const control::PolicyNode& policy,
                              const sharing::RecordLayout& records,
                              const std::vector<bool>& drawn) {
  WARIFU_CHECK(drawn.size() == places_of(policy).size());
  std::size_t place = 0;
  std::vector<std::size_t> leaves(policy.children.size(), kInner);
  std::vector<bool> top_drawn(policy.children.size());
  std::map<std::size_t, Node> inner;
  for (std::size_t top = 0; top < policy.children.size(); ++top) {
    const control::PolicyNode& child = policy.children[top];
    if (child.is_leaf()) {
      top_drawn[top] = drawn[place];
      leaves[top] = place++;
      continue;
    }
    std::vector<std::size_t> parts;
    std::vector<bool> part_drawn;
    for (std::size_t part = 0; part < child.children.size(); ++part) {
      part_drawn.push_back(drawn[place]);
      parts.push_back(place++);
    }
    TRY_ASSIGN(const auto given, choose_given(child.scheme, part_drawn));
    TRY_ASSIGN(sharing::Splitter splitter, sharing::Splitter::make(child.scheme, given));
    inner.emplace(top, Node{std::move(splitter), std::move(parts)});
  }
  TRY_ASSIGN(const auto given, choose_given(policy.scheme, top_drawn));
  TRY_ASSIGN(sharing::Splitter splitter, sharing::Splitter::make(policy.scheme, given));
  return ZeroCut({std::move(splitter), std::move(leaves)}, std::move(inner), records, drawn);
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

Result<> ZeroCut::cut(ChunkIndex index, std::span<secret::Buffer> shares,
                      const Random& random) const {
  WARIFU_CHECK(shares.size() == drawn_.size());
  const auto cut_one = [&](const Node& node, secret::Buffer secret,
                           std::span<secret::Buffer> made) -> Result<> {
    for (std::size_t i = 0; i < made.size(); ++i) {
      const std::size_t leaf = node.leaves[i];
      if (leaf != kInner && drawn_[leaf]) made[i] = std::move(shares[leaf]);
    }
    TRY(split(node, secret.bytes(), made, random));
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (node.leaves[i] != kInner) shares[node.leaves[i]] = std::move(made[i]);
    }
    return {};
  };
  const sharing::Scheme& scheme = top_.splitter.scheme();
  std::vector<secret::Buffer> tops(scheme.shares);
  TRY(cut_one(top_, secret::Buffer(scheme.padded(records_.length(index))), tops));
  for (const auto& [top, node] : inner_) {
    const sharing::Scheme& below = node.splitter.scheme();
    secret::Buffer padded(below.padded(tops[top].size()));
    std::ranges::copy(tops[top].bytes(), padded.bytes().begin());
    std::vector<secret::Buffer> parts(below.shares);
    TRY(cut_one(node, std::move(padded), parts));
  }
  return {};
}

}  // namespace warifu::upkeep
