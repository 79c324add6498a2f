// What every result says of itself: what it is not, and what it rests on. English and Japanese.
//
// Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "risk/absolute.h"

namespace warifu::risk {

enum class Language : std::uint8_t { kEnglish, kJapanese };
// "en", "ja". Errors: kInvalidArgument.
[[nodiscard]] Result<Language> parse_language(const std::string& text);

// Of any result: for research, no diagnosis.
[[nodiscard]] std::vector<std::string> general_limits(Language language);
// Of a polygenic score: whose weights, what was missing, strand.
[[nodiscard]] std::vector<std::string> score_limits(const ScoringFile& file,
                                                    const ScoreReport& report, Language language);
// Of an absolute risk: the model's own limits, and the score's independence where there is one.
[[nodiscard]] std::vector<std::string> absolute_limits(const RiskModel& model, bool has_score,
                                                       Language language);

}  // namespace warifu::risk
