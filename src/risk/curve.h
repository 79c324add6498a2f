// A risk by age as a picture: the person's line over the population's, in SVG, with its limits
// below.
//
// Pure function, any thread. The picture holds no script, loads nothing, and names nobody.
#pragma once

#include <string>
#include <vector>

#include "risk/limits_text.h"

namespace warifu::risk {

struct CurveText {
  std::string title, person, population, age_axis, risk_axis;
  std::vector<std::string> notes;  // below the picture, one line each
};
// The words for a model's disease, its limits as notes.
[[nodiscard]] CurveText curve_text(const RiskModel& model, bool has_score, Language language);
[[nodiscard]] std::string curve_svg(const std::vector<RiskAtAge>& curve, const CurveText& text);

}  // namespace warifu::risk
