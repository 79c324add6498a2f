// Figures of share files on one machine.
#pragma once

#include "measure/measure.h"

namespace warifu::measure {

[[nodiscard]] Result<std::vector<Figure>> split_vs_gfsplit(const Settings& settings);
[[nodiscard]] Result<std::vector<Figure>> combine_vs_gfcombine(const Settings& settings);
[[nodiscard]] Result<std::vector<Figure>> split_16g(const Settings& settings);

}  // namespace warifu::measure
