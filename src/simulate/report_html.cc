// The page of a study: label first, then tables and pictures, readable in the dark and on paper.
#include <fmt/format.h>

#include "simulate/report.h"

namespace warifu::simulate {
namespace {

constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--ink:#1b2430;--faint:#8a94a3;--line:#d5dae1;--page:#fff;
--c1:#b4bcc8;--c2:#7fa7d4;--c3:#4aa38a;--c4:#c96a3b;--low:#2f7fb8}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--faint:#8c97a8;--line:#364150;--page:#151a21}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);
max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{margin:0 0 .25rem}h2{margin:2rem 0 .5rem}.label{border-left:4px solid var(--c4);padding:.25rem .75rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .75rem;border-bottom:1px solid var(--line);text-align:right}
th:first-child,td:first-child{text-align:left}
svg{width:100%;height:auto;display:block}.scroll{overflow-x:auto}
.tick{font-size:12px;fill:var(--faint)}.grid{stroke:var(--line)}
.vaults{fill:var(--c1)}.nearest{fill:var(--c2)}.residual{fill:var(--c3)}.price{fill:var(--c4)}
.off{opacity:.55}rect.off{stroke:var(--ink);stroke-dasharray:2 2}
.bound{stroke:var(--ink);stroke-width:2}.bound.off{stroke-dasharray:5 4}
.curve{fill:none;stroke-width:2}polyline.price{stroke:var(--c4)}circle.curve{fill:var(--ink)}
circle.price{fill:var(--c4)}
.link{stroke-linecap:round}.w0{stroke:#2f7fb8}.w1{stroke:#58a1a8}.w2{stroke:#93b06b}
.w3{stroke:#d3a23f}.w4{stroke:#c96a3b}.site{fill:var(--ink)}
.vault{fill:var(--page);stroke:var(--ink);stroke-width:2}
)css";

std::string results_table(const Study& study) {
  std::string html =
      "<div class=scroll><table><tr><th>policy<th>network<th>persons per day<th>of the bound"
      "<th>key lost<th>hops per person<th>one relay could restore</tr>";
  for (const PolicyResult& one : study.results) {
    const BoundResult* bound = study.bound(one.variant, one.rule);
    const Outcome& outcome = one.sustained.outcome;
    html += fmt::format(
        "<tr><td>{}<td>{}<td>{:.2f}<td>{}<td>{:.0f} %<td>{:.1f}<td>{:.1f} %</tr>",
        row_title(one.policy, one.rule), one.variant + 1, one.sustained.persons_per_day,
        bound == nullptr ? "-"
                         : fmt::format("{:.0f} %", 100 * one.sustained.persons_per_day /
                                                       bound->bound.persons_per_day),
        outcome.wasted() * 100, outcome.hops_per_person(), outcome.exposed_share() * 100);
  }
  for (const BoundResult& one : study.bounds) {
    html += fmt::format("<tr><td>bound, rule {}<td>{}<td>{:.2f}<td><td><td><td></tr>",
                        one.rule == ExposureRule::kOn ? "on" : "off", one.variant + 1,
                        one.bound.persons_per_day);
  }
  return html + "</table></div>";
}

std::string couriers_table(const ModelNetwork& network, const Study& study) {
  std::string html =
      "<div class=scroll><table><tr><th>the last one drives<th>couriers<th>bound<th>bound, rule off"
      "<th>price, simulated</tr>";
  for (const CourierResult& one : study.couriers) {
    html += fmt::format("<tr><td>{}<td>{}<td>{:.1f}<td>{:.1f}<td>{:.1f}</tr>",
                        one.link ? network.link_title(*one.link) : std::string("-"), one.couriers,
                        one.bound, one.bound_off, one.persons_per_day);
  }
  return html + "</table></div>";
}

std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string row_title(Policy policy, ExposureRule rule) {
  return std::string(policy_name(policy)) + (rule == ExposureRule::kOn ? "" : ", rule off");
}

std::string study_html(const ModelNetwork& network, const Study& study) {
  const Setting& setting = study.options.setting;
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=en><meta charset=utf-8>"
      "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
      "<title>{0}: persons per day</title><style>{1}</style>\n<h1>{0}</h1>\n"
      "<p class=label>{2}</p>\n"
      "<p>{3} sites, {4} links; objects of {5:.1f} GB, two of three shares; {6:g} days, seed {7}; "
      "{8}; {9:g} % of links down per day; {10:g} % of objects restored per day.</p>\n",
      plain(network.title), kStyle, kStudyLabel, network.sites.size(), network.links.size(),
      static_cast<double>(study.options.object_bytes) / 1e9, setting.days, setting.seed,
      setting.directions == Directions::kShared ? "both directions share a link's key"
                                                : "each direction has half of a link's key",
      setting.failures * 100, setting.restores * 100);
  html += "<h2>Persons per day</h2>\n<div class=scroll>" + bars_svg(study) + "</div>\n" +
          "<p>Lines: bound of the linear program, dashed without the exposure rule.</p>\n" +
          results_table(study) + "\n";
  for (const std::size_t variant : study.options.variants) {
    const PolicyResult* price = study.find(variant, Policy::kPrice, ExposureRule::kOn);
    if (price == nullptr) continue;
    html += fmt::format(
        "<h2>Network {}</h2>\n<p>Policy price at {:.2f} persons per day. A link is as wide as its "
        "pools were full; blue: all of its key was used, red: most was lost. Rings: sites without "
        "people.</p>\n{}\n",
        variant + 1, price->sustained.persons_per_day, map_svg(network, price->sustained.outcome));
  }
  if (!study.couriers.empty()) {
    html += fmt::format(
        "<h2>Couriers on network {}</h2>\n<p>Each brings 16 TB of random numbers a week to one "
        "link, the one with the highest shadow price. Dashed: bound without the exposure rule."
        "</p>\n<div class=scroll>{}</div>\n{}\n",
        study.options.variants.front() + 1, couriers_svg(study), couriers_table(network, study));
  }
  return html + "</html>\n";
}

}  // namespace warifu::simulate
