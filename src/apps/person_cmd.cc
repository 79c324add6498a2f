// `warifu person enrol|reissue|renew-card|list`.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/output.h"
#include "apps/person_commands.h"
#include "consent/evidence.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

// Whoever names a module means a token.
Result<CardType> wanted_type(const EnrolOptions& options) {
  TRY_ASSIGN(const CardType type, card_type_of(options.card_type));
  const bool has_module = !options.card.module.empty();
  if (has_module && options.card_type.empty()) return CardType::kPkcs11;
  if (has_module == (type == CardType::kPkcs11)) return type;
  return fail(Code::kInvalidArgument, "--module and --card-type pkcs11 go together");
}

}  // namespace

Result<> person_enrol(const Common& common, const EnrolOptions& options) {
  TRY_ASSIGN(const CardType type, wanted_type(options));
  secret::Buffer pin;
  if (type != CardType::kDesfire) {
    TRY_ASSIGN(pin, read_pin(options.card));
  }
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card, blank_of(type)));
  TRY_ASSIGN(const CardFacts before, terminal.card->identify());
  TRY(check_card_type(terminal, before, type));
  if (before.is_active) {
    return fail(Code::kAlreadyExists,
                "the card at " + terminal.name + " already belongs to a person");
  }
  ApiClient client(common);
  TRY_ASSIGN(const EnrolledCard enrolled,
             terminal.card->enrol(client, options, std::move(pin), Issue::kFirst));
  const card::CardKind kind = enrolled.kind.value_or(before.kind);
  const bool is_emulated = card::is_emulated(kind);
  json::array sites;
  for (const SiteName& site : enrolled.sites) sites.emplace_back(site.text());
  if (common.json) {
    json::object out = {{"person", options.id},
                        {"card_id", enrolled.card.text()},
                        {"card", is_emulated ? "emulated" : "chip"},
                        {"card_type", card_type_name(type)},
                        {"card_kind", consent::card_kind_name(kind)},
                        {"security", consent::evidence_class(kind)},
                        {"sites", sites}};
    if (type == CardType::kOneTime) out["keys_per_site"] = options.keys;
    print_json(out);
  } else {
    fmt::print("enrolled {} ({}); the {} at {} {}{}\n", options.id, options.name,
               is_emulated ? "emulated card" : "card", terminal.name,
               card::is_signature(kind) ? "" : "holds ", enrolled.text);
  }
  return {};
}

Result<> person_reissue(const Common& common, const EnrolOptions& options) {
  TRY_ASSIGN(secret::Buffer pin, read_pin(options.card));
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card, card::EmulatedKind::kConsentCard));
  TRY_ASSIGN(const CardFacts before, terminal.card->identify());
  if (before.is_active) {
    return fail(Code::kAlreadyExists,
                "the card at " + terminal.name + " already belongs to a person");
  }
  ApiClient client(common);
  TRY_ASSIGN(const EnrolledCard enrolled,
             terminal.card->enrol(client, options, std::move(pin), Issue::kAgain));
  const bool is_emulated = card::is_emulated(enrolled.kind.value_or(before.kind));
  json::array loaded, missing;
  for (const std::string& id : enrolled.objects) {
    const auto put = terminal.card->load_record(client, id);
    if (put) {
      loaded.emplace_back(id);
    } else {
      missing.push_back({{"object", id}, {"why", put.error().message}});
    }
  }
  if (common.json) {
    json::object out = {{"person", options.id},
                        {"card_id", enrolled.card.text()},
                        {"card", is_emulated ? "emulated" : "chip"},
                        {"objects", loaded},
                        {"missing", missing}};
    if (type_of(before.kind) == CardType::kOneTime) out["keys_per_site"] = options.keys;
    print_json(out);
  } else {
    fmt::print("{} has another card, {}; it holds the records of {} objects\n", options.id,
               enrolled.card.text(), loaded.size());
    for (const json::value& one : missing) {
      fmt::print("  not of {}: {}\n", text_of(one, "object"), text_of(one, "why"));
    }
  }
  if (missing.empty()) return {};
  return fail(Code::kUnavailable,
              "some records are not on the card; 'warifu object card-record' loads them later");
}

Result<> person_renew_card(const Common& common, const RenewCardOptions& options) {
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card));
  TRY_ASSIGN(const CardFacts before, terminal.card->identify());
  TRY_ASSIGN(const SiteName at, SiteName::parse(options.at));
  TRY(terminal.card->verify_holder(options.card));
  ApiClient client(common);
  TRY_ASSIGN(const std::uint32_t keys, terminal.card->renew(client, at));
  if (common.json) {
    print_json({{"card_id", before.card.text()}, {"site", options.at}, {"keys", keys}});
  } else {
    std::string what = fmt::format("the card has {} other one-time keys for {}", keys, options.at);
    if (card::is_signature(before.kind)) what = options.at + " keeps the card's certificate again";
    if (card::is_relayed(before.kind)) what = options.at + " has another application on the card";
    fmt::print("{}\n", what);
  }
  return {};
}

Result<> person_list(const Common& common) {
  ApiClient client(common);
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
