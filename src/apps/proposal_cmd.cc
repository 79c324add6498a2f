// `warifu operator proposals|approve|reject`: the rule of two persons, as operators see it.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/output.h"
#include "apps/proposed.h"

namespace warifu::apps {

namespace json = boost::json;

namespace {

// An act that was carried out may have been refused all the same.
std::string state_text(const json::value& proposal) {
  const std::uint64_t status = number_of(proposal, "status");
  const std::string state = text_of(proposal, "state");
  return status >= 400 ? fmt::format("{}, answered {}", state, status) : state;
}

}  // namespace

bool tell_proposed(const Common& common, const json::value& answer) {
  const auto* fields = answer.if_object();
  if (fields == nullptr || !fields->contains("proposal") || !fields->contains("expires")) {
    return false;
  }
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print(
        "nothing is done yet: proposal {}, until {}\nanother operator approves it with  warifu "
        "operator approve {}\n",
        text_of(answer, "proposal"), text_of(answer, "expires"), text_of(answer, "proposal"));
  }
  return true;
}

Result<> operator_proposals(const Common& common, bool all) {
  ApiClient client(common);
  TRY_ASSIGN(json::value answer, client.get("/v1/proposals"));
  json::array shown;
  for (const json::value& one : answer.at("proposals").as_array()) {
    if (all || text_of(one, "state") == "open") shown.push_back(one);
  }
  if (common.json) {
    answer.as_object()["proposals"] = std::move(shown);
    print_json(answer);
    return {};
  }
  if (!answer.at("two_person").as_bool()) {
    fmt::print("this site has no rule of two persons\n");
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : shown) {
    const std::string decider = text_of(one, "decider");
    rows.push_back({text_of(one, "proposal"), state_text(one), text_of(one, "proposer"),
                    decider.empty() ? "-" : decider, text_of(one, "expires"),
                    text_of(one, "target") + " " + text_of(one, "body")});
  }
  print_table({"PROPOSAL", "STATE", "BY", "DECIDED BY", "UNTIL", "WHAT"}, rows);
  return {};
}

Result<> operator_decide(const Common& common, const std::string& proposal, bool approve) {
  ApiClient client(common);
  const std::string path = "/v1/proposals/" + url_text(proposal);
  TRY_ASSIGN(const json::value answer,
             client.post(path + (approve ? "/approve" : "/reject"), json::object()));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("{}: {}\n", approve ? "approved, and done" : "rejected", json::serialize(answer));
  }
  return {};
}

}  // namespace warifu::apps
