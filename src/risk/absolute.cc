// The fixed point, the sum over the years, and the phases put together.
#include "risk/absolute.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace warifu::risk {
namespace {

constexpr int kMostRounds = 100;
constexpr double kStill = 1e-12;  // relative

// A standard normal distribution at nine points: nodes and weights of Gauss and Hermite, for the
// weight function e^{-x^2/2} (Abramowitz and Stegun, table 25.10, n = 9, rescaled).
constexpr std::array<double, 9> kNodes = {
    -4.512745863399783, -3.205429002856470, -2.076847978677830, -1.023255663789133, 0.0,
    1.023255663789133,  2.076847978677830,  3.205429002856470,  4.512745863399783};
constexpr std::array<double, 9> kWeights = {
    2.234584400774657e-5, 2.789141321231770e-3, 4.991640676521788e-2,
    2.440975028949394e-1, 4.063492063492063e-1, 2.440975028949394e-1,
    4.991640676521788e-2, 2.789141321231770e-3, 2.234584400774657e-5};

// E(t) of one more round.
std::vector<double> means_among_the_free(const std::vector<double>& hazard,
                                         const std::vector<double>& relative,
                                         const std::vector<WeightedPredictor>& reference) {
  std::vector<double> means;
  double cumulative = 0;
  for (const double at_age : hazard) {
    double sum = 0, free = 0;
    for (std::size_t at = 0; at < relative.size(); ++at) {
      const double still_free = reference[at].weight * std::exp(-relative[at] * cumulative);
      free += still_free;
      sum += still_free * relative[at];
    }
    means.push_back(sum / free);
    cumulative += at_age;
  }
  return means;
}

std::vector<double> hazard_for(const std::vector<double>& incidence,
                               const std::vector<double>& means) {
  std::vector<double> hazard(incidence.size());
  std::ranges::transform(incidence, means, hazard.begin(), std::divides<>());
  return hazard;
}

std::vector<WeightedPredictor> with_score(const std::vector<WeightedPredictor>& reference,
                                          double deviation) {
  if (deviation == 0) return reference;
  std::vector<WeightedPredictor> wider;
  for (const WeightedPredictor& one : reference) {
    for (std::size_t at = 0; at < kNodes.size(); ++at) {
      wider.push_back({one.linear_predictor + deviation * kNodes[at], one.weight * kWeights[at]});
    }
  }
  return wider;
}

// One phase, made ready.
struct ReadyPhase {
  int from = 0, to = 0;
  double linear_predictor = 0;
  Hazards hazards;
  std::vector<WeightedPredictor> reference;
  double total_weight = 0;
};

double population_risk(const ReadyPhase& phase, int from, int years) {
  double sum = 0;
  for (const WeightedPredictor& one : phase.reference) {
    sum += one.weight * phase_risk(phase.hazards, one.linear_predictor, from, years);
  }
  return sum / phase.total_weight;
}

Result<std::vector<ReadyPhase>> ready_phases(const RiskModel& model, const Answers& answers,
                                             int from, int to,
                                             const std::optional<GeneticTerm>& genetic) {
  std::vector<ReadyPhase> ready;
  for (const Phase& phase : model.phases) {
    if (phase.to <= from || phase.from >= to) continue;
    ReadyPhase one;
    one.from = std::max(from, phase.from);
    one.to = std::min(to, phase.to);
    TRY_ASSIGN(one.linear_predictor, linear_predictor(phase, answers));
    if (genetic) one.linear_predictor += genetic->score - genetic->population.mean;
    one.reference = with_score(phase.reference, genetic ? genetic->population.deviation : 0);
    for (const WeightedPredictor& each : one.reference) one.total_weight += each.weight;
    one.hazards = {baseline_hazard(model.incidence, one.reference), model.mortality};
    ready.push_back(std::move(one));
  }
  return ready;
}

// Answers, models and scores may hold any numbers: what comes of them is told if it is one. NaN is
// no probability either.
Result<> check_probabilities(const AbsoluteRisk& result) {
  const auto is_one = [](double value) { return value >= 0 && value <= 1; };
  const bool all = std::ranges::all_of(result.curve, [&](const RiskAtAge& at) {
    return is_one(at.person) && is_one(at.population);
  });
  const bool finite = std::ranges::all_of(result.linear_predictors,
                                          [](double value) { return std::isfinite(value); });
  if (all && finite) return {};
  return fail(Code::kInvalidArgument,
              "no probability comes of this model with these answers and this score: a relative "
              "risk in it is too large");
}

}  // namespace

std::vector<double> baseline_hazard(const std::vector<double>& incidence,
                                    const std::vector<WeightedPredictor>& reference) {
  std::vector<double> relative;
  double sum = 0, weights = 0;
  for (const WeightedPredictor& one : reference) {
    relative.push_back(std::exp(one.linear_predictor));
    sum += one.weight * relative.back();
    weights += one.weight;
  }
  std::vector<double> means(incidence.size(), sum / weights);
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<double> next =
        means_among_the_free(hazard_for(incidence, means), relative, reference);
    double moved = 0;
    for (std::size_t at = 0; at < next.size(); ++at) {
      moved = std::max(moved, std::abs(next[at] / means[at] - 1));
    }
    means = std::move(next);
    if (moved < kStill) break;
  }
  return hazard_for(incidence, means);
}

double phase_risk(const Hazards& hazards, double linear_predictor, int from, int years) {
  const double relative = std::exp(linear_predictor);
  double risk = 0, gone = 0;
  for (int age = from; age < from + years; ++age) {
    const auto at = static_cast<std::size_t>(age);
    const double here = hazards.baseline[at] * relative;
    risk += here * std::exp(-gone);
    gone += here + hazards.mortality[at];
  }
  return risk;
}

Result<GeneticTerm> genetic_term(const ScoreReport& report) {
  if (report.population) return GeneticTerm{report.score, *report.population};
  return fail(Code::kInvalidArgument,
              "the scoring file has no allele frequency for every site (allelefrequency_effect), "
              "so the score cannot be placed in a population");
}

Result<AbsoluteRisk> absolute_risk(const RiskModel& model, const Answers& answers, int from, int to,
                                   const std::optional<GeneticTerm>& genetic) {
  const int first = model.phases.front().from, last = model.phases.back().to;
  if (from < first || to > last || from >= to) {
    return fail(Code::kInvalidArgument, "ages " + std::to_string(from) + " to " +
                                            std::to_string(to) + ": the model goes from " +
                                            std::to_string(first) + " to " + std::to_string(last));
  }
  TRY(only_known(model, answers));
  TRY_ASSIGN(const auto phases, ready_phases(model, answers, from, to, genetic));
  AbsoluteRisk result{.from = from, .to = to};
  result.genetic = genetic ? genetic->score - genetic->population.mean : 0;
  result.curve.push_back({from, 0, 0});
  double person_free = 1, population_free = 1;  // before the phase
  for (const ReadyPhase& phase : phases) {
    result.linear_predictors.push_back(phase.linear_predictor);
    double person = 0, population = 0;
    for (int age = phase.from + 1; age <= phase.to; ++age) {
      person = phase_risk(phase.hazards, phase.linear_predictor, phase.from, age - phase.from);
      population = population_risk(phase, phase.from, age - phase.from);
      result.curve.push_back(
          {age, 1 - person_free * (1 - person), 1 - population_free * (1 - population)});
    }
    person_free *= 1 - person;
    population_free *= 1 - population;
  }
  result.person = result.curve.back().person;
  result.population = result.curve.back().population;
  TRY(check_probabilities(result));
  return result;
}

}  // namespace warifu::risk
