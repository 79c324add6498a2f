// Enrolment in two steps: keys for the card, then confirmation that the card is loaded.
#include "api/act_json.h"
#include "base/reason.h"

namespace warifu::api {

json::object content_json(const control::CardContent& content) {
  json::array sites;
  for (const card::SiteKeys& site : content.sites) {
    std::string hex = to_hex(site.keys.bytes());
    sites.push_back({{"site", site.site.text()}, {"keys", hex}});
    secret::wipe({reinterpret_cast<Byte*>(hex.data()), hex.size()});
  }
  return json::object{{"card", content.card.text()},
                      {"first_index", content.keys.first.value},
                      {"count", content.keys.count},
                      {"sites", std::move(sites)}};
}

namespace {

// Answers with what a card is to be loaded with.
template <typename Work>
void give_content(Services services, http::RequestContext& context, const Work& work) {
  const auto made = [&]() -> Result<json::object> {
    if (services.control == nullptr) {
      return fail(Code::kNotFound, "this site has no share control", Reason::kNoControl);
    }
    TRY_ASSIGN(const json::object body, body_object(context));
    TRY_ASSIGN(const control::CardContent content, work(body, *services.control));
    return content_json(content);
  }();
  if (made) {
    answer_secret(context, *made);
  } else {
    answer_error(context, made.error());
  }
}

Result<control::CardContent> begin_enrolment(const json::object& body, ControlServices& control) {
  TRY_ASSIGN(const std::string person, text_field(body, "person"));
  TRY_ASSIGN(const std::string name, text_field(body, "name"));
  TRY_ASSIGN(const std::uint64_t keys, number_field(body, "keys", card::kMaxKeysPerSite));
  return control.enrolment.begin(person, name, static_cast<std::uint32_t>(keys));
}

Result<control::CardContent> renew(const json::object& body, ControlServices& control) {
  TRY_ASSIGN(const CardId card, id_field<CardId>(body, "card"));
  TRY_ASSIGN(const std::uint64_t first, number_field(body, "first_index", UINT32_MAX));
  TRY_ASSIGN(const std::uint64_t count, number_field(body, "count", card::kMaxKeysPerSite));
  TRY_ASSIGN(const std::string name, text_field(body, "site"));
  TRY_ASSIGN(const SiteName site, SiteName::parse(name));
  return control.enrolment.renew(
      card, {{static_cast<std::uint32_t>(first)}, static_cast<std::uint32_t>(count)}, {site});
}

json::object person_json(const catalog::Person& person) {
  return {{"person", person.person_id},
          {"name", person.name},
          {"card", person.card.text()},
          {"enrolled", os::utc_text(person.created)}};
}

}  // namespace

void add_person_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/persons",
             [services](http::RequestContext& context) {
               give_content(services, context, begin_enrolment);
             },
             {.secret_body = true});
  router.add(Method::kPost, "/v1/cards/renewal",
             [services](http::RequestContext& context) { give_content(services, context, renew); },
             {.secret_body = true});
  router.add(Method::kPost, "/v1/persons/{person}/reissue",
             [services](http::RequestContext& context) {
               give_content(services, context,
                            [&](const json::object& body,
                                ControlServices& control) -> Result<control::CardContent> {
                              TRY_ASSIGN(const std::uint64_t keys,
                                         number_field(body, "keys", card::kMaxKeysPerSite));
                              return control.cards.begin_reissue(context.parameter("person"),
                                                                 static_cast<std::uint32_t>(keys));
                            });
             },
             {.secret_body = true});
  router.add(Method::kPost, "/v1/persons/{person}/confirm",
             control_handler(services,
                             [](http::RequestContext& context,
                                ControlServices& control) -> Result<json::value> {
                               TRY_ASSIGN(const json::object body, body_object(context));
                               TRY_ASSIGN(const CardId card, id_field<CardId>(body, "card"));
                               TRY(control.enrolment.finish(context.parameter("person"), card));
                               return json::value{{"person", context.parameter("person")}};
                             }));
  router.add(
      Method::kGet, "/v1/persons",
      control_handler(
          services, [](http::RequestContext&, ControlServices& control) -> Result<json::value> {
            TRY_ASSIGN(const auto persons,
                       control.catalog.list_persons("", {.count = catalog::kMaxPageRows}));
            json::array list;
            for (const auto& person : persons) list.push_back(person_json(person));
            return json::value{{"persons", std::move(list)}};
          }));
}

}  // namespace warifu::api
