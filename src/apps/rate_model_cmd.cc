// `warifu qkd rate-model`: a key device that models a rate, until it is told to stop.
#include <fmt/format.h>

#include "apps/signals.h"
#include "apps/site_commands.h"
#include "base/log.h"
#include "base/units.h"
#include "kme/rate_model.h"

namespace warifu::apps {

Result<> rate_model_run(const ConfigOptions& options) {
  TRY_ASSIGN(const kme::RateModelConfig config,
             kme::load_rate_model_config(os::real_files(), options.config));
  TRY(init_log(config.kme_id, "", LogLevel::kInfo));
  block_stop_signals();
  TRY_ASSIGN(const auto device, kme::RateModelDevice::start(config, os::real_system()));
  log_info(fmt::format(
      "origin RATE_MODEL: key device {} ({}) serves {} on {}:{}, {} in sum of both directions, "
      "keys of {}",
      config.kme_id, config.role == kme::RateModelRole::kAlice ? "alice" : "bob", config.local_sae,
      config.listen.host, device->port(),
      human_bit_rate(static_cast<double>(config.rate_bits_per_second)),
      human_bytes(config.key_bytes())));
  wait_for_stop_signal();
  device->stop();
  log_info("origin RATE_MODEL: key device " + config.kme_id + " has stopped");
  return {};
}

}  // namespace warifu::apps
