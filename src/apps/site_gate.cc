// Whom the gate believes, and how long it is patient.
#include "apps/site_gate.h"

namespace warifu::apps {

Result<std::unique_ptr<consent::Gate>> open_gate(const os::System& system,
                                                 const config::SiteConfig& config,
                                                 const secret::Buffer& root_key, audit::Log& log) {
  TRY_ASSIGN(auto signatures, consent::SignatureTrust::open(system.files, config.signature_cards));
  return consent::Gate::open(system, config.data_dir + "/gate", config.name, root_key, log,
                             {.nonce_life = std::chrono::days(7),
                              .reissue_delay = config.reissue_delay,
                              .signatures = std::move(signatures),
                              .break_glass = config.break_glass});
}

}  // namespace warifu::apps
