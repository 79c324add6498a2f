// `warifu person enrol|reissue|renew-card|list`.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/card_records.h"
#include "apps/card_terminal.h"
#include "apps/commands.h"
#include "apps/output.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

// What the site drew for the card, out of its answer.
Result<card::Personalisation> read_content(const json::value& answer, secret::Buffer pin) {
  card::Personalisation content;
  TRY_ASSIGN(content.card, CardId::parse(text_of(answer, "card")));
  content.pin = std::move(pin);
  content.first_index = {static_cast<std::uint32_t>(number_of(answer, "first_index"))};
  for (const json::value& site : answer.at("sites").as_array()) {
    card::SiteKeys keys;
    TRY_ASSIGN(keys.site, SiteName::parse(text_of(site, "site")));
    TRY_ASSIGN(Bytes bytes, from_hex(text_of(site, "keys")));
    keys.keys = secret::Buffer::copy_of(bytes);
    secret::wipe(bytes);
    content.sites.push_back(std::move(keys));
  }
  return content;
}

}  // namespace

Result<> person_enrol(const Common& common, const EnrolOptions& options) {
  TRY_ASSIGN(secret::Buffer pin, read_pin(options.card));
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card, true));
  TRY_ASSIGN(const card::CardIdentity before, terminal.card->identity());
  if (before.is_active) {
    return fail(Code::kAlreadyExists,
                "the card at " + terminal.name + " already belongs to a person");
  }
  ApiClient client(common.site);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/persons",
                         {{"person", options.id}, {"name", options.name}, {"keys", options.keys}}));
  TRY_ASSIGN(const card::Personalisation content, read_content(answer, std::move(pin)));
  TRY(terminal.card->personalise(content));
  TRY(client.post("/v1/persons/" + url_text(options.id) + "/confirm",
                  {{"card", content.card.text()}}));
  json::array sites;
  for (const auto& site : content.sites) sites.emplace_back(site.site.text());
  if (common.json) {
    print_json({{"person", options.id},
                {"card_id", content.card.text()},
                {"card", before.is_emulated ? "emulated" : "chip"},
                {"keys_per_site", options.keys},
                {"sites", sites}});
  } else {
    fmt::print("enrolled {} ({}); the {} at {} holds {} one-time keys for each of {} sites\n",
               options.id, options.name, before.is_emulated ? "emulated card" : "card",
               terminal.name, options.keys, sites.size());
  }
  return {};
}

Result<> person_reissue(const Common& common, const EnrolOptions& options) {
  TRY_ASSIGN(secret::Buffer pin, read_pin(options.card));
  const secret::Buffer again = secret::Buffer::copy_of(pin.bytes());
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card, true));
  TRY_ASSIGN(const card::CardIdentity before, terminal.card->identity());
  if (before.is_active) {
    return fail(Code::kAlreadyExists,
                "the card at " + terminal.name + " already belongs to a person");
  }
  ApiClient client(common.site);
  const std::string path = "/v1/persons/" + url_text(options.id) + "/reissue";
  TRY_ASSIGN(const json::value answer, client.post(path, {{"keys", options.keys}}));
  TRY_ASSIGN(const card::Personalisation content, read_content(answer, std::move(pin)));
  TRY(terminal.card->personalise(content));
  TRY_ASSIGN(const json::value confirmed,
             client.post(path + "/confirm", {{"card", content.card.text()}}));
  TRY(terminal.card->verify_pin(again.bytes()));
  json::array loaded, missing;
  for (const json::value& object : confirmed.at("objects").as_array()) {
    const std::string id(object.as_string());
    const auto put = put_record(client, id, terminal);
    if (put) {
      loaded.emplace_back(id);
    } else {
      missing.push_back({{"object", id}, {"why", put.error().message}});
    }
  }
  if (common.json) {
    print_json({{"person", options.id},
                {"card_id", content.card.text()},
                {"card", before.is_emulated ? "emulated" : "chip"},
                {"keys_per_site", options.keys},
                {"objects", loaded},
                {"missing", missing}});
  } else {
    fmt::print("{} has another card, {}; it holds the records of {} objects\n", options.id,
               content.card.text(), loaded.size());
    for (const json::value& one : missing) {
      fmt::print("  not of {}: {}\n", text_of(one, "object"), text_of(one, "why"));
    }
  }
  if (missing.empty()) return {};
  return fail(Code::kUnavailable,
              "some records are not on the card; 'warifu object card-record' loads them later");
}

Result<> person_renew_card(const Common& common, const RenewCardOptions& options) {
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card, false));
  TRY_ASSIGN(const card::CardIdentity before, terminal.card->identity());
  TRY_ASSIGN(const SiteName at, SiteName::parse(options.at));
  TRY(enter_pin(terminal, options.card));
  TRY(terminal.card->may_renew(before.keys, at));
  ApiClient client(common.site);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/cards/renewal", {{"card", before.card.text()},
                                               {"first_index", before.keys.first.value},
                                               {"count", before.keys.count},
                                               {"site", options.at}}));
  TRY_ASSIGN(const card::Personalisation content, read_content(answer, {}));
  TRY(terminal.card->renew(content.first_index, content.sites));
  if (common.json) {
    print_json(
        {{"card_id", before.card.text()}, {"site", options.at}, {"keys", before.keys.count}});
  } else {
    fmt::print("the card has {} other one-time keys for {}\n", before.keys.count, options.at);
  }
  return {};
}

Result<> person_list(const Common& common) {
  ApiClient client(common.site);
  TRY_ASSIGN(const json::value answer, client.get("/v1/persons"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& person : answer.at("persons").as_array()) {
    rows.push_back(
        {text_of(person, "person"), text_of(person, "name"), text_of(person, "enrolled")});
  }
  print_table({"PERSON", "NAME", "ENROLLED"}, rows);
  return {};
}

}  // namespace warifu::apps
