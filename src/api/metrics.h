// The key of all links, and the state of the shares, as Prometheus text (format 0.0.4); names in
// docs/keys.md, docs/upkeep.md and docs/htsget.md.
#pragma once

#include <string>
#include <vector>

#include "kme/key_report.h"
#include "upkeep/scrubber.h"
#include "viewing/traffic.h"

namespace warifu::api {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

[[nodiscard]] std::string metrics_text(const std::string& site,
                                       const std::vector<kme::LinkReport>& links);

// How far the shares have been read over, and how many are damaged.
[[nodiscard]] std::string scrub_metrics_text(const std::string& site,
                                             const upkeep::ScrubStatus& status);

// Views and the htsget server, without anybody's name.
[[nodiscard]] std::string view_metrics_text(const std::string& site,
                                            const viewing::ViewFigures& figures);

}  // namespace warifu::api
