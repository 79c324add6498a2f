// The sources of [[random.source]], opened; and key devices, which the intake opens as well.
#pragma once

#include "config/site_config.h"
#include "kme/etsi014_device.h"

namespace warifu::apps {

// Errors: kInvalidArgument naming `where` (the configuration file), those of the TLS files.
[[nodiscard]] Result<std::unique_ptr<kme::Etsi014Device>> open_key_device(
    const config::DeviceConfig& config, const std::string& where);

// `data_dir` of the site keeps how far files were read; empty for tests without a site, which give
// no numbers. Devices are opened when they are first read. Errors: of open_key_device().
[[nodiscard]] Result<std::unique_ptr<entropy::Feed>> open_feed(
    os::System system, const config::RandomSourceConfig& config, const std::string& data_dir,
    const std::string& where);

}  // namespace warifu::apps
