// Consent in two steps: the grant and its text, then the card's proof.
#include "api/act_json.h"
#include "api/consent_fields.h"
#include "api/consent_parts.h"
#include "api/risk_json.h"
#include "consent/veil.h"
#include "control/request_desk.h"
#include "control/restore_quote.h"

namespace warifu::api {
namespace {

Result<> check_part(const std::string& part) {
  if (part.empty() || part == "index") return {};
  return fail(Code::kInvalidArgument, "field 'part' must be index, or be left out");
}

// Of regions: the consent under which they were found.
Result<> read_index(const json::object& body, control::ConsentWish& wish) {
  if (!body.contains("index_grant")) return {};
  TRY_ASSIGN(wish.index, id_field<GrantId>(body, "index_grant"));
  return {};
}

// What is to be allowed.
Result<> read_terms(const json::object& body, Services services, control::ConsentWish& wish) {
  TRY_ASSIGN(wish.object, id_field<ObjectId>(body, "object"));
  TRY_ASSIGN(const std::string purpose, text_field(body, "purpose"));
  TRY_ASSIGN(wish.purpose, consent::parse_purpose(purpose));
  TRY_ASSIGN(const std::string grantee, text_field(body, "grantee"));
  TRY_ASSIGN(wish.grantee, consent::parse_grantee(grantee, text_field_or(body, "grantee_id", "")));
  TRY_ASSIGN(const auto uses_of_data, texts_field(body, "data_use"));
  TRY_ASSIGN(wish.data_uses, consent::parse_data_uses(uses_of_data, wish.purpose));
  TRY_ASSIGN(const auto regions, texts_field(body, "regions"));
  TRY_ASSIGN(wish.scope, consent::parse_scope(regions));
  const std::string part = text_field_or(body, "part", "");
  TRY(check_part(part));
  wish.is_index = part == "index";
  TRY_ASSIGN(wish.decoys, decoys_field(body));
  if (!wish.is_index) TRY(control::check_decoys(wish.decoys, wish.scope));
  TRY(read_index(body, wish));
  const std::string destination =
      text_field_or(body, "destination", services.site.config.name.text());
  TRY_ASSIGN(wish.destination, SiteName::parse(destination));
  TRY_ASSIGN(wish.uses, uses_field(body));
  TRY_ASSIGN(wish.valid, valid_field(body));
  const std::string capacity = text_field_or(body, "capacity", "own");
  TRY_ASSIGN(wish.capacity, consent::parse_capacity(capacity));
  wish.reason = text_field_or(body, "reason", "");
  return {};
}

// By which card, where, in which language.
Result<> read_card(const json::object& body, control::ConsentWish& wish) {
  const std::string locale = text_field_or(body, "locale", "en");
  if (locale != "en" && locale != "ja") {
    return fail(Code::kInvalidArgument, "language '" + locale + "' must be en or ja");
  }
  wish.locale = locale == "ja" ? consent::Locale::kJapanese : consent::Locale::kEnglish;
  TRY_ASSIGN(wish.card, id_field<CardId>(body, "card"));
  if (body.contains("next_index")) {
    TRY_ASSIGN(const std::uint64_t index, number_field(body, "next_index", UINT32_MAX));
    wish.next_index = card::KeyIndex{static_cast<std::uint32_t>(index)};
  }
  if (const json::value* is_signature = body.if_contains("signature_card")) {
    wish.is_signature = is_signature->is_bool() && is_signature->get_bool();
  }
  wish.terminal = text_field_or(body, "terminal", "cli");
  return {};
}

Result<json::value> prepare(http::RequestContext& context, ControlServices& control,
                            Services services) {
  TRY_ASSIGN(const json::object body, body_object(context));
  control::ConsentWish wish;
  control::RequestDesk requests(services.site, control.catalog);
  std::optional<catalog::RequestId> request;
  if (body.contains("request")) {
    TRY_ASSIGN(request, id_field<catalog::RequestId>(body, "request"));
    const std::string part = text_field_or(body, "part", "");
    TRY(check_part(part));
    TRY_ASSIGN(wish, part.empty() ? requests.wish_of(*request) : requests.index_wish_of(*request));
    TRY(read_index(body, wish));
  } else if (body.contains("joins")) {
    TRY_ASSIGN(wish.joins, id_field<GrantId>(body, "joins"));
  } else {
    TRY(read_terms(body, services, wish));
  }
  TRY(read_card(body, wish));
  TRY_ASSIGN(const control::PreparedConsent prepared, control.consent.prepare(wish));
  // A consent to the index is no answer to the request.
  if (request && !wish.is_index) TRY(requests.offer(*request, prepared.grant));
  TRY_ASSIGN(const consent::Grant grant, consent::parse_opened(prepared.grant, prepared.opening));
  TRY_ASSIGN(const json::object identification, identification_json(control.catalog, grant));
  json::array sites;
  for (const SiteName& site : prepared.sites) sites.emplace_back(site.text());
  json::array spare;
  for (const SiteName& site : prepared.spare) spare.emplace_back(site.text());
  json::array voids;
  for (const control::VoidedConsent& one : prepared.voids) {
    voids.push_back({{"grant", one.id.text()},
                     {"object", one.grant.object.text()},
                     {"grantee", one.grant.grantee.name},
                     {"expires", os::utc_text(one.grant.expiry)}});
  }
  json::array missing;
  for (const auto& [site, why] : prepared.missing) {
    missing.push_back({{"site", site.text()}, {"why", why}});
  }
  const auto quote = control::quote_restore(services.site, services.shares, control.catalog,
                                            grant.object, grant.destination);
  return json::value{
      {"grant", to_hex(prepared.grant)},
      {"opening", to_hex(prepared.opening)},
      {"key_bytes", quote ? json::value(*quote) : json::value()},
      {"text", prepared.text},
      {"person_name", prepared.labels.person},
      {"object_label", prepared.labels.object},
      {"sites", std::move(sites)},
      {"spare", std::move(spare)},
      {"missing", std::move(missing)},
      {"voids", std::move(voids)},
      {"emergencies", emergencies_json(control.emergencies.seen(prepared, wish.card))},
      {"identification", identification}};
}

// Reads the index under the person's consent to it; may take as long as a restore of a few chunks.
Result<json::value> quote(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const GrantId index, GrantId::parse(context.parameter("grant")));
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const auto regions, texts_field(body, "regions"));
  TRY_ASSIGN(const consent::Scope wanted, consent::parse_scope(regions));
  TRY_ASSIGN(const std::uint32_t decoys, decoys_field(body));
  TRY_ASSIGN(const control::RegionQuote quote, control.regions.quote(index, wanted, decoys));
  const consent::Scope scope = quote.scope();
  json::array texts;
  for (const std::string& one : consent::region_texts(scope)) texts.emplace_back(one);
  TRY_ASSIGN(const catalog::Object object, control.catalog.object(quote.object));
  const std::uint64_t chunks = consent::chunk_count(scope.chunks);
  return json::value{{"index_grant", index.text()},
                     {"object", quote.object.text()},
                     {"regions", std::move(texts)},
                     {"decoys", quote.decoys},
                     {"chunks", chunks},
                     {"chunk_ranges", consent::chunks_text(scope.chunks)},
                     {"chunks_of_object", object.chunk_count},
                     {"bytes", quote.bytes},
                     {"key_bits", 8 * quote.key_bytes},
                     {"key_bits_of_whole", 8 * quote.key_bytes_of_whole}};
}

// What the card has of the object, if it keeps it.
Result<> read_record(const json::object& body, control::CardProof& proof) {
  if (!body.contains("hash_key")) return {};
  TRY_ASSIGN(proof.hash_key, secret_field(body, "hash_key", mac::kBlockBytes));
  TRY_ASSIGN(const secret::Buffer tag, secret_field(body, "tag", mac::kBlockBytes));
  copy_bytes(proof.tag_over_tags, tag.bytes());
  TRY_ASSIGN(proof.chunk_count, number_field(body, "chunks", UINT64_MAX));
  TRY_ASSIGN(proof.length.value, number_field(body, "bytes", UINT64_MAX));
  return {};
}

Result<json::value> accept(http::RequestContext& context, ControlServices& control,
                           const SiteName& site) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const Bytes bytes, hex_field(body, "grant", card::kMaxGrantBytes));
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(bytes));
  if (body.contains("signature")) {
    TRY_ASSIGN(const Bytes signature, hex_field(body, "signature", crypto::kMaxSignatureBytes));
    TRY_ASSIGN(const auto given, control.intake.accept_signed(bytes, signature));
    return json::value{{"grant", given.grant.text()},
                       {"judged", control::is_judged_at(site, grant)}};
  }
  TRY_ASSIGN(const ActProof tags, act_proof(body));
  if (card::is_signature(tags.kind)) {
    return fail(Code::kInvalidArgument, "a signature card's consent needs field 'signature'");
  }
  control::CardProof proof{.grant = bytes, .kind = tags.kind, .tags = tags.tags};
  TRY(read_record(body, proof));
  const bool may_lack_record = card::is_proved_first(tags.kind)
                                   ? grant.capacity != consent::Capacity::kOwn
                                   : grant.together > 1;
  if (proof.hash_key.empty() && !may_lack_record) {
    return fail(Code::kInvalidArgument,
                card::is_proved_first(tags.kind)
                    ? "field 'card_kind' must be 1 or 2 in a consent to the own data"
                    : "field 'hash_key' is missing");
  }
  TRY_ASSIGN(const GrantId id, control.intake.accept(std::move(proof)));
  return json::value{{"grant", id.text()}, {"judged", control::is_judged_at(site, grant)}};
}

Result<json::value> list(http::RequestContext& context, ControlServices& control,
                         const SiteName& site) {
  catalog::GrantFilter filter;
  if (const auto person = context.request().query.find("person")) filter.person_id = *person;
  if (const auto object = context.request().query.find("object")) {
    TRY_ASSIGN(filter.object, ObjectId::parse(*object));
  }
  catalog::Page page;
  TRY_ASSIGN(page.skip, query_number(context, "skip", 0));
  TRY_ASSIGN(page.count, query_number(context, "count", 200));
  TRY_ASSIGN(const auto grants, control.catalog.list_grants(filter, page));
  json::array out;
  for (const auto& record : grants) {
    json::object entry = {{"grant", record.grant.text()},
                          {"object", record.object.text()},
                          {"person", record.person_id},
                          {"state", catalog::state_name(record.state)},
                          {"created", os::utc_text(record.created)},
                          {"expires", os::utc_text(record.expiry)}};
    if (const auto grant = consent::parse_opened(record.grant_bytes, record.opening)) {
      entry["purpose"] = consent::purpose_name(grant->purpose);
      entry["grantee"] = grant->grantee.name;
      entry["grantee_kind"] = consent::grantee_kind_name(grant->grantee.kind);
      entry["grantee_id"] = grant->grantee.identifier;
      entry["data_use"] = consent::data_uses_text(grant->data_uses);
      entry["scope"] = consent::scope_text(grant->scope);
      entry["hidden"] = grant->scope.veil.has_value();
      entry["capacity"] = consent::capacity_name(grant->capacity);
      entry["together"] = grant->together;
      if (!grant->reason.empty()) entry["reason"] = grant->reason;
      entry["destination"] = grant->destination.text();
      entry["uses"] = grant->uses;
      entry["index"] = grant->index.value;
      entry["judged"] = control::is_judged_at(site, *grant);
    }
    if (const auto kind = control::card_kind_of(record.evidence)) {
      entry["card_kind"] = consent::card_kind_name(*kind);
      entry["security"] = consent::evidence_class(*kind);
      entry["holder_verification"] = consent::holder_verification(*kind);
    }
    out.push_back(std::move(entry));
  }
  return json::value{{"consents", std::move(out)},
                     {"emergencies", emergencies_json(control.emergencies.recent())}};
}

Result<json::value> receipt(http::RequestContext& context, ControlServices& control,
                            Services services) {
  TRY_ASSIGN(const GrantId id, GrantId::parse(context.parameter("grant")));
  TRY_ASSIGN(const ConsentParts parts, consent_parts(services, control, id));
  const auto format = context.request().query.find("format");
  if (!format || *format == "receipt") return consent_receipt(parts);
  if (*format == "fhir") return fhir_consent(parts);
  if (*format == "provenance") return fhir_provenance(parts);
  return fail(Code::kInvalidArgument,
              "format '" + std::string(*format) + "' must be receipt, fhir or provenance");
}

}  // namespace

void add_consent_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/consents/prepare",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return prepare(context, control, services);
                             }));
  router.add(Method::kPost, "/v1/consents",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return accept(context, control, services.site.config.name);
                             }),
             {.secret_body = true});
  router.add(Method::kGet, "/v1/consents",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return list(context, control, services.site.config.name);
                             }));
  router.add(Method::kPost, "/v1/consents/{grant}/quote", control_handler(services, quote));
  router.add(Method::kGet, "/v1/consents/{grant}/receipt",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return receipt(context, control, services);
                             }));
}

}  // namespace warifu::api
