// The gate in front of browsers, as a real server behind real sockets has it.
#include "web/edge_gate.h"

#include <gtest/gtest.h>

#include <array>

#include "http/client.h"
#include "http/http_test_support.h"
#include "http/server.h"
#include "web/pages.h"

namespace warifu::web {
namespace {

using http::Method;

class EdgeGateTest : public testing::Test {
 protected:
  EdgeGateTest() {
    log_ = *audit::Log::open(system_, identities_.dir() + "/audit.log", *SiteName::parse("lsa"));
    sessions_ = std::make_unique<Sessions>(system_, settings_, *log_);
    auto listener = *os::listen_tcp({"127.0.0.1", 0});
    port_ = listener->port();
    own_ = "127.0.0.1:" + std::to_string(port_);
    http::Router router;
    add_page_routes(router);
    for (const Method method : {Method::kGet, Method::kPost}) {
      router.add(method, "/v1/thing", [this](http::RequestContext& context) {
        session_ = context.session();
        user_ = context.user();
        context.respond({});
      });
    }
    router.add(Method::kPost, "/v1/web/login",
               [](http::RequestContext& context) { context.respond({.status = 201}); });
    for (const Method method : {Method::kGet, Method::kPost}) {
      router.add(method, "/htsget/reads/{id}",
                 [](http::RequestContext& context) { context.respond({.status = 202}); });
    }
    router.set_gatekeeper(std::make_shared<EdgeGate>(sessions_.get(), port_, nullptr));
    server_ = std::make_unique<http::Server>(std::move(listener), nullptr, std::move(router));
    server_->start();
    secrets_ = *sessions_->login(*sessions_->make_code(1207, "sato"));
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;
  // Byte by byte, since a client of this project says by itself which host it has dialled.
  int status(Method method, const std::string& target, const Fields& fields) {
    std::string text = std::string(http::method_name(method)) + " " + target + " HTTP/1.1\r\n";
    for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
    if (method == Method::kPost) text += "Content-Length: 0\r\n";
    auto stream = *os::connect_tcp({"127.0.0.1", port_}, std::chrono::seconds(5));
    stream->set_timeout(std::chrono::seconds(5));
    EXPECT_TRUE(stream->write_all(as_bytes(text + "\r\n")));
    std::array<Byte, 12> head{};
    if (!stream->read_exact(head)) return 0;
    return std::stoi(std::string(as_text(head).substr(9)));
  }
  Fields with_session(Fields more = {}) {
    Fields all = {{"Host", own_},
                  {"Cookie", "a=b; " + cookie_name(port_) + "=" + secrets_.cookie},
                  {"Warifu-Page", secrets_.key}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  http::TestIdentities identities_;
  os::System system_ = os::real_system();
  Settings settings_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<Sessions> sessions_;
  SessionSecrets secrets_;
  std::uint16_t port_ = 0;
  std::string own_, session_;
  std::optional<std::uint32_t> user_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(EdgeGateTest, ASessionStandsForTheProcessThatAskedForItsCode) {
  EXPECT_EQ(status(Method::kGet, "/v1/thing", with_session()), 200);
  EXPECT_EQ(session_, secrets_.id);
  EXPECT_EQ(user_, 1207U);
  EXPECT_EQ(status(Method::kPost, "/v1/thing", with_session({{"Origin", "http://" + own_}})), 200);
}

TEST_F(EdgeGateTest, WithoutASessionThereAreOnlyPagesAndTheLogin) {
  EXPECT_EQ(status(Method::kGet, "/v1/thing", {{"Host", own_}}), 401);
  EXPECT_EQ(status(Method::kGet, "/v1/thing", {{"Host", own_}, {"Warifu-Page", secrets_.key}}),
            401);
  EXPECT_EQ(status(Method::kGet, "/", {{"Host", own_}}), 302);
  EXPECT_EQ(status(Method::kPost, "/v1/web/login",
                   {{"Host", own_}, {"Origin", "http://" + own_}, {"Warifu-Page", "page"}}),
            201);
}

TEST_F(EdgeGateTest, NamesThatPointHereAndOtherOriginsAreRefused) {
  const std::string port = std::to_string(port_);
  for (const std::string& host : {"evil.example:" + port, std::string("127.0.0.1"),
                                  "127.0.0.1:1" + port, "127.0.0.1.evil.example:" + port}) {
    auto fields = with_session();
    fields[0].second = host;
    EXPECT_EQ(status(Method::kGet, "/v1/thing", fields), 421) << host;
    EXPECT_EQ(status(Method::kGet, "/", {{"Host", host}}), 421) << host;
  }
  const std::string good = "http://" + own_;
  for (const Fields& more :
       {Fields{}, Fields{{"Origin", "http://evil.example"}}, Fields{{"Origin", "null"}},
        Fields{{"Origin", "https://" + own_}}, Fields{{"Origin", "http://localhost:" + port}},
        Fields{{"Origin", good}, {"Sec-Fetch-Site", "cross-site"}},
        Fields{{"Origin", good}, {"Sec-Fetch-Site", "none"}}}) {
    EXPECT_EQ(status(Method::kPost, "/v1/thing", with_session(more)), 403);
  }
  EXPECT_EQ(status(Method::kGet, "/v1/thing", with_session({{"Sec-Fetch-Site", "same-site"}})),
            403);
  EXPECT_EQ(status(Method::kGet, "/v1/thing", with_session({{"Sec-Fetch-Site", "same-origin"}})),
            200);
}

// Its handlers ask for a view's token, and look at origins for themselves.
TEST_F(EdgeGateTest, HtsgetNeedsNoSessionButTheRightName) {
  for (const Method method : {Method::kGet, Method::kPost}) {
    EXPECT_EQ(status(method, "/htsget/reads/1", {{"Host", own_}}), 202);
    EXPECT_EQ(status(method, "/htsget/reads/1", {{"Host", own_}, {"Origin", "https://a"}}), 202);
    EXPECT_EQ(status(method, "/htsget/reads/1", {{"Host", "evil.example"}}), 421);
  }
}

TEST_F(EdgeGateTest, AnEndedSessionOpensNothing) {
  EXPECT_TRUE(*sessions_->end(secrets_.id));
  EXPECT_EQ(status(Method::kGet, "/v1/thing", with_session()), 401);
}

// At the TLS listener a certificate that a browser shows for every page must not be misused by one;
// programs, which send neither origin nor cookie, are no browsers.
TEST(EdgeGateOverTls, BrowsersShowTheirOriginAndProgramsNeedNot) {
  http::TestIdentities identities;
  auto listener = *os::listen_tcp({"localhost", 0});
  const std::uint16_t port = listener->port();
  http::Router router;
  router.add(Method::kPost, "/v1/thing",
             [](http::RequestContext& context) { context.respond({}); });
  router.set_gatekeeper(std::make_shared<EdgeGate>(nullptr, port, nullptr));
  identities.client("sato", "sato", "");
  http::Server server(std::move(listener), identities.context(crypto::TlsSide::kServer, "server"),
                      std::move(router));
  server.start();
  const auto post = [&](const std::vector<std::pair<std::string, std::string>>& fields) {
    http::Client client({.unix_path = "",
                         .address = {"localhost", port},
                         .tls = identities.context(crypto::TlsSide::kClient, "sato")},
                        {});
    http::Request request{
        .method = Method::kPost, .target = "/v1/thing", .headers = {}, .body = {}};
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    const auto answer = client.request(request);
    return answer ? answer->status : 0;
  };
  const std::string own = "https://localhost:" + std::to_string(port);
  EXPECT_EQ(post({}), 200);
  EXPECT_EQ(post({{"Origin", own}, {"Warifu-Page", "page"}}), 200);
  EXPECT_EQ(post({{"Origin", own}}), 403);
  EXPECT_EQ(post({{"Origin", "https://evil.example"}, {"Warifu-Page", "page"}}), 403);
  EXPECT_EQ(post({{"Sec-Fetch-Site", "cross-site"}}), 403);
}

}  // namespace
}  // namespace warifu::web
