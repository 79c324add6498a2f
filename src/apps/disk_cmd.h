// Disk sets in `warifu link preshare --disk` and `warifu link import --disk`.
#pragma once

#include "apps/key_commands.h"
#include "kme/preshare.h"

namespace warifu::apps {

// Makes the two copies of a set for what `plan` says.
[[nodiscard]] Result<> preshare_disks(const Common& common, const PreshareOptions& options,
                                      const kme::PresharePlan& plan);
// Begins the import of a set at a site, or gives it up; follows it as ordered.
[[nodiscard]] Result<> import_disk(const Common& common, const ImportOptions& options);

}  // namespace warifu::apps
