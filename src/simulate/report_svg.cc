// Map and curves as SVG. Coordinates are rounded to a tenth of a pixel; colours come from the
// page's style sheet by class.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "simulate/report.h"

namespace warifu::simulate {
namespace {

constexpr double kMapWidth = 640;
constexpr double kMargin = 24;
constexpr std::size_t kShades = 5;  // of links, by the key that was lost

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// Latitude and longitude to pixels, a kilometre as long one way as the other.
class Projection {
 public:
  explicit Projection(const ModelNetwork& network) {
    const auto [south, north] =
        std::ranges::minmax(network.sites, {}, [](const ModelSite& site) { return site.latitude; });
    const auto [west, east] = std::ranges::minmax(
        network.sites, {}, [](const ModelSite& site) { return site.longitude; });
    narrowing_ = std::cos((south.latitude + north.latitude) / 2 * std::numbers::pi / 180);
    west_ = west.longitude;
    north_ = north.latitude;
    const double width = std::max(1e-3, (east.longitude - west_) * narrowing_);
    const double height = std::max(1e-3, north_ - south.latitude);
    scale_ = (kMapWidth - 2 * kMargin) / std::max(width, height);
    height_ = height * scale_ + 2 * kMargin;
    width_ = width * scale_ + 2 * kMargin;
  }
  [[nodiscard]] double x(const ModelSite& site) const {
    return kMargin + (site.longitude - west_) * narrowing_ * scale_;
  }
  [[nodiscard]] double y(const ModelSite& site) const {
    return kMargin + (north_ - site.latitude) * scale_;
  }
  [[nodiscard]] double width() const { return width_; }
  [[nodiscard]] double height() const { return height_; }

 private:
  double narrowing_ = 1, west_ = 0, north_ = 0, scale_ = 1, width_ = 0, height_ = 0;
};

// The step of an axis that has about five of them.
double tick(double most) {
  const double step = std::pow(10, std::floor(std::log10(std::max(most, 1e-9) / 5)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (most / (step * factor) <= 6) return step * factor;
  }
  return step * 10;
}

constexpr double kLeft = 44;
constexpr double kTop = 12;
constexpr double kPlotHeight = 220;

// Lines across with their numbers.
std::string axis(double most, double width) {
  std::string svg;
  for (double value = 0; value <= most * 1.0001; value += tick(most)) {
    const double y = kTop + kPlotHeight * (1 - value / most);
    svg +=
        fmt::format(R"(<line class="grid" x1="{0:.1f}" y1="{1:.1f}" x2="{2:.1f}" y2="{1:.1f}"/>)"
                    R"(<text class="tick" x="{3:.1f}" y="{4:.1f}" text-anchor="end">{5:g}</text>)",
                    kLeft, y, width, kLeft - 6, y + 4, value);
  }
  return svg;
}

std::string open_svg(double width, double height, const char* label) {
  return fmt::format(
      R"(<svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}" style="max-width:{:.0f}px">)",
      width, height, label, width);
}

}  // namespace

std::string map_svg(const ModelNetwork& network, const Outcome& outcome) {
  const Projection projection(network);
  std::string svg = open_svg(projection.width(), projection.height(), "Map of the network");
  for (std::size_t link = 0; link < network.links.size(); ++link) {
    const ModelSite& a = network.sites[network.links[link].a];
    const ModelSite& b = network.sites[network.links[link].b];
    const double level = link < outcome.mean_level.size() ? outcome.mean_level[link] : 0;
    const double wasted = link < outcome.wasted_share.size() ? outcome.wasted_share[link] : 0;
    const auto shade =
        std::min(kShades - 1, static_cast<std::size_t>(wasted * static_cast<double>(kShades)));
    svg += fmt::format(
        R"(<line class="link w{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" )"
        R"(stroke-width="{:.1f}"><title>{}: pools {:.0f} % full, {:.0f} % of the key lost</title></line>)",
        shade, projection.x(a), projection.y(a), projection.x(b), projection.y(b), 1 + 6 * level,
        escape(network.link_title(link)), level * 100, wasted * 100);
  }
  for (const ModelSite& site : network.sites) {
    svg += fmt::format(
        R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}</title></circle>)",
        site.population > 0 ? "site" : "vault", projection.x(site), projection.y(site),
        2.5 + std::sqrt(site.population) / 30, escape(site.title));
  }
  return svg + "</svg>";
}

std::string bars_svg(const Study& study) {
  constexpr double kBar = 18;
  constexpr double kGap = 26;
  double most = 1;
  for (const auto& one : study.results) most = std::max(most, one.sustained.persons_per_day);
  for (const auto& one : study.bounds) most = std::max(most, one.bound.persons_per_day);
  const double bars = static_cast<double>(study.results.size());
  const double groups = static_cast<double>(study.options.variants.size());
  const double width = std::max(320.0, kLeft + bars * kBar + (groups + 1) * kGap);
  std::string svg = open_svg(width, kTop + kPlotHeight + 28, "Persons per day by policy");
  svg += axis(most, width);
  double x = kLeft + kGap / 2;
  for (const std::size_t variant : study.options.variants) {
    const double begin = x;
    for (const PolicyResult& one : study.results) {
      if (one.variant != variant) continue;
      const double height = kPlotHeight * one.sustained.persons_per_day / most;
      svg +=
          fmt::format(R"(<rect class="{}{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">)"
                      R"(<title>network {}, {}: {:.2f} persons per day</title></rect>)",
                      policy_name(one.policy), one.rule == ExposureRule::kOn ? "" : " off", x,
                      kTop + kPlotHeight - height, kBar - 3, height, variant + 1,
                      row_title(one.policy, one.rule), one.sustained.persons_per_day);
      x += kBar;
    }
    for (const auto rule : {ExposureRule::kOn, ExposureRule::kOff}) {
      const BoundResult* bound = study.bound(variant, rule);
      if (bound == nullptr) continue;
      const double y = kTop + kPlotHeight * (1 - bound->bound.persons_per_day / most);
      svg += fmt::format(R"(<line class="bound{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}">)"
                         R"(<title>bound, rule {}: {:.2f}</title></line>)",
                         rule == ExposureRule::kOn ? "" : " off", begin - 4, y, x + 4, y,
                         rule == ExposureRule::kOn ? "on" : "off", bound->bound.persons_per_day);
    }
    svg += fmt::format(
        R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">network {}</text>)",
        (begin + x) / 2, kTop + kPlotHeight + 18, variant + 1);
    x += kGap;
  }
  return svg + "</svg>";
}

std::string couriers_svg(const Study& study) {
  if (study.couriers.empty()) return "";
  constexpr double kStep = 64;
  double most = 1;
  for (const CourierResult& one : study.couriers) {
    most = std::max({most, one.bound, one.bound_off, one.persons_per_day});
  }
  const double width = kLeft + kStep * (static_cast<double>(study.couriers.size()) + 0.2);
  std::string svg = open_svg(width, kTop + kPlotHeight + 28, "Persons per day by couriers");
  svg += axis(most, width);
  const auto curve = [&](const char* style, auto value) {
    std::string points;
    std::string dots;
    for (const CourierResult& one : study.couriers) {
      const double x = kLeft + kStep * (static_cast<double>(one.couriers) + 0.3);
      const double y = kTop + kPlotHeight * (1 - value(one) / most);
      points += fmt::format("{:.1f},{:.1f} ", x, y);
      dots += fmt::format(
          R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{} couriers: {:.2f}</title></circle>)",
          style, x, y, one.couriers, value(one));
    }
    svg += fmt::format(R"(<polyline class="{}" points="{}"/>{})", style, points, dots);
  };
  curve("curve bound", [](const CourierResult& one) { return one.bound; });
  curve("curve bound off", [](const CourierResult& one) { return one.bound_off; });
  curve("curve price", [](const CourierResult& one) { return one.persons_per_day; });
  for (const CourierResult& one : study.couriers) {
    svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                       kLeft + kStep * (static_cast<double>(one.couriers) + 0.3),
                       kTop + kPlotHeight + 18, one.couriers);
  }
  return svg + "</svg>";
}

}  // namespace warifu::simulate
