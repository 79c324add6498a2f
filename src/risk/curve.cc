// Axes with round numbers, two lines, a legend, the notes.
#include "risk/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace warifu::risk {
namespace {

constexpr double kLeft = 70, kTop = 50, kWidth = 620, kHeight = 320;

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    switch (letter) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
    }
  }
  return safe;
}

// The smallest of 1, 2, 5 times a power of ten that gives at most six steps.
double step_for(double range) {
  double step = std::pow(10.0, std::floor(std::log10(std::max(range, 1e-6))) - 1);
  for (const double factor : {2.0, 2.5, 2.0, 2.0, 2.5}) {
    if (range / step <= 6) break;
    step *= factor;
  }
  return step;
}

struct Frame {
  double from, to, most;
  [[nodiscard]] double x(double age) const { return kLeft + kWidth * (age - from) / (to - from); }
  [[nodiscard]] double y(double risk) const { return kTop + kHeight * (1 - risk / most); }
};

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escaped(text));
}

std::string line_of(const std::vector<RiskAtAge>& curve, const Frame& frame,
                    double RiskAtAge::* value, const char* style) {
  std::string points;
  for (const RiskAtAge& at : curve) {
    points += fmt::format("{:.1f},{:.1f} ", frame.x(at.age), frame.y(at.*value));
  }
  return fmt::format("<polyline fill=\"none\" {} points=\"{}\"/>\n", style, points);
}

std::string axes(const Frame& frame, const CurveText& text) {
  std::string svg;
  const double step = step_for(frame.most);
  for (double risk = 0; risk <= frame.most * 1.0001; risk += step) {
    svg += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\"/>\n", kLeft,
        frame.y(risk), kLeft + kWidth, frame.y(risk));
    svg += text_at(kLeft - 8, frame.y(risk) + 4, "end", fmt::format("{:.3g} %", 100 * risk));
  }
  const double ages = std::max(1.0, std::round(step_for(frame.to - frame.from)));
  for (double age = frame.from; age <= frame.to + 0.001; age += ages) {
    svg += text_at(frame.x(age), kTop + kHeight + 20, "middle", fmt::format("{:.0f}", age));
  }
  svg += text_at(kLeft + kWidth / 2, kTop + kHeight + 40, "middle", text.age_axis);
  return svg + text_at(kLeft - 50, kTop - 12, "start", text.risk_axis);
}

}  // namespace

CurveText curve_text(const RiskModel& model, bool has_score, Language language) {
  const bool is_japanese = language == Language::kJapanese;
  CurveText text;
  text.title =
      is_japanese ? model.disease_ja + "の絶対リスク" : "absolute risk of " + model.disease_en;
  text.person = is_japanese ? "本人" : "this person";
  text.population = is_japanese ? "集団の平均" : "mean of the population";
  text.age_axis = is_japanese ? "年齢" : "age";
  text.risk_axis = is_japanese ? "その年齢までのリスク" : "risk by that age";
  text.notes = absolute_limits(model, has_score, language);
  return text;
}

std::string curve_svg(const std::vector<RiskAtAge>& curve, const CurveText& text) {
  WARIFU_CHECK(curve.size() >= 2);
  constexpr const char* kPerson = "stroke=\"#b3282d\" stroke-width=\"3\"";
  constexpr const char* kPopulation =
      "stroke=\"#1f5fa8\" stroke-width=\"3\" stroke-dasharray=\"8 5\"";
  Frame frame{static_cast<double>(curve.front().age), static_cast<double>(curve.back().age), 1e-4};
  for (const RiskAtAge& at : curve) {
    frame.most = std::max({frame.most, at.person * 1.1, at.population * 1.1});
  }
  const double height = kTop + kHeight + 70 + 18 * static_cast<double>(text.notes.size());
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 {0:.0f}\" width=\"760\" "
      "height=\"{0:.0f}\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\">\n"
      "<title>{1}</title>\n<rect width=\"760\" height=\"{0:.0f}\" fill=\"#fff\"/>\n",
      height, escaped(text.title));
  svg += "<g font-size=\"16\" font-weight=\"bold\">" + text_at(380, 22, "middle", text.title) +
         "</g>\n";
  svg += axes(frame, text);
  svg += line_of(curve, frame, &RiskAtAge::population, kPopulation);
  svg += line_of(curve, frame, &RiskAtAge::person, kPerson);
  for (const auto& [y, style, label] : {std::tuple{kTop + 12, kPerson, text.person},
                                        std::tuple{kTop + 32, kPopulation, text.population}}) {
    svg +=
        fmt::format("<line x1=\"86\" y1=\"{0:.0f}\" x2=\"126\" y2=\"{0:.0f}\" {1}/>\n", y, style);
    svg += text_at(134, y + 4, "start", label);
  }
  double y = kTop + kHeight + 66;
  for (const std::string& note : text.notes) {
    svg += "<g font-size=\"11\">" + text_at(20, y, "start", note) + "</g>\n";
    y += 18;
  }
  return svg + "</svg>\n";
}

}  // namespace warifu::risk
