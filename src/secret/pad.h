// A pad: one-time bytes taken out of a pool, movable, usable once, wiped after.
//
// Only keypool::Reservation can make one (and, in tests, whoever defines PadTestAccess), so whoever
// holds a Pad knows that its bytes were durably marked used at both ends of the link before they
// were read.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "secret/secret.h"

namespace warifu::keypool {
class Reservation;
}

namespace warifu::secret {

class Pad {
 public:
  Pad(Pad&&) = default;
  Pad& operator=(Pad&&) = default;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return buffer_.bytes(); }
  [[nodiscard]] std::size_t size() const { return buffer_.size(); }
  // Position of the first byte in the pool's stream; stands in the frame header.
  [[nodiscard]] PadOffset offset() const { return offset_; }

 private:
  friend class ::warifu::keypool::Reservation;
  friend struct PadTestAccess;
  Pad(Buffer buffer, PadOffset offset) : buffer_(std::move(buffer)), offset_(offset) {}

  Buffer buffer_;
  PadOffset offset_;
};

}  // namespace warifu::secret
