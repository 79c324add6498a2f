// `warifu consent give|list|receipt|withdraw`: the ceremony at the terminal, and its undoing.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include <boost/json.hpp>

#include "api/fhir_request.h"
#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/commands.h"
#include "apps/consent_terminal.h"
#include "apps/custody_text.h"
#include "apps/output.h"
#include "base/units.h"
#include "catalog/records.h"
#include "consent/evidence.h"
#include "consent/grant.h"

namespace warifu::apps {
namespace json = boost::json;

Result<std::string> purpose_of(const std::string& text) {
  if (text == "health") return std::string("health_management");
  TRY(consent::parse_purpose(text));
  return text;
}

Result<> check_text(const json::value& prepared, const consent::Grant& grant, card::CardKind kind) {
  const std::string text = text_of(prepared, "text");
  const std::string own_text =
      consent::consent_text(grant, {text_of(prepared, "person_name"),
                                    text_of(prepared, "object_label"), !card::is_relayed(kind)});
  if (own_text == text && consent::text_digest(text) == grant.text_digest) return {};
  return fail(Code::kCorrupt, "the site's grant is not what its text says; the card was not asked");
}

Result<> ask_person(const std::string& text, const std::string& lang, bool is_read) {
  if (is_read) return {};
  fmt::print(stderr, "{}\n\n", text);
  if (::isatty(STDIN_FILENO) == 0) {
    return fail(Code::kInvalidArgument,
                "no terminal to ask the person; use --yes when the text was "
                "shown on another screen");
  }
  fmt::print(stderr, "{} ", lang == "ja" ? "同意しますか? (はい/yes):" : "Do you consent? (yes):");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes" || answer == "はい") return {};
  return fail(Code::kCancelled, "the person did not consent; nothing was given");
}

namespace {

// A refusal is told to the site: its log has it beside the consents.
Result<> ask_and_tell(ApiClient& client, const ConsentOptions& options, const consent::Grant& grant,
                      const std::string& text) {
  const auto asked = ask_person(text, options.lang, options.yes);
  if (asked || asked.error().code != Code::kCancelled) return asked;
  if (!options.request.empty()) {
    TRY(client.post("/v1/requests/" + options.request + "/refuse", json::object()));
    return asked;
  }
  TRY(client.post("/v1/consents/refusals", {{"object", grant.object.text()},
                                            {"purpose", consent::purpose_name(grant.purpose)},
                                            {"grantee", grant.grantee.name}}));
  return asked;
}

Result<json::object> wish_of(const ConsentOptions& options) {
  TRY_ASSIGN(const std::string purpose, purpose_of(options.purpose));
  TRY_ASSIGN(const std::uint64_t valid, parse_duration(options.valid));
  TRY_ASSIGN(const ObjectId object, ObjectId::parse(options.object));
  TRY(consent::parse_capacity(options.capacity));
  json::object wish = {{"object", object.text()},
                       {"purpose", purpose},
                       {"grantee", options.grantee},
                       {"grantee_id", options.grantee_id},
                       {"data_use", texts_json(options.data_use)},
                       {"regions", texts_json(options.regions)},
                       {"capacity", options.capacity},
                       {"uses", options.uses},
                       {"valid_seconds", valid},
                       {"locale", options.lang}};
  if (!options.destination.empty()) wish["destination"] = options.destination;
  return wish;
}

// The site may not put another grantee, use or scope in the grant than this terminal asked for. The
// person reads the text; this is for who gives with --yes. Who joins, or answers a request,
// has only the text.
Result<bool> asks_what_was_wished(const consent::Grant& grant, const ConsentOptions& options) {
  if (!options.joins.empty() || !options.request.empty()) return true;
  TRY_ASSIGN(const std::string purpose, purpose_of(options.purpose));
  TRY_ASSIGN(const auto grantee, consent::parse_grantee(options.grantee, options.grantee_id));
  TRY_ASSIGN(const auto data_uses, consent::parse_data_uses(options.data_use, grant.purpose));
  TRY_ASSIGN(const auto scope, consent::parse_scope(options.regions));
  return grant.object.text() == options.object && consent::purpose_name(grant.purpose) == purpose &&
         grant.uses == options.uses && consent::capacity_name(grant.capacity) == options.capacity &&
         grant.grantee == grantee && grant.data_uses == data_uses && grant.scope == scope;
}

}  // namespace

Result<> consent_give(const Common& common, const ConsentOptions& options) {
  json::object wish = {{"locale", options.lang}};
  if (!options.request.empty()) {
    TRY_ASSIGN(const auto request, catalog::RequestId::parse(options.request));
    wish["request"] = request.text();
  } else if (options.joins.empty()) {
    TRY_ASSIGN(wish, wish_of(options));
  } else {
    TRY_ASSIGN(const GrantId joined, GrantId::parse(options.joins));
    wish["joins"] = joined.text();
  }
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card));
  TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
  if (!facts.is_active && !card::is_signature(facts.kind)) {
    return fail(Code::kRefused, "the card at " + terminal.name + " belongs to nobody yet");
  }
  ApiClient client(common);
  TRY(terminal.card->add_to_wish(wish));
  TRY_ASSIGN(const json::value prepared, client.post("/v1/consents/prepare", wish));
  const std::string text = text_of(prepared, "text");
  TRY_ASSIGN(const Bytes grant, from_hex(text_of(prepared, "grant")));
  TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
  TRY(check_text(prepared, parsed, facts.kind));
  TRY_ASSIGN(const bool is_as_wished, asks_what_was_wished(parsed, options));
  if (parsed.appointment || !is_as_wished) {
    return fail(Code::kCorrupt,
                "the site's grant is not what was asked for; the card was not asked");
  }
  const ObjectId object = parsed.object;
  TRY(ask_and_tell(client, options, parsed, text));
  TRY(terminal.card->verify_holder(options.card));
  TRY_ASSIGN(const GivenConsent given, terminal.card->authorise(client, grant, object));
  const card::CardKind kind = given.kind.value_or(facts.kind);
  if (common.json) {
    print_json({{"grant", given.grant},
                {"object", object.text()},
                {"capacity", consent::capacity_name(parsed.capacity)},
                {"together", parsed.together},
                {"card_kind", consent::card_kind_name(kind)},
                {"security", consent::evidence_class(kind)},
                {"holder_verification", consent::holder_verification(kind)},
                {"sites", prepared.at("sites")},
                {"missing", prepared.at("missing")},
                {"index", parsed.index.value},
                {"expires", os::utc_text(parsed.expiry)},
                {"text", text}});
  } else {
    fmt::print(
        "consent {} given, valid until {} at {} sites; proved by: {}, {}; holder verified by: {}\n",
        given.grant, os::utc_text(parsed.expiry), parsed.sites.size(),
        consent::card_kind_name(kind), consent::evidence_class(kind),
        consent::holder_verification(kind));
    if (parsed.together > 1) {
      fmt::print("it counts together with {} in all: warifu consent join {} --card FILE\n",
                 parsed.together, options.joins.empty() ? given.grant : options.joins);
    }
  }
  return {};
}

Result<> consent_import(const Common& common, const std::string& file, ConsentOptions options) {
  constexpr std::size_t kMostBytes = 1 << 20;
  TRY_ASSIGN(const Bytes bytes, os::read_file(os::real_files(), file, kMostBytes));
  json::error_code bad;
  const json::value document = json::parse(as_text(bytes), bad);
  if (bad) return fail(Code::kInvalidArgument, "'" + file + "' is no JSON: " + bad.message());
  TRY_ASSIGN(const api::FhirRequest request,
             api::request_of_fhir(document, os::real_clock().now()));
  if (!request.object.empty()) {
    if (!options.object.empty() && options.object != request.object) {
      return fail(Code::kInvalidArgument, "'" + file + "' is about object " + request.object);
    }
    options.object = request.object;
  }
  if (options.object.empty()) {
    return fail(Code::kInvalidArgument,
                "'" + file + "' names no object of this system; name it with --object");
  }
  options.purpose = request.purpose;
  options.grantee = request.grantee;
  options.grantee_id = request.grantee_id;
  options.destination = request.destination;
  options.data_use = request.data_use;
  options.regions = request.regions;
  if (request.valid_seconds > 0) options.valid = std::to_string(request.valid_seconds) + "s";
  return consent_give(common, options);
}

Result<> consent_list(const Common& common) {
  ApiClient client(common);
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
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/consents/" + id.text() + "/withdraw", json::object()));
  if (common.json) {
    print_json(answer);
    return {};
  }
  fmt::print("consent {} is withdrawn; {}\n", id.text(), told_text(answer));
  return {};
}

Result<> consent_receipt(const Common& common, const std::string& grant,
                         const std::string& format) {
  TRY_ASSIGN(const GrantId id, GrantId::parse(grant));
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.get("/v1/consents/" + id.text() + "/receipt?format=" + format));
  print_json(answer);
  return {};
}

}  // namespace warifu::apps
