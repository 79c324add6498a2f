// The sentences.
#include "risk/limits_text.h"

#include <fmt/format.h>

namespace warifu::risk {

Result<Language> parse_language(const std::string& text) {
  if (text == "en") return Language::kEnglish;
  if (text == "ja") return Language::kJapanese;
  return fail(Code::kInvalidArgument, "language '" + text.substr(0, 20) + "' must be en or ja");
}

std::vector<std::string> general_limits(Language language) {
  if (language == Language::kJapanese) {
    return {"研究用の計算結果です。診断ではなく、医療上の判断の根拠にはできません。"};
  }
  return {"For research. Not a diagnosis, and no ground for a medical decision."};
}

std::vector<std::string> score_limits(const ScoringFile& file, const ScoreReport& report,
                                      Language language) {
  const bool is_japanese = language == Language::kJapanese;
  std::vector<std::string> limits = general_limits(language);
  limits.push_back(
      is_japanese ? "重みはその研究の集団で得られたものです。別の祖先集団では値の意味が変わります。"
                  : "The weights were found in that study's population; in another ancestry the "
                    "score means less.");
  if (report.used < report.variants) {
    limits.push_back(fmt::format(
        fmt::runtime(is_japanese ? "{} 箇所中 {} 箇所を使用。補完はしていません。全箇所のスコアは "
                                   "{:.5g} から {:.5g} の間です。"
                                 : "Of {} sites {} were used and none imputed; the score of all "
                                   "lies between {:.5g} and {:.5g}."),
        report.variants, report.used, report.lowest, report.highest));
  }
  if (report.ambiguous_used > 0) {
    limits.push_back(fmt::format(
        fmt::runtime(
            is_japanese
                ? "{} 箇所は A/T または C/G で、鎖の向きをデータから確認できません。"
                : "At {} sites (A/T or C/G) the strand cannot be checked against the reads."),
        report.ambiguous_used));
  }
  if (file.header.licence.empty()) {
    limits.push_back(is_japanese
                         ? "スコアファイルに利用条件の記載がありません。"
                         : "The scoring file does not say under which licence it may be used.");
  }
  return limits;
}

std::vector<std::string> absolute_limits(const RiskModel& model, bool has_score,
                                         Language language) {
  const bool is_japanese = language == Language::kJapanese;
  std::vector<std::string> limits = general_limits(language);
  const auto& own = is_japanese ? model.limits_ja : model.limits_en;
  limits.insert(limits.end(), own.begin(), own.end());
  if (has_score) {
    limits.push_back(is_japanese ? "ポリジェニックスコアは他の因子(家族歴を含む)"
                                   "と独立とみなし、集団の分布は正規分布で近似しています。"
                                 : "The polygenic score counts as independent of the answers, "
                                   "family history too, and as normally "
                                   "distributed in the population.");
  }
  return limits;
}

}  // namespace warifu::risk
