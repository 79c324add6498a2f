// Cutting keys from blocks; what was cut is wiped in its block.
#include "kme/sae_blocks.h"

#include <algorithm>

namespace warifu::kme {
namespace {
constexpr std::size_t kMostBlocks = 8;    // at the slave's end: more than a master has at once
constexpr std::size_t kSmallestRest = 8;  // bytes: no key is smaller
}  // namespace

void BlockShelf::put(const BlockId& id, secret::Buffer bytes) {
  // Rests too small for the present keys may serve smaller ones, but not without bound.
  if (blocks_.size() + 1 >= kMostBlocks) blocks_.pop_front();
  blocks_.push_back({id, std::move(bytes), 0});
}

std::vector<std::uint64_t> BlockShelf::rests() const {
  std::vector<std::uint64_t> rests;
  for (const Block& block : blocks_) rests.push_back(block.bytes.size() - block.used);
  return rests;
}

std::uint64_t BlockShelf::keys_left(std::size_t key_bytes) const {
  std::uint64_t keys = 0;
  for (const Block& block : blocks_) keys += (block.bytes.size() - block.used) / key_bytes;
  return keys;
}

std::vector<Piece> BlockShelf::cut(std::size_t key_bytes, MutableBytes out) {
  WARIFU_CHECK(out.size() % key_bytes == 0 && out.size() / key_bytes <= keys_left(key_bytes));
  std::vector<Piece> pieces;
  for (Block& block : blocks_) {
    const std::size_t keys =
        std::min(out.size() / key_bytes, (block.bytes.size() - block.used) / key_bytes);
    if (keys == 0) continue;
    const MutableBytes part = block.bytes.bytes().subspan(block.used, keys * key_bytes);
    copy_bytes(out, part);
    secret::wipe(part);
    pieces.push_back({block.id, static_cast<std::uint32_t>(block.used),
                      static_cast<std::uint32_t>(keys)});
    block.used += part.size();
    out = out.subspan(part.size());
    if (out.empty()) break;
  }
  std::erase_if(blocks_, [](const Block& block) {
    return block.bytes.size() - block.used < kSmallestRest;
  });
  return pieces;
}

void BlockMirror::put(const BlockHead& head, secret::Buffer bytes) {
  if (incarnation_ != head.incarnation) blocks_.clear();
  incarnation_ = head.incarnation;
  std::erase_if(blocks_, [&](const Block& block) { return block.id == head.block; });
  if (blocks_.size() == kMostBlocks) blocks_.pop_front();
  blocks_.push_back({head.block, std::move(bytes), 0});
}

bool BlockMirror::holds(const BlockId& id) const {
  return std::ranges::find(blocks_, id, &Block::id) != blocks_.end();
}

Result<> BlockMirror::cut(const Piece& piece, std::size_t key_bytes, MutableBytes out) {
  const auto block = std::ranges::find(blocks_, piece.block, &Block::id);
  const bool fits = block != blocks_.end() && piece.offset >= block->used &&
                    piece.offset <= block->bytes.size() &&
                    out.size() == piece.keys * key_bytes &&
                    out.size() <= block->bytes.size() - piece.offset;
  if (!fits) return fail(Code::kRefused, "an order cuts key that was cut before");
  const MutableBytes part = block->bytes.bytes().subspan(piece.offset, out.size());
  copy_bytes(out, part);
  secret::wipe(block->bytes.bytes().subspan(block->used, piece.offset - block->used));
  secret::wipe(part);
  block->used = piece.offset + out.size();
  if (block->bytes.size() - block->used < kSmallestRest) blocks_.erase(block);
  return {};
}

}  // namespace warifu::kme
