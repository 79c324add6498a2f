// For tests of this folder: a real server behind the gate, and people with certificates.
#pragma once

#include <unistd.h>

#include <atomic>

#include "audit/actor.h"
#include "http/client.h"
#include "http/http_test_support.h"
#include "http/server.h"
#include "operators/gate.h"

namespace warifu::operators {

using http::Method;

// Members are for the tests that derive from it.
class ServedGate {
 protected:
  ServedGate() {
    for (const char* name : {"sato", "mori", "ito", "stranger"}) identities_.client(name, name, "");
    settings_.accounts = {{"sato", {Role::kBiobank}, {print("sato")}, {::getuid()}},
                          {"mori", {Role::kBiobank}, {print("mori")}, {}},
                          {"ito", {Role::kHospital}, {print("ito")}, {}}};
    settings_.tls = TlsListener{{"localhost", 0}, "", "", ""};
    log_ = *audit::Log::open(system_, identities_.dir() + "/audit.log", *SiteName::parse("lsa"));
    gate_ = std::make_shared<Gate>(system_, settings_, *log_, Gate::Rules{});
  }

  std::string print(const std::string& name) {
    const Bytes pem =
        *os::read_file(system_.files, identities_.dir() + "/" + name + ".pem", 1 << 20);
    return crypto::identity_of_pem(std::string(as_text(pem)))->fingerprint;
  }

  http::Router router() {
    http::Router router;
    const auto count = [this](http::RequestContext& context) {
      ++served_;
      acting_ = audit::ActingOperator::current();
      body_ = context.request().body.text();
      WARIFU_CHECK(log_->append("object_deleted", {{"object", "7"}}));
      context.respond({});
    };
    router.add(Method::kPost, "/v1/objects/{object}/delete", count);
    router.add(Method::kGet, "/v1/status", count);
    router.add(Method::kGet, "/v1/new", count);
    router.add(Method::kPost, "/v1/cards/{card}/revoke", count);
    router.add(Method::kPost, "/v1/operators/confirm", count,
               {.secret_body = true, .max_body = kMaxPassphrase});
    const auto never = [](http::RequestContext& context) { context.refuse(404, "no rule"); };
    router.add(Method::kPost, "/v1/proposals/{proposal}/approve", never);
    router.add(Method::kPost, "/v1/proposals/{proposal}/reject", never);
    router.set_gatekeeper(gate_);
    return router;
  }

  void serve_socket() {
    socket_ = identities_.dir() + "/api.sock";
    server_ = std::make_unique<http::Server>(*os::listen_unix(socket_), nullptr, router());
    server_->start();
  }
  void serve_tls() {
    server_ = std::make_unique<http::Server>(
        *os::listen_tcp({"127.0.0.1", 0}), identities_.context(crypto::TlsSide::kServer, "server"),
        router());
    server_->start();
  }
  http::Response ask(const std::string& who, Method method, const std::string& target,
                     const std::string& body = "", const std::string& confirmation = "") {
    http::Endpoint endpoint{.unix_path = socket_, .address = {}, .tls = {}};
    if (socket_.empty()) {
      endpoint.address = {"127.0.0.1", server_->port()};
      endpoint.tls = identities_.context(crypto::TlsSide::kClient, who);
    }
    http::Client client(endpoint, {});
    http::Request request{.method = method, .target = target, .body = http::Body::of(body)};
    if (!confirmation.empty()) request.headers.add(kConfirmationField, confirmation);
    return *client.request(request);
  }
  audit::Record last() { return log_->read(log_->head().sequence, 1)->at(0); }

  http::TestIdentities identities_;
  os::System system_ = os::real_system();
  Settings settings_;
  std::unique_ptr<audit::Log> log_;
  std::shared_ptr<Gate> gate_;
  std::string socket_;
  std::atomic<int> served_ = 0;
  std::string acting_, body_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace warifu::operators
