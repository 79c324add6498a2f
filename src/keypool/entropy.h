// Where random bytes came from, and whether that is information-theoretic.
//
// Only a hardware source counts as such. Everything that a generator made, here or elsewhere, is
// computational: an object that was cut with it is only as secret as that generator.
#pragma once

#include <set>

#include "keypool/format.h"

namespace warifu::keypool {

// What a share's random bytes, or a fill of them, were made of.
struct Entropy {
  std::set<Origin> origins;

  // True unless every byte came from hardware. Of nothing at all: false.
  [[nodiscard]] bool computational() const {
    for (const Origin origin : origins) {
      if (origin != Origin::kHardware) return true;
    }
    return false;
  }
  void add(const Entropy& other) { origins.insert(other.origins.begin(), other.origins.end()); }
  bool operator==(const Entropy&) const = default;
};

}  // namespace warifu::keypool
