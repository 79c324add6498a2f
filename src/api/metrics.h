// The key of all links as Prometheus text (format 0.0.4); names in docs/keys.md.
#pragma once

#include <string>
#include <vector>

#include "kme/key_report.h"

namespace warifu::api {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

[[nodiscard]] std::string metrics_text(const std::string& site,
                                       const std::vector<kme::LinkReport>& links);

}  // namespace warifu::api
