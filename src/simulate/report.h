// A study for machines and for people: one JSON document, one page of HTML. Pure functions.
#pragma once

#include <boost/json/value.hpp>

#include "simulate/study.h"

namespace warifu::simulate {

// The fields are listed in docs/cli.md.
[[nodiscard]] boost::json::value study_json(const ModelNetwork& network, const Study& study);

// One file without anything from elsewhere: tables, the map of the network, curves (SVG).
[[nodiscard]] std::string study_html(const ModelNetwork& network, const Study& study);

// Parts of the page. The map is drawn from a run of the price policy: links as wide as the key that
// lay in their pools on average, darker the more of their yield was lost.
[[nodiscard]] std::string map_svg(const ModelNetwork& network, const Outcome& outcome);
// Persons per day, a group of bars for each draw of the rates.
[[nodiscard]] std::string bars_svg(const Study& study);
// Persons per day over the number of couriers.
[[nodiscard]] std::string couriers_svg(const Study& study);

// "price, rule off" and the like.
[[nodiscard]] std::string row_title(Policy policy, ExposureRule rule);

}  // namespace warifu::simulate
