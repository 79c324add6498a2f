// `warifu consent give|list|receipt|withdraw`: the ceremony at the terminal, and its undoing.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/commands.h"
#include "apps/custody_text.h"
#include "apps/output.h"
#include "base/units.h"
#include "consent/evidence.h"
#include "consent/grant.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

Result<std::string> purpose_of(const std::string& text) {
  if (text == "health") return std::string("health_management");
  TRY(consent::parse_purpose(text));
  return text;
}

Result<> ask_person(const ConsentOptions& options, const std::string& text) {
  if (options.yes) return {};
  fmt::print(stderr, "{}\n\n", text);
  if (::isatty(STDIN_FILENO) == 0) {
    return fail(Code::kInvalidArgument,
                "no terminal to ask the person; use --yes when the text was "
                "shown on another screen");
  }
  fmt::print(stderr, "{} ",
             options.lang == "ja" ? "同意しますか? (はい/yes):" : "Do you consent? (yes):");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes" || answer == "はい") return {};
  return fail(Code::kCancelled, "the person did not consent; nothing was given");
}

// A refusal is told to the site: its log has it beside the consents.
Result<> ask_and_tell(ApiClient& client, const ConsentOptions& options, const std::string& purpose,
                      const std::string& text) {
  const auto asked = ask_person(options, text);
  if (asked || asked.error().code != Code::kCancelled) return asked;
  TRY(client.post(
      "/v1/consents/refusals",
      {{"object", options.object}, {"purpose", purpose}, {"grantee", options.grantee}}));
  return asked;
}

// The site may not put another grantee, use or scope in the grant than this terminal asked for. The
// person reads the text; this is for who gives with --yes.
Result<bool> asks_what_was_wished(const consent::Grant& grant, const ConsentOptions& options,
                                  const std::string& purpose) {
  TRY_ASSIGN(const auto grantee, consent::parse_grantee(options.grantee, options.grantee_id));
  TRY_ASSIGN(const auto data_uses, consent::parse_data_uses(options.data_use, grant.purpose));
  TRY_ASSIGN(const auto scope, consent::parse_scope(options.regions));
  return consent::purpose_name(grant.purpose) == purpose && grant.uses == options.uses &&
         grant.grantee == grantee && grant.data_uses == data_uses && grant.scope == scope;
}

}  // namespace

Result<> consent_give(const Common& common, const ConsentOptions& options) {
  TRY_ASSIGN(const std::string purpose, purpose_of(options.purpose));
  TRY_ASSIGN(const std::uint64_t valid, parse_duration(options.valid));
  TRY_ASSIGN(const ObjectId object, ObjectId::parse(options.object));
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card));
  TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
  if (!facts.is_active) {
    return fail(Code::kRefused, "the card at " + terminal.name + " belongs to nobody yet");
  }
  ApiClient client(common.site);
  json::object wish = {{"object", options.object},   {"purpose", purpose},
                       {"grantee", options.grantee}, {"uses", options.uses},
                       {"valid_seconds", valid},     {"locale", options.lang}};
  wish["grantee_id"] = options.grantee_id;
  wish["data_use"] = texts_json(options.data_use);
  wish["regions"] = texts_json(options.regions);
  TRY(terminal.card->add_to_wish(wish));
  if (!options.destination.empty()) wish["destination"] = options.destination;
  TRY_ASSIGN(const json::value prepared, client.post("/v1/consents/prepare", wish));
  const std::string text = text_of(prepared, "text");
  TRY_ASSIGN(const Bytes grant, from_hex(text_of(prepared, "grant")));
  TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
  // The card proves what the person reads, so this terminal writes the text again from the grant
  // itself: the site may choose the names in it and nothing else.
  const std::string own_text = consent::consent_text(
      parsed, {text_of(prepared, "person_name"), text_of(prepared, "object_label"),
               !card::is_relayed(facts.kind)});
  TRY_ASSIGN(const bool is_as_wished, asks_what_was_wished(parsed, options, purpose));
  if (parsed.object != object || !is_as_wished || own_text != text ||
      consent::text_digest(text) != parsed.text_digest) {
    return fail(Code::kCorrupt,
                "the site's grant is not what its text says; the card was not asked");
  }
  TRY(ask_and_tell(client, options, purpose, text));
  TRY(terminal.card->verify_holder(options.card));
  TRY_ASSIGN(const std::string given, terminal.card->authorise(client, grant, object));
  if (common.json) {
    print_json({{"grant", given},
                {"object", options.object},
                {"card_kind", consent::card_kind_name(facts.kind)},
                {"holder_verification", consent::holder_verification(facts.kind)},
                {"sites", prepared.at("sites")},
                {"missing", prepared.at("missing")},
                {"index", parsed.index.value},
                {"expires", os::utc_text(parsed.expiry)},
                {"text", text}});
  } else {
    fmt::print("consent {} given, valid until {} at {} sites; holder verified by: {}\n", given,
               os::utc_text(parsed.expiry), parsed.sites.size(),
               consent::holder_verification(facts.kind));
  }
  return {};
}

Result<> consent_list(const Common& common) {
  ApiClient client(common.site);
  TRY_ASSIGN(const json::value answer, client.get("/v1/consents"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : answer.at("consents").as_array()) {
    rows.push_back({text_of(entry, "grant"), text_of(entry, "person"), text_of(entry, "purpose"),
                    text_of(entry, "grantee"), text_of(entry, "expires"), text_of(entry, "state")});
  }
  print_table({"CONSENT", "PERSON", "PURPOSE", "FOR", "UNTIL", "STATE"}, rows);
  return {};
}

Result<> consent_withdraw(const Common& common, const std::string& grant) {
  TRY_ASSIGN(const GrantId id, GrantId::parse(grant));
  ApiClient client(common.site);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/consents/" + id.text() + "/withdraw", json::object()));
  if (common.json) {
    print_json(answer);
    return {};
  }
  fmt::print("consent {} is withdrawn; {}\n", id.text(), told_text(answer));
  return {};
}

Result<> consent_receipt(const Common& common, const std::string& grant, bool fhir) {
  TRY_ASSIGN(const GrantId id, GrantId::parse(grant));
  ApiClient client(common.site);
  TRY_ASSIGN(
      const json::value answer,
      client.get("/v1/consents/" + id.text() + "/receipt?format=" + (fhir ? "fhir" : "receipt")));
  print_json(answer);
  return {};
}

}  // namespace warifu::apps
