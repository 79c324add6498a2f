// The Merkle tree over a log's leaves: root, proofs, and their verification, for people who trust
// nobody's word.
//
// Source: RFC 6962, section 2.1 (RFC 9162, section 2.1): a leaf is SHA-256(00 data), a node
// SHA-256(01 left right), the left part of n leaves is the largest power of two below n.
//
// A Tree keeps the hashes of whole blocks of 256 leaves (a tile of C2SP's tlog-tiles) and of all
// above them, a quarter of a byte for each leaf; the leaves themselves it asks of its owner.
// One thread at a time.
#pragma once

#include <functional>
#include <vector>

#include "crypto/crypto.h"

namespace warifu::audit {

using crypto::Digest;

inline constexpr std::uint64_t kTileLeaves = 256;

[[nodiscard]] Digest leaf_hash(ByteView data);
[[nodiscard]] Digest node_hash(const Digest& left, const Digest& right);
// Of no leaves: SHA-256 of nothing.
[[nodiscard]] Digest empty_root();

class Tree {
 public:
  // Leaf hashes [first, first + count) of what was appended; count is at most kTileLeaves and they
  // lie in one tile.
  using ReadLeaves =
      std::function<Result<std::vector<Digest>>(std::uint64_t first, std::uint64_t count)>;

  void append(const Digest& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }

  // Of the first `size` leaves, at most size(). Errors: those of `read`.
  [[nodiscard]] Result<Digest> root(std::uint64_t size, const ReadLeaves& read) const;
  // That leaf `index` is among the first `size`: the siblings on its way, lowest first. Errors:
  // kInvalidArgument unless index < size <= size(); those of `read`.
  [[nodiscard]] Result<std::vector<Digest>> inclusion(std::uint64_t index, std::uint64_t size,
                                                      const ReadLeaves& read) const;
  // That the first `before` leaves are the beginning of the first `size`. Errors: kInvalidArgument
  // unless 0 < before <= size <= size(); those of `read`.
  [[nodiscard]] Result<std::vector<Digest>> consistency(std::uint64_t before, std::uint64_t size,
                                                        const ReadLeaves& read) const;

 private:
  Result<Digest> range(std::uint64_t first, std::uint64_t count, const ReadLeaves& read) const;

  std::uint64_t size_ = 0;
  std::vector<Digest> open_;                 // leaves of the tile that is not whole
  std::vector<std::vector<Digest>> levels_;  // [h]: subtrees of 256 * 2^h leaves, from the left
};

// Whether the proof shows that `leaf` is number `index` of the `size` leaves under `root`.
[[nodiscard]] bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                                    const std::vector<Digest>& proof, const Digest& root);
// Whether the proof shows that the tree of `size` leaves under `root` begins with the one of
// `before` leaves under `root_before`.
[[nodiscard]] bool verify_consistency(std::uint64_t before, const Digest& root_before,
                                      std::uint64_t size, const Digest& root,
                                      const std::vector<Digest>& proof);

}  // namespace warifu::audit
