// Gate, routes, listener.
#include "apps/kiosk_server.h"

#include "api/json.h"
#include "base/reason.h"
#include "crypto/crypto.h"
#include "operators/answers.h"
#include "web/edge_gate.h"
#include "web/pages.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
using http::Method;
using http::RequestContext;

constexpr std::size_t kKeyBytes = 32;
constexpr std::uint64_t kMostPin = 64;

class KioskGate final : public http::Gatekeeper {
 public:
  KioskGate(const std::string& key, std::uint16_t port) : digest_(digest_of(key)), port_(port) {}

  bool admit(RequestContext& context, const http::Router::Route& route) override {
    if (!web::check_loopback_name(context, port_)) return false;
    if (web::is_page_route(route)) return true;
    if (!web::check_origin(context, route, "http")) return false;
    const auto key = context.request().headers.find(web::kPageField).value_or("");
    // Digests are compared: how long that takes tells nothing of the key.
    if (digest_of(key) == digest_) return true;
    http::Response answer = operators::error_answer(
        {Code::kRefused, "this page does not have the key of the kiosk: open its address anew"});
    answer.status = 401;
    context.respond(std::move(answer));
    return false;
  }
  void run(RequestContext& context, const http::Router::Route& route) override {
    route.handler(context);
  }

 private:
  static crypto::Digest digest_of(std::string_view key) { return crypto::sha256(as_bytes(key)); }
  crypto::Digest digest_;
  std::uint16_t port_;
};

// The whole body is the PIN; none when it is empty.
std::shared_ptr<const secret::Buffer> pin_of(RequestContext& context) {
  const ByteView body = context.request().body.view();
  if (body.empty()) return nullptr;
  return std::make_shared<const secret::Buffer>(secret::Buffer::copy_of(body));
}

// As the API's own answers, and in errors `trouble`, by which the page finds its words.
template <typename Work>
http::Handler answering(Work work) {
  return [work](RequestContext& context) {
    KioskResult<json::value> result = work(context);
    if (result) return api::answer(context, *result);
    const Error& error = result.error().error;
    const json::object body = {{"message", error.message},
                               {"code", code_name(error.code)},
                               {"reason", reason_name(error.reason)},
                               {"trouble", trouble_name(result.error().trouble)}};
    context.respond(
        {.status = api::http_status(error.code), .body = http::Body::of(json::serialize(body))});
  };
}

http::Router routes(KioskDesk& desk, KioskEnrolment& enrolment) {
  http::Router router;
  add_kiosk_enrolment_routes(router, enrolment);
  web::add_kiosk_page_routes(router);
  const auto look = [&](const char* path, auto work) {
    router.add(Method::kGet, path,
               answering([&desk, work](RequestContext& context) { return work(desk, context); }));
  };
  const auto act = [&](const char* path, auto work) {
    router.add(Method::kPost, path,
               answering([&desk, work](RequestContext& context) { return work(desk, context); }),
               {.secret_body = true, .max_body = kMostPin});
  };
  using Answer = KioskResult<json::value>;
  look("/v1/kiosk",
       [](KioskDesk& at, RequestContext&) -> Answer { return json::value(at.view()); });
  look("/v1/kiosk/page", [](KioskDesk& at, RequestContext&) { return at.page(); });
  look("/v1/kiosk/history", [](KioskDesk& at, RequestContext&) { return at.history(); });
  look("/v1/kiosk/consents/{grant}/receipt", [](KioskDesk& at, RequestContext& context) {
    return at.receipt(context.parameter("grant"));
  });
  act("/v1/kiosk/enter", [](KioskDesk& at, RequestContext& context) -> Answer {
    TRY_ASSIGN(json::object who, at.enter(pin_of(context)));
    return json::value(std::move(who));
  });
  act("/v1/kiosk/leave", [](KioskDesk& at, RequestContext&) -> Answer {
    at.leave();
    return json::value(json::object());
  });
  act("/v1/kiosk/stay", [](KioskDesk& at, RequestContext&) -> Answer {
    TRY(at.stay());
    return json::value(json::object());
  });
  act("/v1/kiosk/requests/{request}/read", [](KioskDesk& at, RequestContext& context) {
    const auto language = context.request().query.find("language").value_or("en");
    return at.read(context.parameter("request"), std::string(language));
  });
  act("/v1/kiosk/requests/{request}/accept", [](KioskDesk& at, RequestContext& context) {
    const auto digest = context.request().query.find("digest").value_or("");
    return at.accept(context.parameter("request"), std::string(digest), pin_of(context));
  });
  act("/v1/kiosk/consents/{grant}/withdraw", [](KioskDesk& at, RequestContext& context) {
    return at.withdraw(context.parameter("grant"), pin_of(context));
  });
  router.add(Method::kPost, "/v1/kiosk/requests/{request}/refuse",
             answering([&desk](RequestContext& context) -> Answer {
               TRY_ASSIGN(const json::object body, api::body_object(context));
               return desk.refuse(context.parameter("request"),
                                  api::text_field_or(body, "why", ""));
             }),
             {.max_body = 8 * 1024});
  return router;
}

}  // namespace

Result<std::unique_ptr<KioskServer>> KioskServer::open(KioskDesk& desk, KioskEnrolment& enrolment,
                                                       const std::string& address) {
  TRY_ASSIGN(const os::HostPort at, os::HostPort::parse(address));
  if (at.host != "127.0.0.1" && at.host != "::1") {
    return fail(Code::kInvalidArgument,
                "--listen '" + address + "' must be loopback, like 127.0.0.1:8490: PINs pass here");
  }
  auto kiosk = std::unique_ptr<KioskServer>(new KioskServer());
  TRY_ASSIGN(auto listener, os::listen_tcp(at));
  const std::uint16_t port = listener->port();
  Bytes random(kKeyBytes);
  os::kernel_random().fill(random);
  const std::string key = to_hex(random);
  const std::string host = at.host == "::1" ? "[::1]" : at.host;
  kiosk->url_ = "http://" + host + ":" + std::to_string(port) + "/#" + key;
  http::Router router = routes(desk, enrolment);
  router.set_gatekeeper(std::make_shared<KioskGate>(key, port));
  kiosk->server_ = std::make_unique<http::Server>(std::move(listener), nullptr, std::move(router));
  return kiosk;
}

}  // namespace warifu::apps
