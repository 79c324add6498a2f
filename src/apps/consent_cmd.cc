// `warifu consent give|list|receipt|withdraw`: the ceremony at the terminal, and its undoing.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include <boost/json.hpp>

#include "api/fhir_request.h"
#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/consent_ceremony.h"
#include "apps/consent_commands.h"
#include "apps/consent_terminal.h"
#include "apps/custody_text.h"
#include "apps/emergency_text.h"
#include "apps/output.h"
#include "apps/region_words.h"
#include "base/units.h"
#include "catalog/records.h"
#include "consent/evidence.h"
#include "consent/veil.h"
#include "control/consent_desk.h"

namespace warifu::apps {
namespace json = boost::json;

Result<std::string> purpose_of(const std::string& text) {
  if (text == "health") return std::string("health_management");
  if (consent::parse_purpose(text)) return text;
  return fail(Code::kInvalidArgument,
              "purpose '" + text.substr(0, 40) + "' must be health, research or medicine");
}

Result<> warn_of_destination(ApiClient& client, const std::string& destination) {
  if (destination.empty()) return {};
  TRY_ASSIGN(const json::value status, client.get("/v1/status"));
  const std::string here = text_of(status, "site");
  if (here == destination) return {};
  fmt::print(stderr,
             "warifu: warning: restores are at {} only in this version: nobody can use a consent "
             "for {}\n",
             here, destination);
  return {};
}

Result<> check_text(const json::value& prepared, const consent::Grant& grant, card::CardKind kind) {
  const std::string text = text_of(prepared, "text");
  const std::string own_text =
      consent::consent_text(grant, {text_of(prepared, "person_name"),
                                    text_of(prepared, "object_label"), !card::is_relayed(kind)});
  // An act has no regions, and its answer no opening.
  const json::value* field = prepared.as_object().if_contains("opening");
  TRY_ASSIGN(const Bytes opening, from_hex(field == nullptr ? "" : text_of(prepared, "opening")));
  const bool fits = opening.empty() || opening.size() >= consent::kSaltBytes;
  if (fits && own_text == text && consent::text_digest(text, opening) == grant.text_digest) {
    return {};
  }
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
                       {"decoys", options.decoys},
                       {"capacity", options.capacity},
                       {"uses", options.uses},
                       {"valid_seconds", valid},
                       {"locale", options.lang}};
  if (!options.destination.empty()) wish["destination"] = options.destination;
  if (!options.reason.empty()) wish["reason"] = options.reason;
  return wish;
}

// What the site's grant must be. The person reads the text; this is for who gives with --yes. Who
// joins another's consent has only the text.
Result<std::optional<ConsentTerms>> terms_of(const ConsentOptions& options,
                                             const std::optional<json::value>& request) {
  if (request) return terms_of_request(*request);
  if (!options.joins.empty()) return std::nullopt;
  ConsentTerms terms{
      .object = options.object, .uses = options.uses, .reason = options.reason, .destination = {}};
  TRY_ASSIGN(const std::string purpose, purpose_of(options.purpose));
  TRY_ASSIGN(terms.purpose, consent::parse_purpose(purpose));
  TRY_ASSIGN(terms.grantee, consent::parse_grantee(options.grantee, options.grantee_id));
  TRY_ASSIGN(terms.data_uses, consent::parse_data_uses(options.data_use, terms.purpose));
  TRY_ASSIGN(terms.scope, consent::parse_scope(options.regions));
  terms.decoys = options.decoys;
  TRY_ASSIGN(terms.capacity, consent::parse_capacity(options.capacity));
  if (!options.destination.empty()) terms.destination = options.destination;
  return terms;
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
  std::optional<ConsentTerms> terms;
};

struct Given {
  std::string id;
  consent::Grant grant;
  card::CardKind kind = card::CardKind::kOneTimeMacEmulated;
  json::value prepared;
};

// One grant: written, judged, shown, proved. `chunks`: of the quote; none for the index.
// Before the person decides: what they would lose by it, unless it is used first.
void print_voids(const json::value& prepared) {
  for (const json::value& one : prepared.at("voids").as_array()) {
    fmt::print(stderr,
               "note: consent {} for {}, until {}, was never used. It counts no more once this one "
               "is used before it\n",
               text_of(one, "grant"), text_of(one, "grantee"), text_of(one, "expires"));
  }
}

Result<Given> give_one(Ceremony& ceremony, const ConsentOptions& options, json::object wish,
                       std::optional<std::uint64_t> chunks) {
  CardAuthenticator& card = *ceremony.terminal.card;
  TRY_ASSIGN(WrittenGrant written,
             write_grant(ceremony.client, card, ceremony.facts.kind, std::move(wish)));
  print_emergencies(written.prepared);
  const auto& terms = ceremony.terms;
  const bool is_right = !terms || (chunks ? is_as_wished(written.grant, *terms, *chunks)
                                          : is_to_index(written.grant, *terms));
  if (!is_right) {
    return fail(Code::kCorrupt,
                "the site's grant is not what was asked for; the card was not asked");
  }
  if (chunks) TRY(warn_of_destination(ceremony.client, options.destination));
  if (!options.yes) print_voids(written.prepared);
  show_identification(written.prepared, written.grant);
  TRY(ask_and_tell(ceremony.client, options, written.grant, written.text));
  // For each grant again: a card answers once for each PIN.
  TRY(card.verify_holder(options.card));
  TRY_ASSIGN(const GivenConsent proved,
             give_proof(ceremony.client, card, written.grant, written.bytes));
  return Given{.id = proved.grant,
               .grant = std::move(written.grant),
               .kind = proved.kind.value_or(ceremony.facts.kind),
               .prepared = std::move(written.prepared)};
}

// The consent to the index: the one that is there, or another.
Result<GrantId> give_index(Ceremony& ceremony, const ConsentOptions& options, json::object wish) {
  if (!options.index.empty()) return GrantId::parse(options.index);
  wish["part"] = "index";
  if (options.request.empty()) {
    wish.erase("regions");
    wish.erase("data_use");
    wish["uses"] = control::kIndexUses;
    wish["valid_seconds"] = control::kIndexLife.count();
  }
  TRY_ASSIGN(const Given given, give_one(ceremony, options, std::move(wish), std::nullopt));
  if (given.grant.together > 1) {
    return fail(Code::kRefused, "the index is read once " + std::to_string(given.grant.together) +
                                    " guardians have consented: warifu consent join " + given.id +
                                    " --card FILE; then this command again with --index " +
                                    given.id);
  }
  return GrantId::parse(given.id);
}

// Pieces are read for them, bytes of the file are not.
std::string decoys_words(std::uint64_t decoys) {
  if (decoys == 0) return {};
  return "with " + std::to_string(decoys) + (decoys == 1 ? " decoy" : " decoys") +
         " for each region, ";
}

// What reading the regions would take, under a consent to the index.
Result<json::value> quote_for(Ceremony& ceremony, const ConsentOptions& options,
                              const json::object& wish) {
  TRY_ASSIGN(const GrantId index, give_index(ceremony, options, wish));
  TRY_ASSIGN(json::value quote, quote_regions(ceremony.client, index, *ceremony.terms));
  fmt::print(stderr,
             "reading these regions takes {} of the {} pieces that are stored ({} of the file) "
             "{}and {} bits of key; all of it would take {}\n\n",
             number_of(quote, "chunks"), number_of(quote, "chunks_of_object"),
             human_bytes(number_of(quote, "bytes")), decoys_words(number_of(quote, "decoys")),
             number_of(quote, "key_bits"), number_of(quote, "key_bits_of_whole"));
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
                {"spare", given.prepared.at("spare")},
                {"missing", given.prepared.at("missing")},
                {"voids", given.prepared.at("voids")},
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
  ApiClient client(common);
  json::object wish = {{"locale", options.lang}};
  std::optional<json::value> request;
  if (!options.request.empty()) {
    TRY_ASSIGN(const auto id, catalog::RequestId::parse(options.request));
    wish["request"] = id.text();
    TRY_ASSIGN(request, client.get("/v1/requests/" + id.text()));
  } else if (options.joins.empty()) {
    TRY_ASSIGN(wish, wish_of(options));
  } else {
    TRY_ASSIGN(const GrantId joined, GrantId::parse(options.joins));
    wish["joins"] = joined.text();
  }
  TRY_ASSIGN(auto terms, terms_of(options, request));
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card));
  TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
  if (!facts.is_active && !card::is_signature(facts.kind)) {
    return fail(Code::kRefused, "the card at " + terminal.name + " belongs to nobody yet");
  }
  Ceremony ceremony{client, terminal, facts, std::move(terms)};
  json::value quote;
  std::uint64_t chunks = 0;
  if (ceremony.terms && !ceremony.terms->scope.regions.empty()) {
    TRY_ASSIGN(quote, quote_for(ceremony, options, wish));
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

Result<> consent_list(const Common& common, const ConsentListOptions& options) {
  std::string path = fmt::format("/v1/consents?skip={}&count={}", options.skip, options.limit);
  if (!options.person.empty()) path += "&person=" + url_text(options.person);
  if (!options.object.empty()) path += "&object=" + url_text(options.object);
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get(path));
  print_emergencies(answer);
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : answer.at("consents").as_array()) {
    const bool is_emergency = text_of(entry, "capacity") == "emergency";
    const json::value* judged = entry.as_object().if_contains("judged");
    const bool is_open = text_of(entry, "state") == "given" && judged && !judged->as_bool();
    rows.push_back({text_of(entry, "grant"), text_of(entry, "person"),
                    is_emergency ? "EMERGENCY" : text_of(entry, "purpose"),
                    text_of(entry, "grantee"), text_of(entry, "expires"),
                    text_of(entry, "state") + (is_open ? " (proof not judged yet)" : "")});
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
