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
  // As it stands in headers and messages: bit n is origin n.
  [[nodiscard]] std::uint16_t bits() const {
    unsigned bits = 0;
    for (const Origin origin : origins) bits |= 1U << static_cast<unsigned>(origin);
    return static_cast<std::uint16_t>(bits);
  }
  // Bits that name no origin are left out.
  [[nodiscard]] static Entropy from_bits(std::uint16_t bits) {
    Entropy entropy;
    for (std::uint8_t number = 0; number < 16; ++number) {
      const auto origin = origin_from_number(number);
      if (((std::uint32_t{bits} >> number) & 1U) != 0 && origin) entropy.origins.insert(*origin);
    }
    return entropy;
  }
  bool operator==(const Entropy&) const = default;
};

}  // namespace warifu::keypool
