// The tree against the vectors that certificate transparency logs are tested with, against a tree
// built from its definition, and proofs with every bit flipped.
#include "audit/merkle.h"

#include <gtest/gtest.h>

namespace warifu::audit {
namespace {

// The inputs and roots that the reference implementations of RFC 6962 share.
const std::vector<std::string> kInputs = {"",
                                          "00",
                                          "10",
                                          "2021",
                                          "3031",
                                          "40414243",
                                          "5051525354555657",
                                          "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kRoots = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<Digest> some_leaves(std::uint64_t count) {
  std::vector<Digest> leaves;
  for (std::uint64_t i = 0; i < count; ++i)
    leaves.push_back(leaf_hash(as_bytes(std::to_string(i))));
  return leaves;
}

// MTH as the RFC writes it.
Digest root_by_definition(std::span<const Digest> leaves) {
  if (leaves.empty()) return crypto::sha256({});
  if (leaves.size() == 1) return leaves[0];
  std::size_t left = 1;
  while (left * 2 < leaves.size()) left *= 2;
  return node_hash(root_by_definition(leaves.first(left)),
                   root_by_definition(leaves.subspan(left)));
}

struct Grown {
  std::vector<Digest> leaves;
  Tree tree;
  Tree::ReadLeaves read = [this](std::uint64_t first,
                                 std::uint64_t count) -> Result<std::vector<Digest>> {
    EXPECT_LE(first % kTileLeaves + count, kTileLeaves) << "beyond a tile";
    const auto from = leaves.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector<Digest>(from, from + static_cast<std::ptrdiff_t>(count));
  };
  explicit Grown(std::vector<Digest> all) : leaves(std::move(all)) {
    for (const Digest& leaf : leaves) tree.append(leaf);
  }
};

TEST(MerkleTest, RootsOfThePublishedVectors) {
  std::vector<Digest> leaves;
  for (const std::string& input : kInputs) leaves.push_back(leaf_hash(*from_hex(input)));
  const Grown grown(leaves);
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    EXPECT_EQ(to_hex(*grown.tree.root(n, grown.read)), kRoots[n - 1]) << n;
  }
  EXPECT_EQ(to_hex(*grown.tree.root(0, grown.read)),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(MerkleTest, RootsAcrossTilesAreThoseOfTheDefinition) {
  const Grown grown(some_leaves(1800));
  for (const std::uint64_t n : {1, 2, 255, 256, 257, 511, 512, 513, 768, 1023, 1024, 1025, 1800}) {
    EXPECT_EQ(*grown.tree.root(n, grown.read), root_by_definition(std::span(grown.leaves).first(n)))
        << n;
  }
}

TEST(MerkleTest, EveryProofOfEverySizeHolds) {
  const Grown grown(some_leaves(70));
  for (std::uint64_t n = 1; n <= 70; ++n) {
    const Digest root = *grown.tree.root(n, grown.read);
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto proof = *grown.tree.inclusion(i, n, grown.read);
      EXPECT_TRUE(verify_inclusion(grown.leaves[i], i, n, proof, root)) << i << " of " << n;
      EXPECT_FALSE(verify_inclusion(grown.leaves[i], (i + 1) % n, n, proof, root) && n > 1);
    }
    for (std::uint64_t m = 1; m <= n; ++m) {
      const auto proof = *grown.tree.consistency(m, n, grown.read);
      const Digest before = *grown.tree.root(m, grown.read);
      EXPECT_TRUE(verify_consistency(m, before, n, root, proof)) << m << " of " << n;
    }
  }
}

TEST(MerkleTest, ProofsAcrossTilesHold) {
  const Grown grown(some_leaves(1300));
  for (const std::uint64_t n : {256, 257, 700, 1024, 1300}) {
    const Digest root = *grown.tree.root(n, grown.read);
    for (const std::uint64_t i : {0UL, 1UL, 255UL, n / 2, n - 1}) {
      EXPECT_TRUE(
          verify_inclusion(grown.leaves[i], i, n, *grown.tree.inclusion(i, n, grown.read), root));
      const std::uint64_t m = i + 1;
      EXPECT_TRUE(verify_consistency(m, *grown.tree.root(m, grown.read), n, root,
                                     *grown.tree.consistency(m, n, grown.read)));
    }
  }
}

TEST(MerkleTest, AProofWithAnyBitFlippedCutOrGrownProvesNothing) {
  const Grown grown(some_leaves(21));
  const Digest root = *grown.tree.root(21, grown.read), before = *grown.tree.root(13, grown.read);
  const auto inclusion = *grown.tree.inclusion(12, 21, grown.read);
  const auto consistency = *grown.tree.consistency(13, 21, grown.read);
  const auto each_change = [](const std::vector<Digest>& proof, const auto& holds) {
    for (std::size_t hash = 0; hash < proof.size(); ++hash) {
      for (std::size_t bit = 0; bit < 256; ++bit) {
        auto bent = proof;
        bent[hash][bit / 8] ^= static_cast<Byte>(1U << bit % 8);
        EXPECT_FALSE(holds(bent));
      }
      auto shorter = proof;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(hash));
      EXPECT_FALSE(holds(shorter));
      auto longer = proof;
      longer.push_back(proof[hash]);
      EXPECT_FALSE(holds(longer));
    }
  };
  each_change(inclusion, [&](const auto& proof) {
    return verify_inclusion(grown.leaves[12], 12, 21, proof, root);
  });
  each_change(consistency,
              [&](const auto& proof) { return verify_consistency(13, before, 21, root, proof); });
}

TEST(MerkleTest, WhatIsNotThereIsRefused) {
  const Grown grown(some_leaves(5));
  EXPECT_FALSE(grown.tree.inclusion(5, 5, grown.read));
  EXPECT_FALSE(grown.tree.inclusion(0, 6, grown.read));
  EXPECT_FALSE(grown.tree.consistency(0, 5, grown.read));
  EXPECT_FALSE(grown.tree.consistency(5, 4, grown.read));
  EXPECT_FALSE(verify_inclusion({}, 0, 0, {}, {}));
  EXPECT_FALSE(verify_consistency(0, {}, 0, {}, {}));
}

}  // namespace
}  // namespace warifu::audit
