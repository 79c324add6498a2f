// A site's gate, opened as its configuration says.
#pragma once

#include "config/site_config.h"
#include "consent/gate.h"

namespace warifu::apps {

// Errors: consent::Gate::open's and consent::SignatureTrust::open's.
[[nodiscard]] Result<std::unique_ptr<consent::Gate>> open_gate(const os::System& system,
                                                               const config::SiteConfig& config,
                                                               const secret::Buffer& root_key,
                                                               audit::Log& log);

}  // namespace warifu::apps
