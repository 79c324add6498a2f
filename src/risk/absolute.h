// Absolute risk by the iCARE model: the probability that a person who is free of the disease at one
// age has it by another, with death from other causes in between.
//
// Notation of Pal Choudhury et al., PLoS ONE 15(2):e0228198 (2020). With the person's linear
// predictor l, and those of a reference population l_j with weights w_j, for whole years of age t:
//   h(t) = incidence(t) / E(t)                         the hazard where l = 0
//   H(t) = sum of h(u) over u < t
//   E(t) = sum_j w_j e^{l_j} e^{-e^{l_j} H(t)} / sum_j w_j e^{-e^{l_j} H(t)}   the mean of e^l
//   among those
//          who are free of the disease at t; begun with the mean of all, until it no longer moves
//   risk(a, n) = sum over t in [a, a+n) of h(t) e^l exp(- sum over u in [a, t) of h(u) e^l +
//   mortality(u))
// Over several phases of age, as iCARE's split interval: 1 - product of (1 - risk of each).
//
// A polygenic score adds its own term to l, and its variance in the population to the reference
// (convolved at 9 points, taken as normal and independent of the answers).
//
// Pure functions, any thread.
#pragma once

#include "risk/model.h"
#include "risk/score.h"

namespace warifu::risk {

// h(t) of the phase for every age that the incidence has.
[[nodiscard]] std::vector<double> baseline_hazard(const std::vector<double>& incidence,
                                                  const std::vector<WeightedPredictor>& reference);

struct Hazards {
  std::vector<double> baseline;
  std::vector<double> mortality;
};
// Within one phase. `from` + `years` may not go beyond the rates.
[[nodiscard]] double phase_risk(const Hazards& hazards, double linear_predictor, int from,
                                int years);

// What a polygenic score adds: the person's score and the population's.
struct GeneticTerm {
  double score = 0;
  PopulationScore population;
};

// Errors: kInvalidArgument when the file had no allele frequencies for all sites that were used:
// the score cannot be placed in a population then.
[[nodiscard]] Result<GeneticTerm> genetic_term(const ScoreReport& report);

struct RiskAtAge {
  int age = 0;
  double person = 0;      // from the age asked for to this one
  double population = 0;  // the mean of the reference
};
struct AbsoluteRisk {
  int from = 0, to = 0;
  double person = 0;
  double population = 0;
  std::vector<double> linear_predictors;  // one for each phase that was used
  double genetic = 0;                     // what the score adds to them, centred
  std::vector<RiskAtAge> curve;           // for each age, `from` (zero) to `to`
};

// Errors: kInvalidArgument when ages lie outside the model, answers are missing, or numbers of the
// model, the answers or the score are so large that no probability comes of them.
[[nodiscard]] Result<AbsoluteRisk> absolute_risk(const RiskModel& model, const Answers& answers,
                                                 int from, int to,
                                                 const std::optional<GeneticTerm>& genetic);

}  // namespace warifu::risk
