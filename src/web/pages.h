// Routes of the pages: the document for every address under /app/, and the files that it loads.
//
// Nothing here knows anything about the site; what the pages show comes from the JSON API. Every
// answer forbids what the pages do not need: scripts, styles, pictures and connections of other
// origins, anything inline, being framed. Thread-safe.
#pragma once

#include "http/router.h"

namespace warifu::web {

// GET /, /app, /app/{page...} and /assets/{file...}.
void add_page_routes(http::Router& router);
// The page of a kiosk (apps/kiosk_server.h) and its files, in the place of those of a site.
void add_kiosk_page_routes(http::Router& router);
// True for those routes: they are the same for everybody and need no session.
[[nodiscard]] bool is_page_route(const http::Router::Route& route);

}  // namespace warifu::web
