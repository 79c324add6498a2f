// Levels in bytes, as real numbers: a pool of two weeks is far below 2^53.
#include "simulate/key_pools.h"

#include <algorithm>

namespace warifu::simulate {
namespace {}  // namespace

KeyPools::KeyPools(const std::vector<double>& rates, Directions directions, double filled)
    : shared_(directions == Directions::kShared), up_(rates.size(), true) {
  for (const double rate : rates) {
    for (int i = 0; i < (shared_ ? 1 : 2); ++i) {
      Pool pool;
      pool.bytes_per_second = rate / 8 / (shared_ ? 1 : 2);
      pool.capacity = pool.bytes_per_second * kSecondsPerDay * kPoolDays;
      pool.level = pool.capacity * filled;
      pools_.push_back(pool);
    }
  }
}

void KeyPools::yield(double seconds) {
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    Pool& pool = pools_[i];
    if (!up_[shared_ ? i : i / 2]) continue;
    const double fresh = pool.bytes_per_second * seconds;
    pool.generated += fresh;
    pool.level += fresh;
    if (pool.level <= pool.capacity) continue;
    pool.wasted += pool.level - pool.capacity;
    pool.level = pool.capacity;
  }
}

double KeyPools::residual(std::size_t direction) const {
  return is_up(direction) ? pool(direction).level : 0;
}

double KeyPools::bits_per_second(std::size_t direction) const {
  return pool(direction).bytes_per_second * 8;
}

bool KeyPools::can_pay(const std::vector<std::uint32_t>& directions, double bytes) const {
  // Ways are short: counting again and again is quicker than a table.
  return std::ranges::all_of(directions, [&](std::uint32_t direction) {
    const auto times = std::ranges::count_if(
        directions, [&](std::uint32_t other) { return at(other) == at(direction); });
    return residual(direction) >= static_cast<double>(times) * bytes;
  });
}

void KeyPools::pay(const std::vector<std::uint32_t>& directions, double bytes) {
  WARIFU_CHECK(can_pay(directions, bytes));
  for (const std::uint32_t direction : directions) pools_[at(direction)].level -= bytes;
}

double KeyPools::generated(std::size_t link) const {
  return shared_ ? pools_[link].generated
                 : pools_[2 * link].generated + pools_[2 * link + 1].generated;
}

double KeyPools::wasted(std::size_t link) const {
  return shared_ ? pools_[link].wasted : pools_[2 * link].wasted + pools_[2 * link + 1].wasted;
}

}  // namespace warifu::simulate
