// `warifu qkd rate-model`: a key device that models a rate, until it is told to stop.

#include "apps/commands.h"
#include "apps/signals.h"
#include "base/log.h"
#include "kme/rate_model.h"

namespace warifu::apps {

Result<> rate_model_run(const ConfigOptions& options) {
  TRY_ASSIGN(const kme::RateModelConfig config,
             kme::load_rate_model_config(os::real_files(), options.config));
  TRY(init_log(config.kme_id, "", LogLevel::kInfo));
  block_stop_signals();
  TRY_ASSIGN(const auto device, kme::RateModelDevice::start(config, os::real_system()));
  log_info("key device " + config.kme_id + " (rate model, origin RATE_MODEL) serves " +
           config.listen.text());
  wait_for_stop_signal();
  device->stop();
  return {};
}

}  // namespace warifu::apps
