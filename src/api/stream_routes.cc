// Key streams of applications as the operator sees them. Never a byte of key.
#include "api/json.h"
#include "api/routes.h"

namespace warifu::api {
namespace {

std::string_view state_name(const kme::KeyStream::Progress& progress) {
  switch (progress.state) {
    case kme::KeyStream::State::kOpen: return progress.joined ? "open" : "waiting for its peer";
    case kme::KeyStream::State::kPeerClosed: return "closed by its peer";
    case kme::KeyStream::State::kClosed: return "closed";
    case kme::KeyStream::State::kBroken: return "broken";
  }
  return "unknown";
}

Result<json::value> streams_json(Services services) {
  const std::string& self = services.site.config.name.text();
  if (services.streams == nullptr) {
    return fail(Code::kNotFound,
                "site " + self + " has no key streams: [kms] has no stream_socket");
  }
  json::array streams;
  for (const kme::KeyStreams::Info& info : services.streams->list()) {
    streams.push_back({{"id", kme::stream_id_text(info.terms.id)},
                       {"source", info.terms.source},
                       {"destination", info.terms.destination},
                       {"peer", info.terms.peer.text()},
                       {"role", info.terms.at_source ? "source" : "destination"},
                       {"state", state_name(info.progress)},
                       {"chunk_bytes", info.terms.chunk_bytes},
                       {"given_chunks", info.progress.next},
                       {"waiting_chunks", info.progress.received - info.progress.next},
                       {"seconds_left", static_cast<std::uint64_t>(info.seconds_left)}});
  }
  return json::value{{"site", self},
                     {"socket", services.streams->settings().socket},
                     {"most", services.streams->settings().most},
                     {"streams", std::move(streams)}};
}

}  // namespace

void add_stream_routes(http::Router& router, Services services) {
  router.add(http::Method::kGet, "/v1/streams",
             json_handler([services](http::RequestContext&) { return streams_json(services); }));
}

}  // namespace warifu::api
