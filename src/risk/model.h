// A risk model: relative risks of answers, rates of a population, and how that population answers.
//
// A model is a JSON document (docs/risk.md has its grammar): phases of ages, each with its own
// terms and reference distribution; incidence of the disease and mortality from everything else,
// for each year of age. The program brings one, iCARE-Lit for breast cancer; others come from
// files.
//
// Values only; any thread. A model file may be hostile: sizes are bounded, numbers finite.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace warifu::risk {

inline constexpr std::size_t kMaxModelBytes = 32 << 20;
inline constexpr std::size_t kMaxTerms = 200;
inline constexpr std::size_t kMaxReference = 200'000;
inline constexpr std::size_t kMaxAge = 120;

// One question: chosen from levels, or a number.
struct Term {
  std::string name;
  std::string question_en, question_ja;
  std::vector<std::pair<std::string, double>>
      levels;        // the log of the relative risk; empty: a number
  double slope = 0;  // of a number
  double least = 0, most = 0;
};

// Adds `log_rr` when every named term has that level; a named number multiplies it ("hrt_type").
struct Interaction {
  std::vector<std::pair<std::string, std::string>> of;  // term, level; level empty: a number
  double log_rr = 0;
};

struct WeightedPredictor {
  double linear_predictor = 0;
  double weight = 1;
};

struct Phase {
  int from = 0, to = 0;  // ages, `to` excluded
  std::vector<Term> terms;
  std::vector<Interaction> interactions;
  std::vector<WeightedPredictor> reference;
};

struct RiskModel {
  std::string id, name, disease_en, disease_ja, disease_code_system, disease_code;
  std::string source, licence, reference_note;
  std::vector<std::string> limits_en, limits_ja;
  std::vector<Phase> phases;      // by age, touching one another
  std::vector<double> incidence;  // per person and year, index is the age
  std::vector<double> mortality;  // from everything else
};

// Errors: kInvalidArgument naming the field.
[[nodiscard]] Result<RiskModel> parse_model(ByteView bytes);
// The model that the program brings.
[[nodiscard]] const RiskModel& breast_model();

using Answers = std::map<std::string, std::string>;  // term: level or number
// JSON {"parity": "2", "height": 16.5, ...}. Errors: kInvalidArgument.
[[nodiscard]] Result<Answers> parse_answers(ByteView bytes);
// Sum of the logs of the relative risks. Errors: kInvalidArgument naming a question that is not
// answered (nothing is imputed), an answer that is none of its levels, or a number out of its
// range.
[[nodiscard]] Result<double> linear_predictor(const Phase& phase, const Answers& answers);
// Answers to nothing that the model asks. Errors: kInvalidArgument naming it.
[[nodiscard]] Result<> only_known(const RiskModel& model, const Answers& answers);

}  // namespace warifu::risk
