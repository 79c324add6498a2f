// The JSON document of a study.
#include <boost/json.hpp>

#include "simulate/report.h"

namespace warifu::simulate {
namespace {

namespace json = boost::json;

const char* rule_name(ExposureRule rule) {
  return rule == ExposureRule::kOn ? "on" : "off";
}

json::object result_json(const PolicyResult& result) {
  const Outcome& outcome = result.sustained.outcome;
  return {{"network", result.variant + 1},
          {"policy", policy_name(result.policy)},
          {"exposure_rule", rule_name(result.rule)},
          {"persons_per_day", result.sustained.persons_per_day},
          {"arrived", outcome.arrived},
          {"stored", outcome.stored},
          {"worst_site_share", outcome.worst_site},
          {"placed", outcome.placed},
          {"hops_per_person", outcome.hops_per_person()},
          {"exposed", outcome.exposed},
          {"exposed_share", outcome.exposed_share()},
          {"restored", outcome.restored},
          {"restores_waiting", outcome.restores_waiting},
          {"key_generated_bytes", outcome.generated_bytes},
          {"key_paid_bytes", outcome.paid_bytes},
          {"key_wasted_share", outcome.wasted()}};
}

json::object setting_json(const StudyOptions& options) {
  const Setting& setting = options.setting;
  return {{"days", setting.days},
          {"seed", setting.seed},
          {"object_bytes", options.object_bytes},
          {"directions", setting.directions == Directions::kShared ? "shared" : "own"},
          {"failures", setting.failures},
          {"restores", setting.restores}};
}

}  // namespace

json::value study_json(const ModelNetwork& network, const Study& study) {
  json::object document = {{"label", kStudyLabel},
                           {"network", network.name},
                           {"sites", network.sites.size()},
                           {"links", network.links.size()},
                           {"setting", setting_json(study.options)}};
  json::array results;
  for (const PolicyResult& result : study.results) results.push_back(result_json(result));
  document["results"] = results;
  json::array bounds;
  for (const BoundResult& one : study.bounds) {
    json::array prices;
    for (std::size_t link = 0; link < network.links.size(); ++link) {
      if (one.bound.shadow_price[link] < 1e-9) continue;
      prices.push_back(
          {{"link", network.link_title(link)}, {"price", one.bound.shadow_price[link]}});
    }
    bounds.push_back({{"network", one.variant + 1},
                      {"exposure_rule", rule_name(one.rule)},
                      {"persons_per_day", one.bound.persons_per_day},
                      {"shadow_prices", prices}});
  }
  document["bounds"] = bounds;
  json::array couriers;
  for (const CourierResult& one : study.couriers) {
    couriers.push_back(
        {{"couriers", one.couriers},
         {"link", one.link ? json::value(network.link_title(*one.link)) : json::value(nullptr)},
         {"shadow_price", one.shadow_price},
         {"bound", one.bound},
         {"bound_rule_off", one.bound_off},
         {"persons_per_day", one.persons_per_day}});
  }
  document["couriers"] = couriers;
  return document;
}

}  // namespace warifu::simulate
