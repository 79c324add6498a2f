// `warifu qkd rate-model`: a key device that models a rate, until it is told to stop.
#include <signal.h>

#include "apps/commands.h"
#include "base/log.h"
#include "kme/rate_model.h"

namespace warifu::apps {

Result<> rate_model_run(const ConfigOptions& options) {
  TRY_ASSIGN(const kme::RateModelConfig config,
             kme::load_rate_model_config(os::real_files(), options.config));
  TRY(init_log(config.kme_id, "", LogLevel::kInfo));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  (void)::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  (void)::signal(SIGPIPE, SIG_IGN);
  TRY_ASSIGN(const auto device, kme::RateModelDevice::start(config, os::real_system()));
  log_info("key device " + config.kme_id + " (rate model, origin RATE_MODEL) serves " +
           config.listen.text());
  int received = 0;
  (void)::sigwait(&signals, &received);
  device->stop();
  return {};
}

}  // namespace warifu::apps
