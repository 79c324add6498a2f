// Consent in two steps: the grant and its text, then the card's proof.
#include "api/consent_receipt.h"
#include "api/json.h"
#include "control/request_desk.h"
#include "control/restore_quote.h"

namespace warifu::api {
namespace {

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
  const std::string destination =
      text_field_or(body, "destination", services.site.config.name.text());
  TRY_ASSIGN(wish.destination, SiteName::parse(destination));
  TRY_ASSIGN(const std::uint64_t uses, number_field(body, "uses", consent::kMaxUses));
  wish.uses = static_cast<std::uint16_t>(uses);
  TRY_ASSIGN(const std::uint64_t valid, number_field(body, "valid_seconds", 400ULL * 86400));
  wish.valid = std::chrono::seconds(valid);
  const std::string capacity = text_field_or(body, "capacity", "own");
  TRY_ASSIGN(wish.capacity, consent::parse_capacity(capacity));
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
    TRY_ASSIGN(wish, requests.wish_of(*request));
  } else if (body.contains("joins")) {
    TRY_ASSIGN(wish.joins, id_field<GrantId>(body, "joins"));
  } else {
    TRY(read_terms(body, services, wish));
  }
  TRY(read_card(body, wish));
  TRY_ASSIGN(const control::PreparedConsent prepared, control.consent.prepare(wish));
  if (request) TRY(requests.offer(*request, prepared.grant));
  json::array sites;
  for (const SiteName& site : prepared.sites) sites.emplace_back(site.text());
  json::array missing;
  for (const auto& [site, why] : prepared.missing) {
    missing.push_back({{"site", site.text()}, {"why", why}});
  }
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(prepared.grant));
  const auto quote = control::quote_restore(services.site, services.shares, control.catalog,
                                            grant.object, grant.destination);
  return json::value{{"grant", to_hex(prepared.grant)},
                     {"key_bytes", quote ? json::value(*quote) : json::value()},
                     {"text", prepared.text},
                     {"person_name", prepared.labels.person},
                     {"object_label", prepared.labels.object},
                     {"sites", std::move(sites)},
                     {"missing", std::move(missing)}};
}

Result<json::value> accept(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  control::CardProof proof;
  TRY_ASSIGN(const std::string grant, text_field(body, "grant"));
  TRY_ASSIGN(proof.grant, from_hex(grant));
  TRY_ASSIGN(const std::uint64_t kind, number_field(body, "card_kind", 2));
  if (kind == 0) return fail(Code::kInvalidArgument, "field 'card_kind' must be 1 or 2");
  proof.kind = static_cast<card::CardKind>(kind);
  TRY_ASSIGN(proof.hash_key, secret_field(body, "hash_key", mac::kBlockBytes));
  TRY_ASSIGN(const secret::Buffer tag, secret_field(body, "tag", mac::kBlockBytes));
  copy_bytes(proof.tag_over_tags, tag.bytes());
  TRY_ASSIGN(proof.chunk_count, number_field(body, "chunks", UINT64_MAX));
  TRY_ASSIGN(proof.length.value, number_field(body, "bytes", UINT64_MAX));
  const json::value* tags = body.if_contains("tags");
  if (tags == nullptr || !tags->is_array()) {
    return fail(Code::kInvalidArgument, "field 'tags' must be a list");
  }
  for (const json::value& entry : tags->get_array()) {
    if (!entry.is_string()) return fail(Code::kInvalidArgument, "field 'tags' must hold texts");
    TRY_ASSIGN(const Bytes one, from_hex(std::string(entry.get_string())));
    if (one.size() != mac::kBlockBytes) {
      return fail(Code::kInvalidArgument, "a tag must be 32 hexadecimal digits");
    }
    copy_bytes(proof.tags.emplace_back(), one);
  }
  TRY_ASSIGN(const GrantId id, control.consent.accept(proof));
  control.records.wake();  // what came from the card may have to go into safekeeping again
  return json::value{{"grant", id.text()}};
}

Result<json::value> list(http::RequestContext&, ControlServices& control) {
  TRY_ASSIGN(const auto grants, control.catalog.list_grants({}, {.count = 200}));
  json::array out;
  for (const auto& record : grants) {
    json::object entry = {{"grant", record.grant.text()},
                          {"object", record.object.text()},
                          {"person", record.person_id},
                          {"state", catalog::state_name(record.state)},
                          {"created", os::utc_text(record.created)},
                          {"expires", os::utc_text(record.expiry)}};
    if (const auto grant = consent::parse_grant(record.grant_bytes)) {
      entry["purpose"] = consent::purpose_name(grant->purpose);
      entry["grantee"] = grant->grantee.name;
      entry["grantee_kind"] = consent::grantee_kind_name(grant->grantee.kind);
      entry["grantee_id"] = grant->grantee.identifier;
      entry["data_use"] = consent::data_uses_text(grant->data_uses);
      entry["scope"] = consent::scope_text(grant->scope);
      entry["capacity"] = consent::capacity_name(grant->capacity);
      entry["together"] = grant->together;
      entry["destination"] = grant->destination.text();
      entry["uses"] = grant->uses;
      entry["index"] = grant->index.value;
    }
    if (const auto kind = control::card_kind_of(record.evidence)) {
      entry["card_kind"] = consent::card_kind_name(*kind);
      entry["security"] = consent::evidence_class(*kind);
      entry["holder_verification"] = consent::holder_verification(*kind);
    }
    out.push_back(std::move(entry));
  }
  return json::value{{"consents", std::move(out)}};
}

Result<json::value> receipt(http::RequestContext& context, ControlServices& control,
                            Services services) {
  TRY_ASSIGN(const GrantId id, GrantId::parse(context.parameter("grant")));
  ConsentParts parts;
  TRY_ASSIGN(parts.record, control.catalog.grant(id));
  TRY_ASSIGN(parts.grant, consent::parse_grant(parts.record.grant_bytes));
  TRY_ASSIGN(const catalog::Object object, control.catalog.object(parts.record.object));
  TRY_ASSIGN(const catalog::Person person, control.catalog.person(parts.record.person_id));
  parts.issuer = services.site.config.name;
  TRY_ASSIGN(parts.evidence, consent::parse_kept(parts.record.evidence));
  if (parts.evidence.sites.empty()) {
    return fail(Code::kCorrupt, "the evidence of consent " + id.text() + " is missing");
  }
  parts.labels = {person.name, object.label, !card::is_relayed(parts.kind())};
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
  router.add(Method::kPost, "/v1/consents", control_handler(services, accept),
             {.secret_body = true});
  router.add(Method::kGet, "/v1/consents", control_handler(services, list));
  router.add(Method::kGet, "/v1/consents/{grant}/receipt",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return receipt(context, control, services);
                             }));
}

}  // namespace warifu::api
