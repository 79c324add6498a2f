// Figures of whole networks: six sites as processes on this machine.
#pragma once

#include "measure/measure.h"

namespace warifu::measure {

// six_site_store_2g, six_site_reshare and memory.
[[nodiscard]] Result<std::vector<Figure>> six_site_store(const Settings& settings);
// store_4g: pools smaller than the file, key arriving while the job runs.
[[nodiscard]] Result<std::vector<Figure>> store_with_arriving_key(const Settings& settings);

}  // namespace warifu::measure
