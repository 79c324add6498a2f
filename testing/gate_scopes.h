// Scopes of consents for gate runs: the whole, the index, or a region in two ranges of chunks.
#pragma once

#include <algorithm>

#include "consent/gate.h"
#include "testing/sim_random.h"

namespace warifu::sim {

inline constexpr std::uint32_t kScopeChunks = 20;  // no scope names a later chunk

inline consent::Scope some_scope(Dice& dice) {
  const auto first = static_cast<std::uint32_t>(dice.between(1, 8));
  switch (dice.below(3)) {
    case 0: return {};
    case 1: return {{}, {}, {{0, first}}};
    default: return {"GRCh38", {{"chr17", 100, 200, {}}}, {{first, 2}, {first + 4, 3}}};
  }
}

// One chunk of what a consent allows.
inline consent::Scope some_of(const consent::Scope& allowed, Dice& dice) {
  consent::Scope some = allowed;
  if (allowed.is_whole()) return some;
  const consent::ChunkRange& range = allowed.chunks[dice.below(allowed.chunks.size())];
  some.chunks = {{range.first + static_cast<std::uint32_t>(dice.below(range.count)), 1}};
  return some;
}

// Whether a permit is for no chunk that the consent does not name; counted here, not asked of
// scope.h.
inline bool keeps_to(const consent::Scope& allowed, const consent::Permit& permit) {
  for (std::uint32_t chunk = 0; !allowed.is_whole() && chunk <= kScopeChunks; ++chunk) {
    const bool is_named =
        std::ranges::any_of(allowed.chunks, [&](const consent::ChunkRange& range) {
          return chunk >= range.first && chunk - range.first < range.count;
        });
    if (permit.covers_chunk(chunk) && !is_named) return false;
  }
  return true;
}

}  // namespace warifu::sim
