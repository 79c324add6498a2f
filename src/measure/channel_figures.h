// The one-time-pad channel between two sites, against scp.
#pragma once

#include "measure/measure.h"

namespace warifu::measure {

[[nodiscard]] Result<std::vector<Figure>> otp_channel_vs_scp(const Settings& settings);

}  // namespace warifu::measure
