// The iCARE model against published numbers: fifty women of either age group and fifty of both
// together, computed by R's iCARE 1.38.0 (tests/data/icare/README.md).
#include "risk/absolute.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>

#include "risk/curve.h"
#include "risk/limits_text.h"
#include "risk/scoring_values.h"

namespace warifu::risk {
namespace {

namespace json = boost::json;
constexpr double kTolerance = 1e-5;

std::string file(const std::string& name) {
  std::ifstream stream(std::string(WARIFU_ICARE_DATA) + "/" + name);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<Answers> profiles(const std::string& name, const std::string& bmi) {
  std::stringstream lines(file(name));
  std::string line;
  std::getline(lines, line);
  std::ranges::replace(line, ',', '\t');
  const auto names = fields_of(line);
  std::vector<Answers> people;
  while (std::getline(lines, line)) {
    std::ranges::replace(line, ',', '\t');
    const auto fields = fields_of(line);
    Answers answers;
    for (std::size_t at = 1; at < names.size(); ++at) {
      answers[names[at] == "bmi_curc" ? bmi : names[at]] = fields[at];
    }
    people.push_back(std::move(answers));
  }
  return people;
}

std::vector<double> numbers(const json::value& value) {
  std::vector<double> list;
  for (const json::value& one : value.as_array()) list.push_back(one.to_number<double>());
  return list;
}

const json::value& golden() {
  static const json::value document = json::parse(file("golden.json"));
  return document;
}

Hazards hazards_of(const Phase& phase) {
  return {baseline_hazard(breast_model().incidence, phase.reference), breast_model().mortality};
}

void compare(const char* key, const Phase& phase, const std::vector<Answers>& people) {
  const json::value& expected = golden().at(key);
  const auto risks = numbers(expected.at("risks"));
  const auto predictors = numbers(expected.at("linear_predictors"));
  const Hazards hazards = hazards_of(phase);
  ASSERT_EQ(people.size(), 50U);
  for (std::size_t at = 0; at < people.size(); ++at) {
    const auto predictor = linear_predictor(phase, people[at]);
    ASSERT_TRUE(predictor) << predictor.error().message;
    EXPECT_NEAR(*predictor, predictors[at], 1e-9) << key << " " << at;
    EXPECT_NEAR(
        phase_risk(hazards, *predictor, static_cast<int>(expected.at("age_start").as_int64()),
                   static_cast<int>(expected.at("years").as_int64())),
        risks[at], kTolerance)
        << key << " " << at;
  }
  double sum = 0, weights = 0;
  for (const WeightedPredictor& one : phase.reference) {
    sum += one.weight * phase_risk(hazards, one.linear_predictor,
                                   static_cast<int>(expected.at("age_start").as_int64()),
                                   static_cast<int>(expected.at("years").as_int64()));
    weights += one.weight;
  }
  EXPECT_NEAR(sum / weights, expected.at("reference").at("mean").to_number<double>(), kTolerance);
}

TEST(AbsoluteTest, FiftyWomenUnderFiftyAsPublished) {
  compare("lt50", breast_model().phases[0], profiles("query_lt50.csv", "bmi_to_50"));
}

TEST(AbsoluteTest, FiftyWomenFromFiftyOnAsPublished) {
  compare("ge50", breast_model().phases[1], profiles("query_ge50.csv", "bmi_from_50"));
}

TEST(AbsoluteTest, AnIntervalOverBothPhasesAsPublished) {
  const auto younger = profiles("query_lt50.csv", "bmi_to_50");
  const auto older = profiles("query_ge50.csv", "bmi_from_50");
  const auto risks = numbers(golden().at("split").at("risks"));
  const Hazards first = hazards_of(breast_model().phases[0]);
  const Hazards second = hazards_of(breast_model().phases[1]);
  for (std::size_t at = 0; at < risks.size(); ++at) {
    const double before =
        phase_risk(first, *linear_predictor(breast_model().phases[0], younger[at]), 40, 10);
    const double after =
        phase_risk(second, *linear_predictor(breast_model().phases[1], older[at]), 50, 10);
    EXPECT_NEAR(1 - (1 - before) * (1 - after), risks[at], kTolerance) << at;
  }
}

Answers both_phases() {
  Answers answers = profiles("query_lt50.csv", "bmi_to_50")[0];
  answers.merge(profiles("query_ge50.csv", "bmi_from_50")[0]);
  return answers;
}

TEST(AbsoluteTest, TheCurveEndsAtTheRiskAndRises) {
  const auto risk = absolute_risk(breast_model(), both_phases(), 40, 60, std::nullopt);
  ASSERT_TRUE(risk) << risk.error().message;
  ASSERT_EQ(risk->curve.size(), 21U);
  EXPECT_EQ(risk->curve.back().person, risk->person);
  EXPECT_EQ(risk->linear_predictors.size(), 2U);
  for (std::size_t at = 1; at < risk->curve.size(); ++at) {
    EXPECT_GT(risk->curve[at].person, risk->curve[at - 1].person);
    EXPECT_GT(risk->curve[at].population, risk->curve[at - 1].population);
  }
}

// Whatever is known of people, the population's risk stays that of its incidence.
TEST(AbsoluteTest, AScoreMovesThePersonAndNotThePopulation) {
  const Answers answers = profiles("query_ge50.csv", "bmi_from_50")[1];
  const auto plain = absolute_risk(breast_model(), answers, 50, 70, std::nullopt);
  const GeneticTerm average{.score = 0.2, .population = {.mean = 0.2, .deviation = 0.4}};
  const GeneticTerm high{.score = 1.0, .population = {.mean = 0.2, .deviation = 0.4}};
  const auto with_average = absolute_risk(breast_model(), answers, 50, 70, average);
  const auto with_high = absolute_risk(breast_model(), answers, 50, 70, high);
  ASSERT_TRUE(plain && with_average && with_high);
  EXPECT_NEAR(with_average->population, plain->population, 1e-3);
  EXPECT_NEAR(with_high->population, plain->population, 1e-3);
  EXPECT_LT(with_average->person, plain->person);  // the mean of e^l has grown around it
  EXPECT_GT(with_high->person, 1.5 * with_average->person);
}

TEST(AbsoluteTest, NothingIsAssumed) {
  const Answers whole = profiles("query_ge50.csv", "bmi_from_50")[0];
  for (const auto& [name, text] : whole) {
    Answers answers = whole;
    answers.erase(name);
    const auto missing = absolute_risk(breast_model(), answers, 50, 70, std::nullopt);
    ASSERT_FALSE(missing) << name;
    EXPECT_NE(missing.error().message.find("'" + name + "'"), std::string::npos);
  }
  const auto with = [&](const char* name, const char* text) {
    Answers answers = whole;
    answers[name] = text;
    return absolute_risk(breast_model(), answers, 50, 70, std::nullopt);
  };
  EXPECT_EQ(with("parity", "7").error().code, Code::kInvalidArgument);
  EXPECT_EQ(with("height", "165").error().code, Code::kInvalidArgument);
  EXPECT_EQ(with("height", "nan").error().code, Code::kInvalidArgument);
  EXPECT_EQ(with("shoe_size", "38").error().code, Code::kInvalidArgument);
  EXPECT_FALSE(absolute_risk(breast_model(), whole, 50, 82, std::nullopt));
  EXPECT_FALSE(absolute_risk(breast_model(), whole, 50, 50, std::nullopt));
  EXPECT_FALSE(absolute_risk(breast_model(), whole, 10, 50, std::nullopt));
}

TEST(AbsoluteTest, ABadModelIsRefusedByTheNameOfTheField) {
  const json::object good =
      json::parse(file("../../../src/risk/data/icare-lit-breast.json")).as_object();
  const auto with = [&](const char* key, const json::value& value) {
    json::object model = good;
    model[key] = value;
    const auto parsed = parse_model(as_bytes(json::serialize(model)));
    return parsed ? std::string("accepted") : parsed.error().message;
  };
  EXPECT_EQ(with("id", "x"), "accepted");
  EXPECT_NE(with("format", "2").find("format"), std::string::npos);
  EXPECT_NE(with("incidence", json::array{-1}).find("incidence"), std::string::npos);
  EXPECT_NE(with("incidence", json::array{0.1}).find("incidence"), std::string::npos);
  EXPECT_NE(with("phases", json::array{}).find("phases"), std::string::npos);
  EXPECT_NE(with("limits_ja", json::array{}).find("limits"), std::string::npos);
  EXPECT_FALSE(parse_model(as_bytes("[]")));
  EXPECT_FALSE(parse_model(as_bytes("{")));
}

// A picture of infinity would have no end, and JSON has no word for it.
TEST(AbsoluteTest, WhatIsNoProbabilityIsNotTold) {
  const auto with_score = [](double score, double deviation) {
    return absolute_risk(breast_model(), both_phases(), 40, 60,
                         GeneticTerm{score, {.mean = 0, .deviation = deviation}});
  };
  EXPECT_TRUE(with_score(1, 0.5));
  EXPECT_TRUE(with_score(-800, 0.5));
  EXPECT_EQ(with_score(800, 0.5).error().code, Code::kInvalidArgument);
  EXPECT_EQ(with_score(1e308, 0).error().code, Code::kInvalidArgument);
  EXPECT_EQ(with_score(1, 1000).error().code, Code::kInvalidArgument);
  EXPECT_EQ(with_score(-INFINITY, 0).error().code, Code::kInvalidArgument);
}

TEST(AbsoluteTest, ThePictureIsWellFormedAndCarriesItsLimits) {
  const auto risk = absolute_risk(breast_model(), both_phases(), 40, 60, std::nullopt);
  ASSERT_TRUE(risk);
  const std::string svg =
      curve_svg(risk->curve, {"a <b> & c", "you", "population", "age", "risk",
                              absolute_limits(breast_model(), false, Language::kEnglish)});
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find("a &lt;b&gt; &amp; c"), std::string::npos);
  EXPECT_NE(svg.find("Not a diagnosis"), std::string::npos);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
}

}  // namespace
}  // namespace warifu::risk
