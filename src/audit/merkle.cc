// Recursions of RFC 6962, and the loops that verify (RFC 9162, sections 2.1.3.2 and 2.1.4.2).
#include "audit/merkle.h"

#include <bit>

namespace warifu::audit {
namespace {

Digest prefixed(Byte prefix, ByteView a, ByteView b) {
  Bytes all;
  all.reserve(1 + a.size() + b.size());
  all.push_back(prefix);
  all.insert(all.end(), a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return crypto::sha256(all);
}

// The largest power of two below n, n > 1.
std::uint64_t split(std::uint64_t n) {
  return std::bit_floor(n - 1);
}

Digest root_of(std::span<const Digest> leaves) {
  if (leaves.size() == 1) return leaves[0];
  const std::size_t left = split(leaves.size());
  return node_hash(root_of(leaves.first(left)), root_of(leaves.subspan(left)));
}

}  // namespace

Digest leaf_hash(ByteView data) {
  return prefixed(0, data, {});
}

Digest node_hash(const Digest& left, const Digest& right) {
  return prefixed(1, left, right);
}

Digest empty_root() {
  return crypto::sha256({});
}

void Tree::append(const Digest& leaf) {
  open_.push_back(leaf);
  ++size_;
  if (open_.size() < kTileLeaves) return;
  Digest whole = root_of(open_);
  open_.clear();
  for (std::size_t height = 0;; ++height) {
    if (levels_.size() == height) levels_.emplace_back();
    std::vector<Digest>& level = levels_[height];
    level.push_back(whole);
    if (level.size() % 2 != 0) return;
    whole = node_hash(level[level.size() - 2], level.back());
  }
}

Result<Digest> Tree::range(std::uint64_t first, std::uint64_t count, const ReadLeaves& read) const {
  if (count >= kTileLeaves && std::has_single_bit(count)) {
    const auto height = static_cast<std::size_t>(std::countr_zero(count / kTileLeaves));
    return levels_[height][first / count];
  }
  if (count < kTileLeaves) {
    const std::uint64_t whole = size_ - open_.size();
    if (first >= whole) return root_of(std::span(open_).subspan(first - whole, count));
    TRY_ASSIGN(const std::vector<Digest> leaves, read(first, count));
    WARIFU_CHECK(leaves.size() == count);
    return root_of(leaves);
  }
  const std::uint64_t left = split(count);
  TRY_ASSIGN(const Digest a, range(first, left, read));
  TRY_ASSIGN(const Digest b, range(first + left, count - left, read));
  return node_hash(a, b);
}

Result<Digest> Tree::root(std::uint64_t size, const ReadLeaves& read) const {
  WARIFU_CHECK(size <= size_);
  if (size == 0) return empty_root();
  return range(0, size, read);
}

// PATH(m, D[n]), from the top down and then turned round.
Result<std::vector<Digest>> Tree::inclusion(std::uint64_t index, std::uint64_t size,
                                            const ReadLeaves& read) const {
  if (index >= size || size > size_) {
    return fail(Code::kInvalidArgument, "there is no record " + std::to_string(index + 1) +
                                            " among the first " + std::to_string(size));
  }
  std::vector<Digest> proof;
  std::uint64_t first = 0;
  for (std::uint64_t count = size; count > 1;) {
    const std::uint64_t left = split(count);
    const bool in_left = index - first < left;
    TRY_ASSIGN(const Digest sibling,
               in_left ? range(first + left, count - left, read) : range(first, left, read));
    proof.push_back(sibling);
    if (!in_left) first += left;
    count = in_left ? left : count - left;
  }
  return std::vector<Digest>(proof.rbegin(), proof.rend());
}

// SUBPROOF(m, D[n], whole), likewise.
Result<std::vector<Digest>> Tree::consistency(std::uint64_t before, std::uint64_t size,
                                              const ReadLeaves& read) const {
  if (before == 0 || before > size || size > size_) {
    return fail(Code::kInvalidArgument, "there are no first " + std::to_string(before) +
                                            " records of " + std::to_string(size));
  }
  std::vector<Digest> proof;
  std::uint64_t first = 0, kept = before;
  bool whole = true;
  std::uint64_t count = size;
  while (kept != count) {
    const std::uint64_t left = split(count);
    const bool in_left = kept <= left;
    TRY_ASSIGN(const Digest sibling,
               in_left ? range(first + left, count - left, read) : range(first, left, read));
    proof.push_back(sibling);
    if (!in_left) {
      first += left;
      kept -= left;
      whole = false;
    }
    count = in_left ? left : count - left;
  }
  if (!whole) {
    TRY_ASSIGN(const Digest old, range(first, count, read));
    proof.push_back(old);
  }
  return std::vector<Digest>(proof.rbegin(), proof.rend());
}

bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                      const std::vector<Digest>& proof, const Digest& root) {
  if (index >= size) return false;
  std::uint64_t at = index, last = size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return false;
    if ((at & 1U) != 0 || at == last) {
      hash = node_hash(sibling, hash);
      while ((at & 1U) == 0 && at != 0) {
        at >>= 1U;
        last >>= 1U;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    at >>= 1U;
    last >>= 1U;
  }
  return last == 0 && hash == root;
}

bool verify_consistency(std::uint64_t before, const Digest& root_before, std::uint64_t size,
                        const Digest& root, const std::vector<Digest>& proof) {
  if (before == 0 || before > size) return false;
  if (before == size) return proof.empty() && root_before == root;
  std::uint64_t at = before - 1, last = size - 1;
  while ((at & 1U) != 0) {
    at >>= 1U;
    last >>= 1U;
  }
  auto next = proof.begin();
  // A power of two is a subtree of its own, which the proof leaves out.
  if (at != 0 && next == proof.end()) return false;
  Digest old = at == 0 ? root_before : *next++;
  Digest fresh = old;
  for (; next != proof.end(); ++next) {
    if (last == 0) return false;
    if ((at & 1U) != 0 || at == last) {
      old = node_hash(*next, old);
      fresh = node_hash(*next, fresh);
      while ((at & 1U) == 0 && at != 0) {
        at >>= 1U;
        last >>= 1U;
      }
    } else {
      fresh = node_hash(fresh, *next);
    }
    at >>= 1U;
    last >>= 1U;
  }
  return last == 0 && old == root_before && fresh == root;
}

}  // namespace warifu::audit
