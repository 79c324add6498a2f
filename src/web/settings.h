// The pages of a site for browsers on its own machine ([web], docs/web.md).
//
// Values, checked when the configuration is read; thread-safe from then on.
#pragma once

#include <chrono>

#include "os/net.h"

namespace warifu::web {

struct Settings {
  os::HostPort listen;                     // a loopback address
  std::chrono::seconds session{8 * 3600};  // a session ends so long after its login at the latest
  std::chrono::seconds idle{30 * 60};      // and so long after its last request
};

// How often the whole network is looked at while somebody watches: that costs key, as every message
// between sites does. 0: never.
inline constexpr std::chrono::seconds kUsualLook{15};

}  // namespace warifu::web
