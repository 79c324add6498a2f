// The document, its files, and the headers that fence them in.
#include "web/pages.h"

#include <algorithm>

#include "http/context.h"
#include "web/assets.h"

namespace warifu::web {
namespace {

using http::Method;
using http::RequestContext;

// No inline script or style, nothing of another origin, no frame around it. Which scripts may make
// HTML of texts follows.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types ";
constexpr std::string_view kNoHtml = "'none'";
// The viewer of reads has one function for it, which lets a short list of harmless markup through
// (web/src/viewer/trusted.ts).
constexpr std::string_view kViewerHtml = "default";
constexpr std::string_view kViewerDocument = "viewer.html";
constexpr std::string_view kNothing =
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

bool accepts(const RequestContext& context, std::string_view coding) {
  const auto field = context.request().headers.find("Accept-Encoding");
  if (!field) return false;
  for (std::size_t at = field->find(coding); at != std::string_view::npos;
       at = field->find(coding, at + 1)) {
    const std::string_view rest = field->substr(at + coding.size());
    const bool begins = at == 0 || (*field)[at - 1] == ' ' || (*field)[at - 1] == ',';
    if (begins && !rest.starts_with(";q=0,") && rest != ";q=0") return true;
  }
  return false;
}

void fence_in(http::Headers& headers, std::string_view html = kNoHtml) {
  headers.add("Content-Security-Policy", std::string(kPolicy) + std::string(html));
  headers.add("Permissions-Policy", kNothing);
  headers.add("Referrer-Policy", "no-referrer");
  headers.add("Cross-Origin-Opener-Policy", "same-origin");
  headers.add("Cross-Origin-Embedder-Policy", "require-corp");
  headers.add("Cross-Origin-Resource-Policy", "same-origin");
  headers.add("X-Frame-Options", "DENY");
}

void send_asset(RequestContext& context, const Asset* asset) {
  if (asset == nullptr) {
    return context.refuse(
        404, assets().empty() ? "this program was built without pages" : "there is no such file");
  }
  http::Response answer{.content_type = std::string(asset->type)};
  const bool lasting = asset->name.starts_with("assets/");
  answer.headers.add("Cache-Control", lasting ? "public, max-age=31536000, immutable" : "no-cache");
  answer.headers.add("ETag", asset->etag);
  answer.headers.add("Vary", "Accept-Encoding");
  fence_in(answer.headers, asset->name == kViewerDocument ? kViewerHtml : kNoHtml);
  if (context.request().headers.find("If-None-Match") == asset->etag) {
    answer.status = 304;
    return context.respond(std::move(answer));
  }
  ByteView bytes = asset->plain;
  if (!asset->brotli.empty() && accepts(context, "br")) {
    bytes = asset->brotli;
    answer.headers.add("Content-Encoding", "br");
  } else if (!asset->gzip.empty() && accepts(context, "gzip")) {
    bytes = asset->gzip;
    answer.headers.add("Content-Encoding", "gzip");
  }
  answer.body = Bytes(bytes.begin(), bytes.end());
  context.respond(std::move(answer));
}

void send_document(RequestContext& context) {
  send_asset(context, find_asset("index.html"));
}

void lead_on(RequestContext& context) {
  http::Response answer{.status = 302, .content_type = "text/plain"};
  answer.headers.add("Location", "/app/");
  fence_in(answer.headers);
  context.respond(std::move(answer));
}

}  // namespace

const Asset* find_asset(std::string_view name) {
  const auto all = assets();
  const auto found = std::ranges::lower_bound(all, name, {}, &Asset::name);
  return found != all.end() && found->name == name ? &*found : nullptr;
}

namespace {

void add_asset_route(http::Router& router) {
  router.add(Method::kGet, "/assets/{file...}", [](RequestContext& context) {
    send_asset(context, find_asset("assets/" + context.parameter("file")));
  });
}

}  // namespace

void add_page_routes(http::Router& router) {
  router.add(Method::kGet, "/", lead_on);
  router.add(Method::kGet, "/app", lead_on);
  router.add(Method::kGet, "/app/{page...}", send_document);
  router.add(Method::kGet, "/viewer",
             [](RequestContext& context) { send_asset(context, find_asset(kViewerDocument)); });
  add_asset_route(router);
}

void add_kiosk_page_routes(http::Router& router) {
  router.add(Method::kGet, "/",
             [](RequestContext& context) { send_asset(context, find_asset("kiosk.html")); });
  add_asset_route(router);
}

bool is_page_route(const http::Router::Route& route) {
  return route.path == "/" || route.path.starts_with("/app") || route.path == "/viewer" ||
         route.path.starts_with("/assets/");
}

}  // namespace warifu::web
