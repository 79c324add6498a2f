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

#include "control/policy.h"
#include "secret/secret.h"
#include "sharing/chunk.h"
#include "upkeep/orders.h"

namespace warifu::upkeep {

// Every share of an object under this policy, those that were cut again as their parts, in order.
[[nodiscard]] std::vector<TreePlace> places_of(const control::PolicyNode& policy);
// Records of the share at that place, of an object with `records`.
[[nodiscard]] sharing::RecordLayout records_at(const control::PolicyNode& policy,
                                               const sharing::RecordLayout& records,
                                               const TreePlace& place);

class ZeroCut {
 public:
  // Fills memory with uniform, secret, fresh bytes.
  using Random = std::function<Result<>(MutableBytes out)>;

  // `drawn[i]`: the zero share of places_of(policy)[i] is key that its holder has already. Errors:
  // kInvalidArgument when a cut has more of them than may be given.
  [[nodiscard]] static Result<ZeroCut> make(const control::PolicyNode& policy,
                                            const sharing::RecordLayout& records,
                                            const std::vector<bool>& drawn);

  // Zero shares of record `index`, by place. Drawn ones are there already; the others are made.
  // Errors: those of `random`.
  [[nodiscard]] Result<> cut(ChunkIndex index, std::span<secret::Buffer> shares,
                             const Random& random) const;

 private:
  // One cut: what to give to it, and where its shares are.
  struct Node {
    sharing::Splitter splitter;
    std::vector<std::size_t> leaves;  // by share: the place; kInner: cut again
  };
  static constexpr std::size_t kInner = SIZE_MAX;
  ZeroCut(Node top, std::map<std::size_t, Node> inner, const sharing::RecordLayout& records,
          const std::vector<bool>& drawn)
      : top_(std::move(top)), inner_(std::move(inner)), records_(records), drawn_(drawn) {}
  Result<> split(const Node& node, ByteView secret, std::span<secret::Buffer> shares,
                 const Random& random) const;

  Node top_;
  std::map<std::size_t, Node> inner_;  // by top share
  sharing::RecordLayout records_;      // of the object
  std::vector<bool> drawn_;
};

}  // namespace warifu::upkeep
