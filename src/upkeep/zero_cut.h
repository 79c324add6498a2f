// Zero shares for a whole object: the secret 0, cut by the object's policy under fresh randomness,
// nested cuts too (sharing/refresh.h).
//
// What a share that was cut again would get is itself cut for the holders of its parts, so none of
// them comes to know it. Of each cut privacy() shares are given: key that both ends of a link hold
// where a place says drawn, random numbers otherwise. Adding what comes out to the shares of the
// object gives shares of the same secret, independent of the old ones. Values only; one thread at a
// time; constant time.
#pragma once

#include <functional>
#include <map>

#include "planner/policy.h"
#include "secret/secret.h"
#include "sharing/chunk.h"
#include "upkeep/orders.h"

namespace warifu::upkeep {

class ZeroCut {
 public:
  // Fills memory with uniform, secret, fresh bytes.
  using Random = std::function<Result<>(MutableBytes out)>;

  // `drawn[i]`: the zero share of leaf_paths(policy)[i] is key that its holder has already. Errors:
  // kInvalidArgument when a cut has more of them than may be given.
  [[nodiscard]] static Result<ZeroCut> make(const planner::PolicyNode& policy,
                                            const sharing::RecordLayout& records,
                                            const std::vector<bool>& drawn);

  // Zero shares of record `index`, by leaf. Drawn ones are there already; the others are made.
  // Errors: those of `random`.
  [[nodiscard]] Result<> cut(ChunkIndex index, std::span<secret::Buffer> shares,
                             const Random& random) const;

 private:
  // One cut: what to give to it, and what becomes of its shares.
  struct Node {
    sharing::Splitter splitter;
    std::vector<std::size_t> leaves;    // by share: which leaf it is; kInner: it is cut again
    std::map<std::size_t, Node> inner;  // by share
  };
  static constexpr std::size_t kInner = SIZE_MAX;
  ZeroCut(Node top, const sharing::RecordLayout& records, const std::vector<bool>& drawn)
      : top_(std::move(top)), records_(records), drawn_(drawn) {}
  // `leaf` is the first one below the cut, and then the first one behind it.
  static Result<Node> make_node(const planner::PolicyNode& cut, const std::vector<bool>& drawn,
                                std::size_t& leaf);
  Result<> cut_node(const Node& node, secret::Buffer secret, std::span<secret::Buffer> shares,
                    const Random& random) const;
  Result<> split(const Node& node, ByteView secret, std::span<secret::Buffer> shares,
                 const Random& random) const;

  Node top_;
  sharing::RecordLayout records_;  // of the object
  std::vector<bool> drawn_;
};

}  // namespace warifu::upkeep
