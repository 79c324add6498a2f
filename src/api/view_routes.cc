// Views: opening one under a consent to regions, looking which are open, ending one.
#include "api/json.h"
#include "base/reason.h"
#include "viewing/view_desk.h"

namespace warifu::api {
namespace {

constexpr std::uint64_t kMostMinutes = 7 * 24 * 60;

json::object view_json(const viewing::ViewStatus& view) {
  const viewing::ViewTerms& terms = view.terms;
  json::array regions;
  for (const std::string& one : consent::region_texts(terms.scope)) regions.emplace_back(one);
  const std::string datatype(htsget::datatype_name(view.datatype));
  return {{"view", terms.id.text()},
          {"object", terms.object.text()},
          {"grant", terms.grants.front().text()},
          {"grantee", terms.grantee},
          {"regions", std::move(regions)},
          {"mode", htsget::mode_name(terms.mode)},
          {"datatype", datatype},
          {"path", "/htsget/" + datatype + "/" + terms.object.text()},
          {"opened", os::utc_text(terms.opened)},
          {"opened_by", terms.opened_by},
          {"expires", os::utc_text(terms.expires)},
          {"job", terms.job.text()},
          {"records", view.records},
          {"bytes", view.bytes},
          {"requests", view.requests},
          {"answers_given", view.answers_given},
          {"bytes_given", view.bytes_given}};
}

// Where programs that are no browsers find it; empty: only where the API is.
std::string url_of(const config::SiteConfig& config) {
  if (!config.htsget.url.empty()) return config.htsget.url;
  if (config.htsget.listen) {
    return (config.htsget.is_tls() ? "https://" : "http://") + config.htsget.listen->text();
  }
  return config.web ? "http://" + config.web->listen.text() : "";
}

Result<viewing::ViewWish> wish_of(const json::object& body) {
  viewing::ViewWish wish;
  TRY_ASSIGN(wish.grant, id_field<GrantId>(body, "grant"));
  TRY_ASSIGN(const std::string grantee, text_field(body, "grantee"));
  TRY_ASSIGN(wish.grantee, consent::parse_grantee(grantee, text_field_or(body, "grantee_id", "")));
  TRY_ASSIGN(const auto stated, texts_field(body, "use"));
  TRY_ASSIGN(wish.stated, consent::parse_statements(stated));
  wish.purpose = text_field_or(body, "purpose", "");
  TRY_ASSIGN(const auto regions, texts_field(body, "regions"));
  TRY_ASSIGN(wish.scope, consent::parse_scope(regions));
  const std::string mode = text_field_or(body, "mode", "strict");
  if (mode != "strict" && mode != "clip") {
    return fail(Code::kInvalidArgument, "field 'mode' must be strict or clip");
  }
  wish.mode = mode == "clip" ? htsget::Mode::kClip : htsget::Mode::kStrict;
  if (body.contains("minutes")) {
    TRY_ASSIGN(const std::uint64_t minutes, number_field(body, "minutes", kMostMinutes));
    if (minutes == 0) return fail(Code::kInvalidArgument, "field 'minutes' must be at least 1");
    wish.life = std::chrono::minutes(minutes);
  }
  return wish;
}

void open(Services services, http::RequestContext& context) {
  const auto work = [&]() -> Result<viewing::OpenedView> {
    if (services.control == nullptr) {
      return fail(Code::kNotFound,
                  "site " + services.site.config.name.text() +
                      " has no share control: views are opened at " +
                      services.site.config.controller.text(),
                  Reason::kNoControl);
    }
    TRY_ASSIGN(const json::object body, body_object(context));
    TRY_ASSIGN(const viewing::ViewWish wish, wish_of(body));
    return services.control->views.open(wish);
  };
  auto opened = work();
  if (!opened) return answer_error(context, opened.error());
  json::object body = view_json(opened->status);
  body["url"] = url_of(services.site.config);
  body["token"] = opened->token;
  answer_secret(context, body);
  secret::wipe({reinterpret_cast<Byte*>(opened->token.data()), opened->token.size()});
}

// Text, for viewers that draw reads against it.
void give_reference(Services services, http::RequestContext& context) {
  const auto work = [&]() -> Result<std::string> {
    if (services.control == nullptr) return fail(Code::kNotFound, "views are not opened here");
    TRY_ASSIGN(const auto id, viewing::ViewId::parse(context.parameter("view")));
    return services.control->views.reference(id);
  };
  const auto text = work();
  if (!text) return answer_error(context, text.error());
  context.respond({.content_type = "text/plain; charset=utf-8", .body = http::Body::of(*text)});
}

}  // namespace

void add_view_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/views",
             [services](http::RequestContext& context) { open(services, context); },
             {.secret_body = true});
  router.add(
      Method::kGet, "/v1/views",
      control_handler(services, [services](http::RequestContext&, ControlServices& control) {
        json::array list;
        for (const auto& view : control.views.list()) list.push_back(view_json(view));
        return Result<json::value>(json::value{{"site", services.site.config.name.text()},
                                               {"url", url_of(services.site.config)},
                                               {"views", std::move(list)},
                                               {"memory_bytes", control.views.memory().bytes()},
                                               {"memory_used", control.views.memory().used()}});
      }));
  router.add(Method::kGet, "/v1/views/{view}/reference",
             [services](http::RequestContext& context) { give_reference(services, context); });
  router.add(
      Method::kPost, "/v1/views/{view}/end",
      control_handler(
          services,
          [](http::RequestContext& context, ControlServices& control) -> Result<json::value> {
            TRY_ASSIGN(const auto id, viewing::ViewId::parse(context.parameter("view")));
            TRY_ASSIGN(const auto view, control.views.end(id));
            return json::value(view_json(view));
          }));
}

}  // namespace warifu::api
