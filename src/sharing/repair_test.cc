// Repair: every lost share from every set of helpers; what each party sees, enumerated.
#include "sharing/repair.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sharing/sharing_test_support.h"

namespace warifu::sharing {
namespace {

const std::vector<Scheme> kSchemes = {Scheme{},
                                      Scheme::ramp(),
                                      {SchemeKind::kShamir, 2, 5},
                                      {SchemeKind::kShamir, 3, 5},
                                      {SchemeKind::kShamir, 5, 7}};

std::vector<ShareIndex> helpers_for(const Scheme& scheme, ShareIndex lost, std::size_t turn) {
  auto others = all_shares(scheme);
  std::erase(others, lost);
  std::ranges::rotate(others, others.begin() + static_cast<std::ptrdiff_t>(turn % others.size()));
  others.resize(scheme.threshold);
  return others;
}

// The messages of all helpers. keys[i] is the key of the i-th pair (0,1), (0,2), (1,2), ...; none:
// without masks.
std::vector<Bytes> messages_of(const Repairer& repairer, const std::vector<Bytes>& shares,
                               const std::vector<Bytes>& keys) {
  const auto& helpers = repairer.helpers();
  std::vector<std::vector<ByteView>> held(helpers.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < helpers.size() && !keys.empty(); ++i) {
    for (std::size_t j = i + 1; j < helpers.size(); ++j, ++next) {
      held[i].emplace_back(keys[next]);
      held[j].emplace_back(keys[next]);
    }
  }
  std::vector<Bytes> messages;
  for (std::size_t i = 0; i < helpers.size(); ++i) {
    const Bytes& share = shares[static_cast<std::size_t>(helpers[i])];
    Bytes mask(share.size());
    if (!keys.empty()) repair_mask(held[i], mask);
    Bytes out(share.size());
    repairer.part(i, share, mask, out);
    messages.push_back(out);
  }
  return messages;
}

std::size_t pairs(std::size_t helpers) {
  return helpers * (helpers - 1) / 2;
}

TEST(Repair, EveryLostShareFromEveryTurnOfHelpers) {
  std::mt19937_64 generator(3);
  for (const Scheme& scheme : kSchemes) {
    const Bytes secret = random_bytes(generator, scheme.padded(4000));
    auto given = all_shares(scheme);
    given.resize(scheme.privacy());
    const auto shares = split_with(scheme, given, secret, generator, 0);
    for (const ShareIndex lost : all_shares(scheme)) {
      if (scheme.threshold == scheme.shares) continue;
      for (std::size_t turn = 0; turn + 1 < scheme.shares; ++turn) {
        const auto repairer = Repairer::make(scheme, lost, helpers_for(scheme, lost, turn));
        ASSERT_TRUE(repairer);
        std::vector<Bytes> keys;
        for (std::size_t i = 0; i < pairs(scheme.threshold); ++i) {
          keys.push_back(random_bytes(generator, shares[0].size()));
        }
        const auto messages = messages_of(*repairer, shares, keys);
        const std::vector<ByteView> views(messages.begin(), messages.end());
        Bytes repaired(shares[0].size());
        repairer->join(views, repaired);
        EXPECT_EQ(repaired, shares[static_cast<std::size_t>(lost)]) << scheme.text();
      }
    }
  }
}

TEST(Repair, FormQHasThePublishedWeights) {
  const auto weights = [](ShareIndex lost, ShareIndex x, ShareIndex y) {
    return Repairer::make(Scheme{}, lost, std::array{x, y})->weights();
  };
  using enum ShareIndex;
  EXPECT_EQ(weights(kA, kB, kC), (std::vector<std::uint8_t>{3, 2}));  // A = w^2 B + w C
  EXPECT_EQ(weights(kB, kA, kC), (std::vector<std::uint8_t>{2, 3}));  // B = w A + w^2 C
  EXPECT_EQ(weights(kC, kA, kB), (std::vector<std::uint8_t>{3, 2}));  // C = w^2 A + w B
}

TEST(Repair, WrongSetsAreRefused) {
  using enum ShareIndex;
  const Scheme five{SchemeKind::kShamir, 3, 5};
  EXPECT_FALSE(Repairer::make(five, kA, std::array{kB, kC}));
  EXPECT_FALSE(Repairer::make(five, kA, std::array{kA, kB, kC}));
  EXPECT_FALSE(Repairer::make(five, kA, std::array{kB, kB, kC}));
  EXPECT_FALSE(Repairer::make(five, ShareIndex{5}, std::array{kA, kB, kC}));
  EXPECT_FALSE(Repairer::make(five, kA, std::array{kB, kC, ShareIndex{5}}));
  EXPECT_FALSE(Repairer::make(Scheme{}, ShareIndex{3}, std::array{kA, kB}));
}

// ---- Views over GF(4), all secrets and all random values ----

struct Scene {
  std::vector<Symbols> shares;
  std::vector<Symbols> keys;
  std::vector<Symbols> messages;
  std::vector<Symbols> pads;  // one for each message
};

Scene scene_of(const Scheme& scheme, ShareIndex lost, const std::vector<unsigned>& secret,
               bool masked) {
  const std::size_t k = scheme.threshold;
  const bool padded = scheme.kind == SchemeKind::kFormQ;
  const std::size_t drawn = 1 + pairs(k) + (padded ? k : 0);
  const auto values = every_tuple(4, drawn);
  Scene scene;
  scene.shares = cut_symbols(scheme, {ShareIndex::kA}, secret, {values[0]});
  scene.keys.assign(values.begin() + 1, values.begin() + 1 + static_cast<std::ptrdiff_t>(pairs(k)));
  if (padded) scene.pads.assign(values.end() - static_cast<std::ptrdiff_t>(k), values.end());
  std::vector<Bytes> shares, keys;
  for (const auto& symbols : scene.shares) shares.push_back(pack(scheme, symbols));
  for (const auto& symbols : scene.keys) keys.push_back(pack(scheme, symbols));
  const auto repairer = Repairer::make(scheme, lost, helpers_for(scheme, lost, 0));
  for (const Bytes& message :
       messages_of(*repairer, shares, masked ? keys : std::vector<Bytes>{})) {
    scene.messages.push_back(unpack(scheme, message, values[0].size()));
  }
  return scene;
}

// Whether what `look` takes out of the scene has another distribution for another secret.
template <typename Look>
bool depends_on_secret(const Scheme& scheme, ShareIndex lost, const Look& look,
                       bool masked = true) {
  const unsigned secrets = scheme.kind == SchemeKind::kRamp ? 16 : 4;
  View first;
  for (unsigned s = 0; s < secrets; ++s) {
    std::vector<unsigned> secret = {s & 3};
    if (secrets == 16) secret.push_back(s >> 2);
    View view = view_of(look(scene_of(scheme, lost, secret, masked)));
    if (s == 0) first = view;
    if (view != first) return true;
  }
  return false;
}

TEST(RepairViews, TheNewHolderLearnsItsShareOnly) {
  for (const Scheme& scheme : {Scheme{}, Scheme::ramp()}) {
    for (const ShareIndex lost : all_shares(scheme)) {
      const auto view = [&](const Scene& scene) { return scene.messages; };
      EXPECT_FALSE(depends_on_secret(scheme, lost, view)) << scheme.text();
      // Uniform: every tuple of messages occurs.
      const bool ramp = scheme.kind == SchemeKind::kRamp;
      const auto secret = ramp ? std::vector<unsigned>{1, 2} : std::vector<unsigned>{2};
      EXPECT_EQ(view_of(scene_of(scheme, lost, secret, true).messages).size(), ramp ? 64U : 16U);
    }
  }
}

TEST(RepairViews, WithoutMasksTheNewHolderLearnsTheSecret) {
  for (const Scheme& scheme : {Scheme{}, Scheme::ramp()}) {
    const auto view = [&](const Scene& scene) { return scene.messages; };
    EXPECT_TRUE(depends_on_secret(scheme, ShareIndex::kB, view, false)) << scheme.text();
  }
}

TEST(RepairViews, AHelperThatTapsTheLinesLearnsNothing) {
  const Scheme scheme;
  for (const ShareIndex lost : all_shares(scheme)) {
    const auto helpers = helpers_for(scheme, lost, 0);
    for (const ShareIndex helper : helpers) {
      // Its share, the key of the pair, both messages as they travel, its own pad.
      const auto view = [&](const Scene& scene) {
        const std::size_t own = helper == helpers[0] ? 0 : 1;
        std::vector<Symbols> columns = {scene.shares[static_cast<std::size_t>(helper)],
                                        scene.keys[0], scene.pads[own]};
        for (std::size_t i = 0; i < 2; ++i) {
          Symbols wire = scene.messages[i];
          for (std::size_t at = 0; at < wire.size(); ++at) wire[at] ^= scene.pads[i][at];
          columns.push_back(wire);
        }
        return columns;
      };
      EXPECT_FALSE(depends_on_secret(scheme, lost, view));
      // Negative control: messages in clear.
      const auto clear = [&](const Scene& scene) {
        return std::vector<Symbols>{scene.shares[static_cast<std::size_t>(helper)], scene.keys[0],
                                    scene.messages[0], scene.messages[1]};
      };
      EXPECT_TRUE(depends_on_secret(scheme, lost, clear));
    }
  }
}

TEST(RepairViews, AHelperOfTheRampSeesItsShareAndKeysOnly) {
  const auto view = [](const Scene& scene) {
    return std::vector<Symbols>{scene.shares[1], scene.keys[0], scene.keys[1]};
  };
  EXPECT_FALSE(depends_on_secret(Scheme::ramp(), ShareIndex::kA, view));
}

}  // namespace
}  // namespace warifu::sharing
