// `warifu person show|proxy|guardians|died|lives|orders|allow|decline`: who may consent in a
// person's place.
#include <fmt/format.h>

#include <chrono>

#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/consent_terminal.h"
#include "apps/custody_text.h"
#include "apps/emergency_text.h"
#include "apps/output.h"
#include "apps/person_commands.h"
#include "apps/proposed.h"
#include "base/units.h"
#include "consent/grant.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

// SHA-256 of a document, as hexadecimal; empty without one.
Result<std::string> digest_of(const std::string& document) {
  if (document.empty()) return std::string();
  constexpr std::size_t kMostBytes = 64 << 20;
  TRY_ASSIGN(const Bytes bytes, os::read_file(os::real_files(), document, kMostBytes));
  return to_hex(crypto::sha256(bytes));
}

// The beginning of a day like 2044-04-01, in UTC.
Result<std::int64_t> day_ms(const std::string& text) {
  int year = 0, month = 0, day = 0;
  char rest = 0;
  const bool is_read = text.size() == 10 &&
                       std::sscanf(text.c_str(), "%4d-%2d-%2d%c", &year, &month, &day, &rest) == 3;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!is_read || !date.ok()) {
    return fail(Code::kInvalidArgument, "'" + text + "' must be a day like 2044-04-01");
  }
  return std::chrono::sys_days(date).time_since_epoch() / std::chrono::milliseconds(1);
}

std::string person_path(const std::string& person) {
  return "/v1/persons/" + url_text(person);
}

Result<> print_ordered(const Common& common, const json::value& answer, const std::string& what) {
  const auto& refused = answer.at("refused").as_array();
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("{}; {}\n", what, told_text(answer));
    for (const json::value& one : refused) {
      fmt::print("  refused by {}: {}\n", text_of(one, "site"), text_of(one, "why"));
    }
    const std::string order = text_of(answer, "order");
    if (!order.empty()) {
      fmt::print("order {}: an officer of every site has to allow it there\n", order);
    }
  }
  if (refused.empty()) return {};
  return fail(Code::kRefused, text_of(refused.front(), "why"));
}

}  // namespace

Result<> proxy_add(const Common& common, const ProxyOptions& options) {
  TRY_ASSIGN(const std::string authority, digest_of(options.authority));
  TRY_ASSIGN(const std::uint64_t valid, parse_duration(options.valid));
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card));
  TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
  ApiClient client(common);
  json::object wish = {{"proxy", options.proxy},
                       {"valid_seconds", valid},
                       {"authority", authority},
                       {"testamentary", options.testamentary},
                       {"locale", options.lang}};
  if (!options.object.empty()) wish["object"] = options.object;
  json::array purposes;
  for (const std::string& purpose : options.purposes) {
    TRY_ASSIGN(const std::string name, purpose_of(purpose));
    purposes.emplace_back(name);
  }
  wish["purposes"] = purposes;
  TRY(terminal.card->add_to_wish(wish));
  TRY_ASSIGN(const json::value prepared,
             client.post(person_path(options.id) + "/proxies/prepare", wish));
  print_emergencies(prepared);
  TRY_ASSIGN(const Bytes grant, from_hex(text_of(prepared, "grant")));
  TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
  TRY(check_text(prepared, parsed, facts.kind));
  if (!parsed.appointment || parsed.appointment->mandate.is_testamentary != options.testamentary) {
    return fail(Code::kCorrupt, "the site's grant names no such proxy; the card was not asked");
  }
  TRY(ask_person(text_of(prepared, "text"), options.lang, options.yes));
  TRY(terminal.card->verify_holder(options.card));
  TRY_ASSIGN(const json::object proof, terminal.card->prove(client, grant));
  TRY_ASSIGN(const json::value answer, client.post(person_path(options.id) + "/proxies", proof));
  return print_ordered(common, answer, options.proxy + " may consent for " + options.id);
}

Result<> proxy_remove(const Common& common, const ProxyOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post(person_path(options.id) + "/proxies/remove", {{"proxy", options.proxy}}));
  return print_ordered(common, answer, options.proxy + " is no proxy of " + options.id);
}

Result<> guardians_set(const Common& common, const GuardianOptions& options) {
  TRY_ASSIGN(const std::string authority, digest_of(options.authority));
  TRY_ASSIGN(const std::int64_t of_age, day_ms(options.of_age));
  std::uint64_t needed = options.needed;
  if (needed == 0) needed = options.guardians.size();
  ApiClient client(common);
  json::object wish = {{"guardians", texts_json(options.guardians)},
                       {"needed", needed},
                       {"of_age_ms", of_age},
                       {"authority", authority}};
  if (!options.name.empty()) wish["name"] = options.name;
  TRY_ASSIGN(const json::value answer, client.post(person_path(options.id) + "/guardians", wish));
  return print_ordered(common, answer, "guardians of " + options.id + " are ordered");
}

Result<> person_death(const Common& common, const GuardianOptions& options, bool has_died) {
  if (has_died && !options.yes) {
    return fail(Code::kInvalidArgument, "every consent of a person who has died ends; say --yes");
  }
  TRY_ASSIGN(const std::string authority, digest_of(options.authority));
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post(person_path(options.id) + (has_died ? "/died" : "/lives"),
                         {{"authority", authority}}));
  return print_ordered(common, answer,
                       "that " + options.id + (has_died ? " has died" : " lives") + " is ordered");
}

Result<> person_show(const Common& common, const std::string& person) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get(person_path(person)));
  if (common.json) {
    print_json(answer);
    return {};
  }
  fmt::print("{}  {}\ncard {}\n", text_of(answer, "person"), text_of(answer, "name"),
             text_of(answer, "card"));
  const std::string died = text_of(answer, "died"), of_age = text_of(answer, "of_age");
  if (!died.empty()) fmt::print("died; this site knows since {}\n", died);
  std::string guardians;
  for (const json::value& one : answer.at("guardians").as_array()) {
    guardians += (guardians.empty() ? "" : ", ") + std::string(one.as_string());
  }
  if (!guardians.empty()) {
    fmt::print("guardians until {}: {} ({} together)\n", of_age, guardians,
               number_of(answer, "guardians_needed"));
  }
  for (const json::value& one : answer.at("proxies").as_array()) {
    const std::string object = text_of(one, "object");
    fmt::print("proxy {}{}: {} of {}, until {}\n", text_of(one, "proxy"),
               one.at("testamentary").as_bool() ? " (after death)" : "", text_of(one, "purposes"),
               object.empty() ? "all objects" : object, text_of(one, "until"));
  }
  for (const json::value& one : answer.at("emergency").as_array()) {
    const std::string object = text_of(one, "object");
    fmt::print("in an emergency officers may open {}, until {}\n",
               object.empty() ? "all objects" : object, text_of(one, "until"));
  }
  for (const json::value& one : answer.at("orders_waiting").as_array()) {
    fmt::print("waits for an officer of this site: {} (order {})\n", text_of(one, "what"),
               text_of(one, "order"));
  }
  return {};
}

Result<> person_orders(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/person-orders"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : answer.at("orders").as_array()) {
    std::string what = text_of(one, "what");
    if (what == "guardians") {
      what += fmt::format(": {} of", number_of(one, "needed"));
      for (const json::value& card : one.at("guardian_cards").as_array()) {
        what += " " + std::string(card.as_string());
      }
      what += " until " + text_of(one, "of_age");
    }
    rows.push_back({text_of(one, "order"), text_of(one, "person"), text_of(one, "received"), what});
  }
  print_table({"ORDER", "PERSON HERE", "SINCE", "WHAT"}, rows);
  return {};
}

Result<> person_answer_order(const Common& common, const std::string& order, bool is_yes) {
  TRY_ASSIGN(const auto id, consent::OrderId::parse(order));
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/person-orders/" + id.text() + (is_yes ? "/allow" : "/decline"),
                         json::object()));
  if (tell_proposed(common, answer)) return {};
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("order {} is {} at {}\n", id.text(), text_of(answer, "state"),
               text_of(answer, "site"));
  }
  return {};
}

}  // namespace warifu::apps
