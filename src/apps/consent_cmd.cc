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
#include "apps/emergency_text.h"
#include "apps/output.h"
#include "apps/region_words.h"
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

constexpr std::uint16_t kIndexUses = 2;  // a quote, and another one
constexpr std::int64_t kIndexSeconds = 3600;
// Before the text that the card proves: whether regions that add up identify the person. It is the
// site's estimate from its own ledger; the card proves nothing of it.
void show_identification(const json::value& prepared, const consent::Grant& grant) {
  const json::value* meter = prepared.as_object().if_contains("identification");
  if (meter == nullptr || grant.scope.regions.empty()) return;
  fmt::print(stderr, "{}\n\n", text_of(*meter, "text"));
}

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
  if (!options.reason.empty()) wish["reason"] = options.reason;
  return wish;
}

// The site may not put another grantee, use or scope in the grant than this terminal asked for. The
// person reads the text; this is for who gives with --yes. Who joins, or answers a
// request, has only the text. Which
// chunks hold the regions is the site's word; how many stands in the text and must be the quote's.
Result<bool> asks_what_was_wished(const consent::Grant& grant, const ConsentOptions& options,
                                  std::uint64_t chunks) {
  if (!options.joins.empty() || !options.request.empty()) return true;
  TRY_ASSIGN(const std::string purpose, purpose_of(options.purpose));
  TRY_ASSIGN(const auto grantee, consent::parse_grantee(options.grantee, options.grantee_id));
  TRY_ASSIGN(const auto data_uses, consent::parse_data_uses(options.data_use, grant.purpose));
  TRY_ASSIGN(auto scope, consent::parse_scope(options.regions));
  const bool fits_chunks = consent::chunk_count(grant.scope.chunks) == chunks;
  scope.chunks = grant.scope.chunks;
  return grant.object.text() == options.object && consent::purpose_name(grant.purpose) == purpose &&
         grant.uses == options.uses && consent::capacity_name(grant.capacity) == options.capacity &&
         grant.grantee == grantee && grant.data_uses == data_uses && grant.scope == scope &&
         fits_chunks && grant.reason == options.reason;
}

// A grant to the index is for reading it now: by whom and for what the regions will be, briefly.
bool asks_for_index(const consent::Grant& grant, const ConsentOptions& options) {
  return grant.object.text() == options.object && grant.scope.is_index() &&
         grant.uses <= kIndexUses && grant.data_uses.empty() &&
         grant.expiry.value - grant.not_before.value <= (kIndexSeconds + 120) * 1000;
}

// An officer's card proves it and knows nothing of the object.
Result<GivenConsent> give_proof(ApiClient& client, CardAuthenticator& card,
                                const consent::Grant& parsed, ByteView grant) {
  if (parsed.capacity != consent::Capacity::kEmergency) {
    return card.authorise(client, grant, parsed.object);
  }
  TRY_ASSIGN(const json::object proof, card.prove(client, grant));
  TRY_ASSIGN(const json::value given, client.post("/v1/consents", proof));
  return GivenConsent{text_of(given, "grant"), std::nullopt};
}

struct Ceremony {
  ApiClient& client;
  CardTerminal& terminal;
  CardFacts facts;
};

struct Given {
  std::string id;
  consent::Grant grant;
  card::CardKind kind = card::CardKind::kOneTimeMacEmulated;
  json::value prepared;
};

// One grant: prepared, checked, shown, proved. `chunks`: of the quote; none for the index.
Result<Given> give_one(Ceremony& ceremony, const ConsentOptions& options, json::object wish,
                       std::optional<std::uint64_t> chunks) {
  TRY(ceremony.terminal.card->add_to_wish(wish));
  Given given;
  TRY_ASSIGN(given.prepared, ceremony.client.post("/v1/consents/prepare", wish));
  print_emergencies(given.prepared);
  TRY_ASSIGN(const Bytes grant, from_hex(text_of(given.prepared, "grant")));
  TRY_ASSIGN(given.grant, consent::parse_grant(grant));
  TRY(check_text(given.prepared, given.grant, ceremony.facts.kind));
  bool is_as_wished = !chunks && asks_for_index(given.grant, options);
  if (chunks) {
    TRY_ASSIGN(is_as_wished, asks_what_was_wished(given.grant, options, *chunks));
  }
  if (consent::act_of(given.grant) != consent::Act::kUse || !is_as_wished) {
    return fail(Code::kCorrupt,
                "the site's grant is not what was asked for; the card was not asked");
  }
  show_identification(given.prepared, given.grant);
  TRY(ask_and_tell(ceremony.client, options, given.grant, text_of(given.prepared, "text")));
  // For each grant again: a card answers once for each PIN.
  TRY(ceremony.terminal.card->verify_holder(options.card));
  TRY_ASSIGN(const GivenConsent proved,
             give_proof(ceremony.client, *ceremony.terminal.card, given.grant, grant));
  given.id = proved.grant;
  given.kind = proved.kind.value_or(ceremony.facts.kind);
  return given;
}

// The consent to the index, and what reading the regions would take by it.
Result<json::value> quote_regions(Ceremony& ceremony, const ConsentOptions& options,
                                  json::object wish) {
  std::string index = options.index;
  if (index.empty()) {
    wish["part"] = "index";
    wish.erase("regions");
    wish.erase("data_use");
    wish["uses"] = kIndexUses;
    wish["valid_seconds"] = kIndexSeconds;
    TRY_ASSIGN(const Given given, give_one(ceremony, options, std::move(wish), std::nullopt));
    if (given.grant.together > 1) {
      return fail(Code::kRefused, "the index is read once " + std::to_string(given.grant.together) +
                                      " guardians have consented: warifu consent join " + given.id +
                                      " --card FILE; then this command again with --index " +
                                      given.id);
    }
    index = given.id;
  }
  TRY_ASSIGN(const GrantId id, GrantId::parse(index));
  TRY_ASSIGN(json::value quote, ceremony.client.post("/v1/consents/" + id.text() + "/quote",
                                                     {{"regions", texts_json(options.regions)}}));
  fmt::print(stderr,
             "reading these regions takes {} of the {} pieces that are stored ({} of the file) "
             "and {} bits of key; all of it would take {}\n\n",
             number_of(quote, "chunks"), number_of(quote, "chunks_of_object"),
             human_bytes(number_of(quote, "bytes")), number_of(quote, "key_bits"),
             number_of(quote, "key_bits_of_whole"));
  return quote;
}

void print_given(const Common& common, const ConsentOptions& options, const Given& given,
                 const json::value& quote) {
  const consent::Grant& grant = given.grant;
  if (common.json) {
    print_json({{"grant", given.id},
                {"object", grant.object.text()},
                {"capacity", consent::capacity_name(grant.capacity)},
                {"together", grant.together},
                {"card_kind", consent::card_kind_name(given.kind)},
                {"security", consent::evidence_class(given.kind)},
                {"holder_verification", consent::holder_verification(given.kind)},
                {"sites", given.prepared.at("sites")},
                {"missing", given.prepared.at("missing")},
                {"emergencies", given.prepared.at("emergencies")},
                {"index", grant.index.value},
                {"expires", os::utc_text(grant.expiry)},
                {"quote", quote},
                {"identification", given.prepared.at("identification")},
                {"text", text_of(given.prepared, "text")}});
    return;
  }
  fmt::print(
      "consent {} given, valid until {} at {} sites; proved by: {}, {}; holder verified by: {}\n",
      given.id, os::utc_text(grant.expiry), grant.sites.size(), consent::card_kind_name(given.kind),
      consent::evidence_class(given.kind), consent::holder_verification(given.kind));
  if (grant.together > 1) {
    fmt::print("it counts together with {} in all: warifu consent join {} --card FILE\n",
               grant.together, options.joins.empty() ? given.id : options.joins);
  }
}

}  // namespace

Result<> consent_give(const Common& common, const ConsentOptions& given_options) {
  ConsentOptions options = given_options;
  TRY_ASSIGN(options.regions, regions_in_words(given_options.regions));
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
  TRY(consent::parse_scope(options.regions));
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card));
  TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
  if (!facts.is_active && !card::is_signature(facts.kind)) {
    return fail(Code::kRefused, "the card at " + terminal.name + " belongs to nobody yet");
  }
  ApiClient client(common);
  Ceremony ceremony{client, terminal, facts};
  json::value quote;
  std::uint64_t chunks = 0;
  if (!options.regions.empty()) {
    TRY_ASSIGN(quote, quote_regions(ceremony, options, wish));
    chunks = number_of(quote, "chunks");
    wish["index_grant"] = text_of(quote, "index_grant");
  }
  TRY_ASSIGN(const Given given, give_one(ceremony, options, std::move(wish), chunks));
  print_given(common, options, given, quote);
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
  print_emergencies(answer);
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : answer.at("consents").as_array()) {
    const bool is_emergency = text_of(entry, "capacity") == "emergency";
    rows.push_back({text_of(entry, "grant"), text_of(entry, "person"),
                    is_emergency ? "EMERGENCY" : text_of(entry, "purpose"),
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
