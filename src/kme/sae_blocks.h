// Blocks of drawn key, in locked memory at both ends: where the keys of applications are cut from.
//
// A block lives in memory only. Its key is burnt in both pools, so what is left of it when either
// process ends is lost and never comes back; what was cut is durable where it waits (SaeStore).
// Invariants: each byte of a block leaves it once, front to back, at either end. Not thread-safe.
#pragma once

#include <deque>
#include <set>

#include "kme/sae_message.h"
#include "secret/secret.h"

namespace warifu::kme {

// The master's end.
class BlockShelf {
 public:
  void put(const BlockId& id, secret::Buffer bytes);
  // Bytes that are left of each block.
  [[nodiscard]] std::vector<std::uint64_t> rests() const;
  // Whole keys that can be cut.
  [[nodiscard]] std::uint64_t keys_left(std::size_t key_bytes) const;
  // Cuts keys into `out`, a whole number of them, at most keys_left().
  [[nodiscard]] std::vector<Piece> cut(std::size_t key_bytes, MutableBytes out);
  void clear() { blocks_.clear(); }

 private:
  struct Block {
    BlockId id;
    secret::Buffer bytes;
    std::size_t used = 0;
  };
  std::deque<Block> blocks_;
};

// The slave's end, for one master's site.
class BlockMirror {
 public:
  void put(const BlockHead& head, secret::Buffer bytes);
  [[nodiscard]] bool holds(const BlockId& id) const;
  // Errors: kRefused when the piece was cut before or lies outside its block.
  [[nodiscard]] Result<> cut(const Piece& piece, std::size_t key_bytes, MutableBytes out);

 private:
  struct Block {
    BlockId id;
    secret::Buffer bytes;
    std::size_t used = 0;
  };
  OrderId incarnation_;
  std::deque<Block> blocks_;
};

}  // namespace warifu::kme
