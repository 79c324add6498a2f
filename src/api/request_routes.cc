// Requests for consents: asked for by clinicians, shown to the person at a kiosk, decided there.
#include "api/act_json.h"
#include "api/consent_fields.h"
#include "consent/veil.h"
#include "control/request_desk.h"
#include "risk/genes.h"

namespace warifu::api {
namespace {

using catalog::RequestId;

Result<json::object> request_json(Services services, ControlServices& control,
                                  const catalog::Request& request) {
  const os::UnixMs now = services.site.system.clock.now();
  json::error_code bad;
  json::value terms = json::parse(request.terms, bad);
  if (bad || !terms.is_object()) {
    return fail(Code::kCorrupt, "the terms of request " + request.request.text() + " are damaged");
  }
  TRY_ASSIGN(const catalog::Object object, control.catalog.object(request.object));
  json::object out = std::move(terms.as_object());
  out["request"] = request.request.text();
  out["object"] = request.object.text();
  out["object_label"] = object.label;
  out["object_bytes"] = object.length;
  out["person"] = request.person_id;
  out["state"] = catalog::state_name(catalog::state_at(request, now));
  out["asked_by"] = request.asked_by;
  out["note"] = request.note;
  out["why"] = request.why;
  out["created"] = os::utc_text(request.created);
  out["expires"] = os::utc_text(request.expires);
  out["decided"] = request.decided_at ? os::utc_text(*request.decided_at) : "";
  if (request.grant) {
    TRY_ASSIGN(const catalog::Grant grant, control.catalog.grant(*request.grant));
    out["grant"] = request.grant->text();
    out["consent_state"] = catalog::state_name(grant.state);
    out["consent_expires"] = os::utc_text(grant.expiry);
    out["decided"] = os::utc_text(grant.created);
    const auto parsed = consent::parse_grant(grant.grant_bytes);
    out["judged"] = parsed && control::is_judged_at(services.site.config.name, *parsed);
  }
  return out;
}

Result<json::value> ask_for_consent(http::RequestContext& context, ControlServices& control,
                                    Services services) {
  TRY_ASSIGN(const json::object body, body_object(context));
  control::RequestTerms terms;
  terms.object = text_field_or(body, "object", "");
  terms.person = text_field_or(body, "person", "");
  TRY_ASSIGN(terms.purpose, text_field(body, "purpose"));
  TRY_ASSIGN(terms.grantee, text_field(body, "grantee"));
  terms.grantee_id = text_field_or(body, "grantee_id", "");
  terms.destination = text_field_or(body, "destination", "");
  terms.note = text_field_or(body, "note", "");
  TRY_ASSIGN(terms.data_use, texts_field(body, "data_use"));
  TRY_ASSIGN(const auto regions, texts_field(body, "regions"));
  TRY_ASSIGN(terms.regions, risk::with_genes_resolved(regions));
  TRY_ASSIGN(terms.decoys, decoys_field(body));
  TRY_ASSIGN(terms.uses, uses_field(body));
  TRY_ASSIGN(terms.valid, valid_field(body));
  if (body.contains("open_seconds")) {
    TRY_ASSIGN(const std::uint64_t open, number_field(body, "open_seconds", 90ULL * 86'400));
    terms.open = std::chrono::seconds(open);
  }
  control::RequestDesk desk(services.site, control.catalog);
  TRY_ASSIGN(const catalog::Request request, desk.ask(terms));
  TRY_ASSIGN(json::object out, request_json(services, control, request));
  return json::value(std::move(out));
}

Result<json::array> requests_json(Services services, ControlServices& control,
                                  const catalog::RequestFilter& filter, std::uint64_t most) {
  TRY_ASSIGN(const auto requests, control.catalog.list_requests(filter, {.count = most}));
  json::array list;
  for (const catalog::Request& request : requests) {
    TRY_ASSIGN(json::object one, request_json(services, control, request));
    list.push_back(std::move(one));
  }
  return list;
}

Result<json::value> list_requests(http::RequestContext& context, ControlServices& control,
                                  Services services) {
  catalog::RequestFilter filter;
  if (const auto person = context.request().query.find("person")) filter.person_id = *person;
  if (const auto object = context.request().query.find("object")) {
    TRY_ASSIGN(filter.object, ObjectId::parse(std::string(*object)));
  }
  TRY_ASSIGN(const std::uint64_t most, query_number(context, "limit", 200));
  TRY_ASSIGN(json::array requests, requests_json(services, control, filter, most));
  return json::value{{"requests", std::move(requests)}};
}

Result<json::value> show_request(http::RequestContext& context, ControlServices& control,
                                 Services services) {
  TRY_ASSIGN(const RequestId id, RequestId::parse(context.parameter("request")));
  TRY_ASSIGN(const catalog::Request request, control.catalog.request(id));
  TRY_ASSIGN(json::object out, request_json(services, control, request));
  control::RequestDesk desk(services.site, control.catalog);
  TRY_ASSIGN(const auto index, desk.index_consent_of(request));
  if (index) out["index_grant"] = index->text();
  return json::value(std::move(out));
}

Result<json::value> cancel_request(http::RequestContext& context, ControlServices& control,
                                   Services services) {
  TRY_ASSIGN(const RequestId id, RequestId::parse(context.parameter("request")));
  control::RequestDesk desk(services.site, control.catalog);
  TRY_ASSIGN(const catalog::Request request, desk.cancel(id));
  TRY_ASSIGN(json::object out, request_json(services, control, request));
  return json::value(std::move(out));
}

Result<json::value> refuse_request(http::RequestContext& context, ControlServices& control,
                                   Services services) {
  TRY_ASSIGN(const RequestId id, RequestId::parse(context.parameter("request")));
  TRY_ASSIGN(const json::object body, body_object(context));
  control::RequestDesk desk(services.site, control.catalog);
  TRY_ASSIGN(const catalog::Request request, desk.refuse(id, text_field_or(body, "why", "")));
  TRY_ASSIGN(json::object out, request_json(services, control, request));
  return json::value(std::move(out));
}

json::object consent_json(const catalog::Grant& record) {
  json::object out = {{"grant", record.grant.text()},
                      {"object", record.object.text()},
                      {"state", catalog::state_name(record.state)},
                      {"created", os::utc_text(record.created)},
                      {"expires", os::utc_text(record.expiry)}};
  if (const auto grant = consent::parse_opened(record.grant_bytes, record.opening)) {
    out["purpose"] = consent::purpose_name(grant->purpose);
    out["grantee"] = grant->grantee.name;
    out["scope"] = consent::scope_text(grant->scope);
    out["hidden"] = grant->scope.veil.has_value();
    out["part"] = grant->scope.is_whole() ? "whole" : grant->scope.is_index() ? "index" : "regions";
    json::array regions;
    for (const std::string& one : consent::region_texts(grant->scope)) regions.emplace_back(one);
    out["regions"] = std::move(regions);
    out["destination"] = grant->destination.text();
    out["uses"] = grant->uses;
  }
  return out;
}

// What a terminal shows to the holder of a card: whose it is, what is asked, what was allowed.
Result<json::value> requests_for_card(http::RequestContext& context, ControlServices& control,
                                      Services services) {
  constexpr std::uint64_t kMost = 200;
  TRY_ASSIGN(const CardId card, CardId::parse(context.parameter("card")));
  TRY_ASSIGN(const catalog::Person person, control.catalog.person_of_card(card));
  TRY_ASSIGN(json::array requests,
             requests_json(services, control, {.person_id = person.person_id}, kMost));
  TRY_ASSIGN(const auto grants,
             control.catalog.list_grants({.person_id = person.person_id}, {.count = kMost}));
  json::array consents;
  for (const catalog::Grant& grant : grants) consents.push_back(consent_json(grant));
  return json::value{{"card", card.text()},
                     {"person", person.person_id},
                     {"name", person.name},
                     {"site", services.site.config.name.text()},
                     {"requests", std::move(requests)},
                     {"consents", std::move(consents)},
                     {"emergencies", emergencies_json(control.emergencies.seen({}, card))}};
}

}  // namespace

void add_request_routes(http::Router& router, Services services) {
  const auto on = [&](http::Method method, const char* path, auto work) {
    router.add(method, path,
               control_handler(services, [services, work](http::RequestContext& context,
                                                          ControlServices& control) {
                 return work(context, control, services);
               }));
  };
  using enum http::Method;
  on(kPost, "/v1/requests", ask_for_consent);
  on(kGet, "/v1/requests", list_requests);
  on(kGet, "/v1/requests/{request}", show_request);
  on(kPost, "/v1/requests/{request}/cancel", cancel_request);
  on(kPost, "/v1/requests/{request}/refuse", refuse_request);
  on(kGet, "/v1/cards/{card}/requests", requests_for_card);
}

}  // namespace warifu::api
