// Certificates and configuration of a pair of key devices and of the sites that take key from them.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace warifu::apps {

struct DeviceFiles {
  std::string name;        // "tommo-lsa-tommo"
  std::string dir;         // of the device
  std::string client_dir;  // of the site's certificate for this device
  std::string own_sae, peer_sae;
  std::uint16_t api_port = 0;
  std::uint16_t model_port = 0;
};

// Makes a certificate authority for the pair, one certificate per device and site, and both
// device.toml.
[[nodiscard]] Result<> write_device_pair(const DeviceFiles& alice, const DeviceFiles& bob,
                                         const std::string& rate);

}  // namespace warifu::apps
