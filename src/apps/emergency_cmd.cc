// `warifu person emergency allow|forbid`, and the notices of emergencies.
#include <fmt/format.h>

#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/consent_terminal.h"
#include "apps/custody_text.h"
#include "apps/emergency_text.h"
#include "apps/output.h"
#include "apps/person_commands.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

Result<> print_told(const Common& common, const json::value& answer, const std::string& what) {
  const auto& refused = answer.at("refused").as_array();
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("{}; {}\n", what, told_text(answer));
  }
  if (refused.empty()) return {};
  return fail(Code::kRefused,
              text_of(refused.front(), "site") + ": " + text_of(refused.front(), "why"));
}

}  // namespace

bool print_emergencies(const json::value& answer) {
  const json::value* list = answer.as_object().if_contains("emergencies");
  bool any = false;
  for (const json::value& one : list == nullptr ? json::array() : list->as_array()) {
    if (!text_of(one, "told").empty()) continue;
    any = true;
    fmt::print(stderr,
               "EMERGENCY: object {} of {} was opened without the person's card at {}, by {} "
               "officers\n           reason: {}\n",
               text_of(one, "object"), text_of(one, "person"), text_of(one, "at"),
               one.at("officers").as_array().size(), text_of(one, "reason"));
    const json::value* known = one.as_object().if_contains("known_here");
    if (known == nullptr || *known == true) continue;
    std::string sites;
    for (const json::value& site : one.at("sites").as_array()) {
      sites += (sites.empty() ? "" : ", ") + std::string(site.as_string());
    }
    fmt::print(stderr,
               "           WARNING: share control does not know of it, {} told it: ask there\n",
               sites);
  }
  return any;
}

Result<> emergency_allow(const Common& common, const EmergencyOptions& options) {
  TRY_ASSIGN(const std::uint64_t valid, parse_duration(options.valid));
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card));
  TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
  ApiClient client(common);
  json::object wish = {{"valid_seconds", valid}, {"locale", options.lang}};
  if (!options.object.empty()) wish["object"] = options.object;
  TRY(terminal.card->add_to_wish(wish));
  const std::string path = "/v1/persons/" + url_text(options.id) + "/emergency";
  TRY_ASSIGN(const json::value prepared, client.post(path + "/prepare", wish));
  print_emergencies(prepared);
  TRY_ASSIGN(const Bytes grant, from_hex(text_of(prepared, "grant")));
  TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
  TRY(check_text(prepared, parsed, facts.kind));
  const std::string object = parsed.object.is_zero() ? "" : parsed.object.text();
  if (!parsed.emergency_until || object != options.object) {
    return fail(Code::kCorrupt, "the site's grant allows something else; the card was not asked");
  }
  TRY(ask_person(text_of(prepared, "text"), options.lang, options.yes));
  TRY(terminal.card->verify_holder(options.card));
  TRY_ASSIGN(const json::object proof, terminal.card->prove(client, grant));
  TRY_ASSIGN(const json::value answer, client.post(path, proof));
  return print_told(common, answer,
                    "officers may open " +
                        (object.empty() ? "all objects of " + options.id : object) +
                        " in an emergency");
}

Result<> emergency_forbid(const Common& common, const EmergencyOptions& options) {
  ApiClient client(common);
  json::object wish;
  if (!options.object.empty()) wish["object"] = options.object;
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/persons/" + url_text(options.id) + "/emergency/forbid", wish));
  return print_told(common, answer,
                    "nobody opens " +
                        (options.object.empty() ? "an object of " + options.id : options.object) +
                        " in an emergency");
}

}  // namespace warifu::apps
