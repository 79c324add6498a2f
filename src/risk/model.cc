// JSON into a model, every field checked.
#include "risk/model.h"

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>

#include "risk/embedded.h"
#include "risk/scoring_values.h"

namespace warifu::risk {
namespace {

namespace json = boost::json;

std::unexpected<Error> wrong(const std::string& field, const std::string& why) {
  return fail(Code::kInvalidArgument, "risk model, " + field + ": " + why);
}

Result<const json::value*> field_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return wrong(key, "is missing");
  return value;
}

Result<std::string> text_of(const json::object& object, const char* key) {
  TRY_ASSIGN(const json::value* value, field_of(object, key));
  if (!value->is_string()) return wrong(key, "must be a text");
  return std::string(value->get_string());
}

Result<double> number_of(const json::object& object, const char* key) {
  TRY_ASSIGN(const json::value* value, field_of(object, key));
  if (!value->is_number()) return wrong(key, "must be a number");
  const double number = value->to_number<double>();
  if (!std::isfinite(number)) return wrong(key, "must be finite");
  return number;
}

Result<json::array> list_of(const json::object& object, const char* key, std::size_t most) {
  TRY_ASSIGN(const json::value* value, field_of(object, key));
  if (!value->is_array() || value->get_array().size() > most) {
    return wrong(key, "must be a list of at most " + std::to_string(most));
  }
  return value->get_array();
}

Result<std::vector<std::string>> texts_of(const json::object& object, const char* key) {
  TRY_ASSIGN(const json::array list, list_of(object, key, kMaxTerms));
  std::vector<std::string> texts;
  for (const json::value& one : list) {
    if (!one.is_string()) return wrong(key, "must hold texts");
    texts.emplace_back(one.get_string());
  }
  return texts;
}

Result<std::vector<double>> rates_of(const json::object& object, const char* key) {
  TRY_ASSIGN(const json::array list, list_of(object, key, kMaxAge + 1));
  std::vector<double> rates;
  for (const json::value& one : list) {
    const double rate = one.is_number() ? one.to_number<double>() : -1;
    if (!(rate >= 0) || rate > 1) return wrong(key, "must hold rates between 0 and 1");
    rates.push_back(rate);
  }
  return rates;
}

Result<Term> term_of(const json::value& value) {
  if (!value.is_object()) return wrong("terms", "must hold objects");
  const json::object& object = value.get_object();
  Term term;
  TRY_ASSIGN(term.name, text_of(object, "name"));
  TRY_ASSIGN(term.question_en, text_of(object, "en"));
  TRY_ASSIGN(term.question_ja, text_of(object, "ja"));
  if (const json::value* levels = object.if_contains("levels")) {
    if (!levels->is_object() || levels->get_object().empty()) {
      return wrong(term.name, "levels must be an object");
    }
    for (const auto& level : levels->get_object()) {
      if (!level.value().is_number()) return wrong(term.name, "levels must hold numbers");
      term.levels.emplace_back(level.key(), level.value().to_number<double>());
    }
    return term;
  }
  TRY_ASSIGN(term.slope, number_of(object, "slope"));
  TRY_ASSIGN(term.least, number_of(object, "least"));
  TRY_ASSIGN(term.most, number_of(object, "most"));
  return term;
}

Result<Interaction> interaction_of(const json::value& value, const std::vector<Term>& terms) {
  if (!value.is_object()) return wrong("interactions", "must hold objects");
  Interaction interaction;
  TRY_ASSIGN(interaction.log_rr, number_of(value.get_object(), "log_rr"));
  TRY_ASSIGN(const auto parts, texts_of(value.get_object(), "of"));
  for (const std::string& part : parts) {
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    if (std::ranges::find(terms, name, &Term::name) == terms.end()) {
      return wrong("interactions", "'" + name + "' is no term of the phase");
    }
    interaction.of.emplace_back(name, equals == std::string::npos ? "" : part.substr(equals + 1));
  }
  return interaction;
}

// {"location": m, "scale": s, "skew": k}: m + s(z + k(z^2-1)) for z of a standard normal
// distribution, taken at 41 points; or {"linear_predictors": [...], "weights": [...]}.
Result<std::vector<WeightedPredictor>> reference_of(const json::object& phase) {
  TRY_ASSIGN(const json::value* value, field_of(phase, "reference"));
  if (!value->is_object()) return wrong("reference", "must be an object");
  const json::object& object = value->get_object();
  std::vector<WeightedPredictor> reference;
  if (object.contains("location")) {
    TRY_ASSIGN(const double location, number_of(object, "location"));
    TRY_ASSIGN(const double scale, number_of(object, "scale"));
    TRY_ASSIGN(const double skew, number_of(object, "skew"));
    constexpr int kPoints = 41;
    for (int at = 0; at < kPoints; ++at) {
      const double z = -4 + 8 * (at + 0.5) / kPoints;
      reference.push_back({location + scale * (z + skew * (z * z - 1)), std::exp(-z * z / 2)});
    }
  } else {
    TRY_ASSIGN(const json::array predictors, list_of(object, "linear_predictors", kMaxReference));
    TRY_ASSIGN(const json::array weights, list_of(object, "weights", kMaxReference));
    if (predictors.empty() || (!weights.empty() && weights.size() != predictors.size())) {
      return wrong("reference", "needs linear_predictors, and as many weights or none");
    }
    for (std::size_t at = 0; at < predictors.size(); ++at) {
      if (!predictors[at].is_number() || (!weights.empty() && !weights[at].is_number())) {
        return wrong("reference", "must hold numbers");
      }
      reference.push_back({predictors[at].to_number<double>(),
                           weights.empty() ? 1.0 : weights[at].to_number<double>()});
    }
  }
  double sum = 0;
  for (const WeightedPredictor& one : reference) {
    if (!(std::abs(one.linear_predictor) < 50) || !(one.weight >= 0)) {
      return wrong("reference", "has a number out of range");
    }
    sum += one.weight;
  }
  if (!(sum > 0) || !std::isfinite(sum)) return wrong("reference", "has no weight");
  return reference;
}

Result<Phase> phase_of(const json::value& value) {
  if (!value.is_object()) return wrong("phases", "must hold objects");
  const json::object& object = value.get_object();
  Phase phase;
  TRY_ASSIGN(const double from, number_of(object, "from"));
  TRY_ASSIGN(const double to, number_of(object, "to"));
  if (!(from >= 0 && from < to && to <= static_cast<double>(kMaxAge)) || from != std::floor(from) ||
      to != std::floor(to)) {
    return wrong("phases", "from and to must be whole ages, one behind the other");
  }
  phase.from = static_cast<int>(from);
  phase.to = static_cast<int>(to);
  TRY_ASSIGN(const json::array terms, list_of(object, "terms", kMaxTerms));
  for (const json::value& one : terms) {
    TRY_ASSIGN(Term term, term_of(one));
    phase.terms.push_back(std::move(term));
  }
  TRY_ASSIGN(const json::array interactions, list_of(object, "interactions", kMaxTerms));
  for (const json::value& one : interactions) {
    TRY_ASSIGN(Interaction interaction, interaction_of(one, phase.terms));
    phase.interactions.push_back(std::move(interaction));
  }
  TRY_ASSIGN(phase.reference, reference_of(object));
  return phase;
}

Result<> read_phases(const json::object& object, RiskModel& model) {
  TRY_ASSIGN(model.incidence, rates_of(object, "incidence"));
  TRY_ASSIGN(model.mortality, rates_of(object, "mortality"));
  TRY_ASSIGN(const json::array phases, list_of(object, "phases", 8));
  for (const json::value& one : phases) {
    TRY_ASSIGN(Phase phase, phase_of(one));
    if (!model.phases.empty() && model.phases.back().to != phase.from) {
      return wrong("phases", "must touch one another");
    }
    model.phases.push_back(std::move(phase));
  }
  if (model.phases.empty()) return wrong("phases", "must be one at least");
  const auto last = static_cast<std::size_t>(model.phases.back().to);
  if (model.incidence.size() < last || model.mortality.size() < last) {
    return wrong("incidence and mortality", "must go to the last age of the last phase");
  }
  return {};
}

}  // namespace

Result<RiskModel> parse_model(ByteView bytes) {
  if (bytes.size() > kMaxModelBytes) return wrong("the file", "is too large");
  json::error_code bad;
  const json::value document = json::parse(as_text(bytes), bad);
  if (bad || !document.is_object()) return wrong("the file", "is no JSON object");
  const json::object& object = document.get_object();
  TRY_ASSIGN(const std::string format, text_of(object, "format"));
  if (format != "warifu-risk-model 1") return wrong("format", "must be 'warifu-risk-model 1'");
  RiskModel model;
  TRY_ASSIGN(model.id, text_of(object, "id"));
  TRY_ASSIGN(model.name, text_of(object, "name"));
  TRY_ASSIGN(model.disease_en, text_of(object, "disease_en"));
  TRY_ASSIGN(model.disease_ja, text_of(object, "disease_ja"));
  TRY_ASSIGN(model.disease_code_system, text_of(object, "disease_code_system"));
  TRY_ASSIGN(model.disease_code, text_of(object, "disease_code"));
  TRY_ASSIGN(model.source, text_of(object, "source"));
  TRY_ASSIGN(model.licence, text_of(object, "licence"));
  TRY_ASSIGN(model.reference_note, text_of(object, "reference_note"));
  TRY_ASSIGN(model.limits_en, texts_of(object, "limits_en"));
  TRY_ASSIGN(model.limits_ja, texts_of(object, "limits_ja"));
  if (model.limits_en.empty() || model.limits_ja.empty()) {
    return wrong("limits_en, limits_ja", "must say what the model cannot do");
  }
  TRY(read_phases(object, model));
  return model;
}

const RiskModel& breast_model() {
  static const RiskModel model = [] {
    auto parsed = parse_model(embedded_breast_model());
    WARIFU_CHECK(parsed.has_value());
    return std::move(*parsed);
  }();
  return model;
}

Result<Answers> parse_answers(ByteView bytes) {
  json::error_code bad;
  if (bytes.size() > kMaxModelBytes)
    return fail(Code::kInvalidArgument, "the answers are too large");
  const json::value document = json::parse(as_text(bytes), bad);
  if (bad || !document.is_object()) {
    return fail(Code::kInvalidArgument, "the answers are no JSON object");
  }
  Answers answers;
  for (const auto& entry : document.get_object()) {
    const json::value& value = entry.value();
    std::string text;
    if (value.is_string()) {
      text = value.get_string();
    } else if (value.is_bool()) {
      text = value.get_bool() ? "1" : "0";
    } else if (value.is_number()) {
      text = json::serialize(value);
    } else {
      return fail(Code::kInvalidArgument,
                  "the answer to " + std::string(entry.key()) + " must be a text or a number");
    }
    answers[std::string(entry.key())] = std::move(text);
  }
  return answers;
}

Result<double> linear_predictor(const Phase& phase, const Answers& answers) {
  double sum = 0;
  std::map<std::string, double> numbers;
  for (const Term& term : phase.terms) {
    const auto answer = answers.find(term.name);
    if (answer == answers.end()) {
      return fail(Code::kInvalidArgument, "'" + term.name + "' is not answered (" +
                                              term.question_en + "); nothing is assumed");
    }
    const std::string& text = answer->second;
    if (!term.levels.empty()) {
      const auto level =
          std::ranges::find(term.levels, text, &std::pair<std::string, double>::first);
      if (level == term.levels.end()) {
        std::string known;
        for (const auto& one : term.levels) known += (known.empty() ? "" : ", ") + one.first;
        return fail(Code::kInvalidArgument, "'" + term.name + "' is '" + text.substr(0, 40) +
                                                "'; it must be one of " + known);
      }
      sum += level->second;
      continue;
    }
    const auto number = number_of_text(text);
    if (!number || *number < term.least || *number > term.most) {
      return fail(Code::kInvalidArgument, "'" + term.name + "' is '" + text.substr(0, 40) +
                                              "'; it must be a number from " +
                                              json::serialize(json::value(term.least)) + " to " +
                                              json::serialize(json::value(term.most)));
    }
    numbers[term.name] = *number;
    sum += term.slope * *number;
  }
  for (const Interaction& interaction : phase.interactions) {
    double adds = interaction.log_rr;
    for (const auto& [name, level] : interaction.of) {
      adds *= level.empty() ? numbers[name] : answers.at(name) == level ? 1 : 0;
    }
    sum += adds;
  }
  return sum;
}

Result<> only_known(const RiskModel& model, const Answers& answers) {
  for (const auto& [name, text] : answers) {
    const bool is_known = std::ranges::any_of(model.phases, [&](const Phase& phase) {
      return std::ranges::find(phase.terms, name, &Term::name) != phase.terms.end();
    });
    if (!is_known) return fail(Code::kInvalidArgument, "the model does not ask for '" + name + "'");
  }
  return {};
}

}  // namespace warifu::risk
