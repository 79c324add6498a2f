// `warifu enrolment order|list|cancel`.
#include "apps/enrolment_cmd.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/output.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

void show_order(const Common& common, const json::value& order) {
  if (common.json) return print_json(order);
  fmt::print("enrolment {} of {} ({}) is {}\n", text_of(order, "order"), text_of(order, "person"),
             text_of(order, "name"), text_of(order, "state"));
  const std::string code = text_of(order, "code");
  if (code.empty()) return;
  fmt::print("the person types {} at a kiosk, until {}\n", code, text_of(order, "expires"));
}

}  // namespace

Result<> enrolment_order(const Common& common, const EnrolmentOptions& options) {
  TRY_ASSIGN(const CardType type, card_type_of(options.card_type));
  TRY_ASSIGN(const std::uint64_t open, parse_duration(options.open));
  if (options.name.empty() != options.again) {
    return fail(Code::kInvalidArgument,
                "give --name of a new person, or --again for one who is enrolled");
  }
  json::object wish = {{"card_type", card_type_name(type)}, {"open_seconds", open}};
  if (type == CardType::kOneTime) wish["keys"] = options.keys;
  std::string path = "/v1/persons/" + url_text(options.person) + "/reissue/order";
  if (!options.again) {
    wish["person"] = options.person;
    wish["name"] = options.name;
    path = "/v1/enrolments";
  }
  ApiClient client(common);
  TRY_ASSIGN(const json::value order, client.post(path, wish));
  show_order(common, order);
  return {};
}

Result<> enrolment_list(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/enrolments"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : answer.at("enrolments").as_array()) {
    const std::string code = text_of(one, "code"), trouble = text_of(one, "trouble");
    rows.push_back({text_of(one, "order"), text_of(one, "state"), text_of(one, "person"),
                    text_of(one, "card_type"), code.empty() ? "-" : code, text_of(one, "expires"),
                    trouble});
  }
  print_table({"ORDER", "STATE", "PERSON", "CARD", "CODE", "UNTIL", "LAST TROUBLE"}, rows);
  return {};
}

Result<> enrolment_cancel(const Common& common, const std::string& order) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/enrolments/" + url_text(order) + "/cancel", json::object()));
  show_order(common, answer);
  return {};
}

}  // namespace warifu::apps
