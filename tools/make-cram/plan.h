// Plan: how many pairs go where. For a wanted coverage this is arithmetic; for a wanted size it
// comes from pilots, small files made the same way, which show what a pair costs in bytes.
#pragma once

#include <cstdint>
#include <functional>

#include "contig.h"

namespace warifu::make_cram {

struct Plan {
  Layout layout;
  std::uint64_t pairs = 0;
  [[nodiscard]] double coverage() const;
};

Plan plan_for_coverage(const Layout& layout, double coverage);

class SizePlanner {
 public:
  // Makes a file by a plan and returns its size. The size must not depend on threads or time.
  using Trial = std::function<std::uint64_t(const Plan&)>;

  // `may_shorten`: whether the file may cover only the first part of the layout.
  SizePlanner(Layout layout, std::uint64_t size, bool may_shorten);

  [[nodiscard]] Plan first_plan(const Trial& trial) const;

  // A better plan once the whole file came out with `actual` bytes.
  [[nodiscard]] Plan corrected(const Plan& plan, std::uint64_t actual) const;
  [[nodiscard]] bool fits(std::uint64_t actual) const;

 private:
  [[nodiscard]] Plan plan_at(double bytes_per_pair) const;

  Layout layout_;
  std::uint64_t size_;
  bool may_shorten_;
};

}  // namespace warifu::make_cram
