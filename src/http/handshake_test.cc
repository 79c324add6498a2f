// Clients that do not finish their handshake: they hold no worker, and not for long.
#include <gtest/gtest.h>

#include "base/log.h"
#include "http/client.h"
#include "http/http_test_support.h"
#include "http/server.h"

namespace warifu::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How a TLS client begins: the head of a record of 512 bytes that never comes whole.
constexpr std::string_view kBegun("\x16\x03\x01\x02\x00\x01\x00", 7);

class HandshakeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(init_log("test", "", LogLevel::kError)); }
  void start(const ServerOptions& options) {
    identities_.client("client", "SAE-A", "urn:warifu:sae:a");
    Router router;
    router.add(Method::kGet, "/whoami", [](RequestContext& context) {
      context.respond({200, "text/plain", Body::of(context.peer()->common_name), {}});
    });
    server_ = std::make_unique<Server>(*os::listen_tcp({"127.0.0.1", 0}),
                                       identities_.context(crypto::TlsSide::kServer, "server"),
                                       std::move(router), options);
    server_->start();
  }
  std::unique_ptr<os::ByteStream> connect() const {
    auto stream = os::connect_tcp({"127.0.0.1", server_->port()}, seconds(5));
    EXPECT_TRUE(stream);
    (*stream)->set_timeout(seconds(20));
    return std::move(*stream);
  }
  std::string ask() {
    Client client({"",
                   {"127.0.0.1", server_->port()},
                   identities_.context(crypto::TlsSide::kClient, "client")},
                  {});
    const auto answer = client.request({.target = "/whoami"});
    return answer ? std::string(answer->body.text()) : answer.error().message;
  }
  TestIdentities identities_;
  std::unique_ptr<Server> server_;
};

TEST_F(HandshakeTest, HalfOpenConnectionsHoldNoWorker) {
  start({.workers = 2, .handshake_timeout = std::chrono::minutes(10)});
  std::vector<std::unique_ptr<os::ByteStream>> half_open;
  for (int i = 0; i < 64; ++i) {
    half_open.push_back(connect());
    ASSERT_TRUE(half_open.back()->write_all(as_bytes(kBegun)));
  }
  // Were one of them waited for, this would take ten minutes.
  EXPECT_EQ(ask(), "SAE-A");
  for (const auto& stream : half_open) ASSERT_TRUE(stream->write_all(as_bytes("\x01")));
  EXPECT_EQ(ask(), "SAE-A");
  EXPECT_GE(server_->connections(), 64u);
}

TEST_F(HandshakeTest, TheTimeOfAHandshakeCountsFromItsBeginning) {
  start({.workers = 1, .handshake_timeout = milliseconds(300)});
  const auto silent = connect();
  const auto trickling = connect();
  ASSERT_TRUE(trickling->write_all(as_bytes(kBegun)));
  // A byte now and then does not make it longer: at most the record's 512 fit in.
  int sent = 0;
  while (trickling->write_all(as_bytes("\x01")) && sent < 400) {
    ++sent;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LT(sent, 400);
  Bytes piece(16);
  const auto got = silent->read_some(piece);
  EXPECT_TRUE(!got || *got == 0);
  EXPECT_EQ(ask(), "SAE-A");
}

}  // namespace
}  // namespace warifu::http
