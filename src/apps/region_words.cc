// Genes and scores to places.
#include "apps/region_words.h"

#include "os/system.h"
#include "risk/score.h"

namespace warifu::apps {

Result<std::vector<std::string>> regions_in_words(const std::vector<std::string>& texts) {
  constexpr std::string_view kScore = "score:";
  std::vector<std::string> resolved;
  for (const std::string& text : texts) {
    std::vector<std::string> places;
    if (text.starts_with(kScore)) {
      const std::string path = text.substr(kScore.size());
      TRY_ASSIGN(const Bytes bytes, os::read_file(os::real_files(), path, risk::kMaxScoringBytes));
      const auto file = risk::parse_scoring_file(bytes, std::nullopt);
      if (!file) return fail_in("'" + path + "'", file.error());
      places = risk::region_texts(*file);
    } else {
      TRY_ASSIGN(places, risk::with_genes_resolved({text}));
    }
    resolved.insert(resolved.end(), places.begin(), places.end());
  }
  return resolved;
}

}  // namespace warifu::apps
