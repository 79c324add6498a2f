// The key of every link direction of a simulated network: fills at a modelled rate, overflows when
// full, is paid out in shares.
//
// Directions are numbered 2 * link (from a to b) and 2 * link + 1 (from b to a). With
// Directions::kOwnHalf each one has a pool with half of the link's rate, as Warifu has; with
// kShared both draw from one pool with all of it, as if the link's key could be turned round.
// Invariant: 0 <= residual <= capacity. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/network.h"

namespace warifu::simulate {

enum class Directions : std::uint8_t { kOwnHalf, kShared };

// A pool holds so many days' yield, and begins half full.
inline constexpr double kPoolDays = 14;
inline constexpr double kFilledAtStart = 0.5;

class KeyPools {
 public:
  // `rates` by link, in bits per second, both directions together.
  KeyPools(const std::vector<double>& rates, Directions directions, double filled = kFilledAtStart);

  // Every link that is up yields for so long.
  void yield(double seconds);
  // A link that is down yields nothing and gives nothing.
  void set_up(std::size_t link, bool up) { up_[link] = up; }

  [[nodiscard]] std::size_t directions() const { return up_.size() * 2; }
  [[nodiscard]] bool is_up(std::size_t direction) const { return up_[direction / 2]; }
  // Bytes that the direction can give now; 0 while its link is down.
  [[nodiscard]] double residual(std::size_t direction) const;
  [[nodiscard]] double capacity(std::size_t direction) const { return pool(direction).capacity; }
  [[nodiscard]] double bits_per_second(std::size_t direction) const;
  // Whether all of these can be paid at once; a direction that stands twice pays twice.
  [[nodiscard]] bool can_pay(const std::vector<std::uint32_t>& directions, double bytes) const;
  // can_pay() must hold.
  void pay(const std::vector<std::uint32_t>& directions, double bytes);

  // Bytes since the beginning, of a link, both directions together.
  [[nodiscard]] double generated(std::size_t link) const;
  [[nodiscard]] double wasted(std::size_t link) const;

 private:
  struct Pool {
    double bytes_per_second = 0, capacity = 0, level = 0, generated = 0, wasted = 0;
  };
  [[nodiscard]] std::size_t at(std::size_t direction) const {
    return shared_ ? direction / 2 : direction;
  }
  [[nodiscard]] const Pool& pool(std::size_t direction) const { return pools_[at(direction)]; }

  bool shared_;
  std::vector<Pool> pools_;
  std::vector<bool> up_;  // by link
};

}  // namespace warifu::simulate
