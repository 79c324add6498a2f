// `warifu card revoke|allow-reissue|status`, `warifu person accesses`: cards over their lives, and
// what was done with them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apps/api_client.h"
#include "apps/custody_text.h"
#include "apps/output.h"
#include "apps/person_commands.h"
#include "apps/proposed.h"
#include "base/ids.h"
#include "base/units.h"

namespace warifu::apps {
namespace json = boost::json;

std::string told_text(const json::value& answer) {
  const std::size_t told = answer.at("told").as_array().size();
  std::string text =
      fmt::format("{} {} told", told, told == 1 ? "site has been" : "sites have been");
  for (const json::value& entry : answer.at("waiting").as_array()) {
    text += fmt::format("\n  not yet told, and tried again by itself: {} ({})",
                        text_of(entry, "site"), text_of(entry, "why"));
  }
  return text;
}

namespace {

// The card that is named, or the one that the person has.
Result<std::string> card_of(ApiClient& client, const RevokeOptions& options) {
  if (!options.card.empty()) {
    TRY_ASSIGN(const CardId card, CardId::parse(options.card));
    return card.text();
  }
  TRY_ASSIGN(const json::value answer, client.get("/v1/persons"));
  for (const json::value& person : answer.at("persons").as_array()) {
    if (text_of(person, "person") == options.person) return text_of(person, "card");
  }
  return fail(Code::kNotFound, "person '" + options.person + "' is not enrolled");
}

}  // namespace

Result<> card_revoke(const Common& common, const RevokeOptions& options) {
  if (options.card.empty() == options.person.empty()) {
    return fail(Code::kInvalidArgument, "name the card by its id, or its person with --person");
  }
  if (!options.yes) {
    return fail(Code::kInvalidArgument,
                "a revoked card is worthless for ever, and so is every consent it gave; say --yes");
  }
  ApiClient client(common);
  TRY_ASSIGN(const std::string card, card_of(client, options));
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/cards/" + card + "/revoke", {{"why", options.why}}));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("card {} is revoked; {}\n", card, told_text(answer));
  }
  return {};
}

Result<> card_allow_reissue(const Common& common, const RevokeOptions& options) {
  TRY_ASSIGN(const CardId card, CardId::parse(options.card));
  TRY_ASSIGN(const std::uint64_t seconds, parse_duration(options.valid));
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/cards/" + card.text() + "/allow-reissue", {{"seconds", seconds}}));
  if (tell_proposed(common, answer)) return {};
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("site {} lets another card take the place of {} until {}\n", text_of(answer, "site"),
               card.text(), text_of(answer, "until"));
  }
  return {};
}

Result<> card_status(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/cards/status"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  if (answer.at("safekeeping").as_bool()) {
    fmt::print("card records in safekeeping: {}, not yet: {}\n", number_of(answer, "kept"),
               number_of(answer, "not_kept"));
  } else {
    fmt::print("card records are not in safekeeping: who loses a card loses the data\n");
  }
  const std::string problem = text_of(answer, "problem");
  if (!problem.empty()) fmt::print("problem: {}\n", problem);
  const auto& waiting = answer.at("waiting").as_array();
  if (waiting.empty()) {
    fmt::print("every site has been told of every withdrawal and revocation\n");
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& order : waiting) {
    rows.push_back({text_of(order, "site"), text_of(order, "order"), text_of(order, "card"),
                    text_of(order, "since")});
  }
  print_table({"SITE", "NOT YET TOLD TO", "CARD", "SINCE"}, rows);
  return {};
}

namespace {

struct Teller {
  std::string site;
  std::vector<std::uint64_t> records;  // their numbers in its log
};

// What happened, once, however many sites tell of it.
struct Access {
  std::string time, what, about;  // of the first site that tells; the rest of what people read
  std::string session;            // records of one attempt have the same
  std::vector<Teller> tellers;
};

std::string field(const json::object& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(std::string_view(value->get_string()));
}

// "Dr. Ito, for medicine: the grant is used up (1 of 1 uses)", then what it is about.
std::string about_of(const json::object& fields) {
  std::string text = field(fields, "grantee");
  if (const auto purpose = field(fields, "purpose"); !purpose.empty()) text += ", for " + purpose;
  for (const char* name : {"regions", "scope", "score", "model"}) {
    const std::string part = field(fields, name);
    if (!part.empty() && part != "whole") text += ", " + part;
  }
  if (const auto times = field(fields, "answers"); !times.empty()) {
    text += ", looked at " + times + " times";
  }
  for (const char* name : {"text", "why"}) {
    const std::string why = field(fields, name);
    if (!why.empty()) text += (text.empty() ? "" : ": ") + why;
  }
  for (const char* name : {"object", "grant"}) {
    const std::string id = field(fields, name);
    if (id.empty()) continue;
    text += fmt::format("\n  {} {}", name == std::string_view("grant") ? "consent" : name, id);
  }
  return text;
}

Access access_of(const json::value& record) {
  const json::object& fields = record.at("fields").as_object();
  std::string what = text_of(record, "event");
  std::ranges::replace(what, '_', ' ');
  return {text_of(record, "time"),
          std::move(what),
          about_of(fields),
          field(fields, "session"),
          {{text_of(record, "site"), {record.at("seq").to_number<std::uint64_t>()}}}};
}

// Records of several sites about the same thing become one.
std::vector<Access> accesses_of(const json::array& records) {
  std::vector<Access> all;
  for (const json::value& record : records) {
    Access one = access_of(record);
    const auto same = std::ranges::find_if(all, [&](const Access& other) {
      return other.what == one.what && other.about == one.about && other.session == one.session;
    });
    if (same == all.end()) {
      all.push_back(std::move(one));
    } else {
      Teller& also = one.tellers.front();
      const auto told = std::ranges::find(same->tellers, also.site, &Teller::site);
      if (told == same->tellers.end()) {
        same->tellers.push_back(std::move(also));
      } else {
        told->records.push_back(also.records.front());
      }
    }
  }
  return all;
}

}  // namespace

Result<> person_accesses(const Common& common, const std::string& person) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/persons/" + url_text(person) + "/accesses"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  for (const Access& one : accesses_of(answer.at("accesses").as_array())) {
    std::vector<std::string> tellers;
    for (const auto& [site, records] : one.tellers) {
      tellers.push_back(fmt::format("{} (record{} {})", site, records.size() == 1 ? "" : "s",
                                    fmt::join(records, ", ")));
    }
    fmt::print("{}  {}{}{}\n  by the log of {}\n", one.time, one.what,
               one.about.empty() || one.about.front() == '\n' ? "" : "  ", one.about,
               fmt::join(tellers, ", "));
  }
  for (const json::value& one : answer.at("missing").as_array()) {
    fmt::print("no answer from {}: {}\n", text_of(one, "site"), text_of(one, "why"));
  }
  return {};
}

}  // namespace warifu::apps
