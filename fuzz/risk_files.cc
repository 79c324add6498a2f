// Files of strangers that scores and risks are computed from: scoring files (plain or gzip),
// pileups, panels, models, answers. What is taken must be usable without a broken invariant.
#include "fuzz/fuzz.h"
#include "risk/absolute.h"
#include "risk/curve.h"
#include "risk/panels.h"

namespace warifu::fuzz {

void run(ByteView input) {
  using namespace risk;
  if (input.empty()) return;
  const ByteView bytes = input.subspan(1);
  switch (input[0] % 5) {
    case 0: {
      const auto file = parse_scoring_file(bytes, Assembly::kGrch38);
      if (!file) break;
      std::vector<SiteCounts> counts;
      for (const Site& site : sites_of(*file)) {
        counts.push_back({.chromosome = site.chromosome, .position = site.position});
      }
      require(score_of(*file, counts, {.min_coverage = 0}).has_value());
      break;
    }
    case 1: {
      const auto counts = parse_pileup(as_text(bytes), 60);
      if (!counts) break;
      for (const SiteCounts& site : *counts) (void)genotype_of(site, 'A', 'G', {});
      break;
    }
    case 2: (void)parse_panels(as_text(bytes)); break;
    case 3: {
      const auto model = parse_model(bytes);
      if (!model) break;
      const Phase& first = model->phases.front();
      const auto risk = absolute_risk(*model, {}, first.from, first.to, std::nullopt);
      if (risk) (void)curve_svg(risk->curve, {});
      break;
    }
    default: {
      const auto answers = parse_answers(bytes);
      if (answers) (void)linear_predictor(breast_model().phases.front(), *answers);
    }
  }
}

}  // namespace warifu::fuzz
