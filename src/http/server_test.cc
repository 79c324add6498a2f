// Server and client against each other over Unix sockets and TLS, and the server against raw bytes.
#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <latch>

#include "base/log.h"
#include "http/client.h"
#include "http/http_test_support.h"

namespace warifu::http {
namespace {

using std::chrono::milliseconds;

Response text_response(std::string_view text) {
  return {200, "text/plain", Body::of(text), {}};
}

// Byte number `position` of an endless test pattern.
Byte pattern(std::uint64_t position) {
  return static_cast<Byte>((position * 2654435761ULL) >> 13);
}

// Counts and checks the pattern of an upload; answers how many bytes fit it.
void count_pattern(RequestContext& context) {
  secret::Buffer piece(64 * 1024);
  std::uint64_t total = 0;
  for (;;) {
    const auto got = context.read_body_some(piece.bytes());
    if (!got) return;
    if (*got == 0) break;
    for (std::size_t i = 0; i < *got; ++i) {
      if (piece.bytes()[i] != pattern(total + i)) return context.refuse(400, "pattern broken");
    }
    total += *got;
  }
  context.respond(text_response(std::to_string(total)));
}

void send_pattern(RequestContext& context) {
  const std::uint64_t size = std::stoull(context.parameter("size"));
  const bool chunked = context.request().query.find("chunked").has_value();
  if (!context.begin_stream(200, "application/octet-stream", {},
                            chunked ? std::nullopt : std::optional(size))) {
    return;
  }
  Bytes piece(100'000);
  for (std::uint64_t at = 0; at < size;) {
    const std::size_t count = std::min<std::uint64_t>(piece.size(), size - at);
    for (std::size_t i = 0; i < count; ++i) piece[i] = pattern(at + i);
    if (!context.write(ByteView(piece).first(count))) return;
    at += count;
  }
  (void)context.finish();
}

Router test_router() {
  Router router;
  router.add(Method::kGet, "/hello/{name}", [](RequestContext& context) {
    const auto greeting = context.request().query.find("greeting").value_or("hello");
    context.respond(text_response(std::string(greeting) + " " + context.parameter("name")));
  });
  router.add(Method::kGet, "/whoami", [](RequestContext& context) {
    context.respond(text_response(context.peer() != nullptr ? context.peer()->common_name : "-"));
  });
  router.add(Method::kPost, "/echo",
             [](RequestContext& context) {
               EXPECT_TRUE(context.body().is_secret());
               context.respond({200, "application/octet-stream", context.body().take_secret(), {}});
             },
             {.secret_body = true, .max_body = 100'000});
  router.add(Method::kPost, "/count", count_pattern, {.stream_body = true});
  router.add(Method::kGet, "/pattern/{size}", send_pattern);
  router.add(Method::kGet, "/throws", [](RequestContext&) { throw std::runtime_error("oops"); });
  router.add(Method::kGet, "/silent", [](RequestContext&) {});
  router.add(Method::kGet, "/half", [](RequestContext& context) {
    ASSERT_TRUE(context.begin_stream(200, "text/plain"));
    ASSERT_TRUE(context.write(as_bytes("half")));
  });
  router.add(Method::kGet, "/files/{path...}", [](RequestContext& context) {
    context.respond(text_response(context.parameter("path")));
  });
  return router;
}

class ServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(init_log("test", "", LogLevel::kError)); }
  void SetUp() override { identities_.client("client", "SAE-A", "urn:warifu:sae:a"); }

  // Starts a server on a Unix socket.
  void start_unix(ServerOptions options = {}) {
    socket_ = identities_.dir() + "/s.sock";
    server_ = std::make_unique<Server>(*os::listen_unix(socket_), nullptr, test_router(), options);
    server_->start();
  }
  void start_tls(ServerOptions options = {}) {
    server_ = std::make_unique<Server>(*os::listen_tcp({"127.0.0.1", 0}),
                                       identities_.context(crypto::TlsSide::kServer, "server"),
                                       test_router(), options);
    server_->start();
  }
  Client unix_client(ClientOptions options = {}) const {
    return Client({socket_, {}, nullptr}, options);
  }
  Client tls_client(const std::string& name, ClientOptions options = {}) const {
    return Client(
        {"", {"127.0.0.1", server_->port()}, identities_.context(crypto::TlsSide::kClient, name)},
        options);
  }
  // Sends raw bytes and returns all that comes back until the server closes.
  std::string raw(std::string_view bytes) const {
    auto stream = *os::connect_unix(socket_);
    stream->set_timeout(milliseconds(5000));
    EXPECT_TRUE(stream->write_all(as_bytes(bytes)));
    return rest_of(*stream);
  }
  static std::string rest_of(os::ByteStream& stream) {
    std::string all;
    Bytes piece(4096);
    for (;;) {
      const auto got = stream.read_some(piece);
      if (!got || *got == 0) return all;
      all += as_text(ByteView(piece).first(*got));
    }
  }
  static Request get(const std::string& target) { return {.target = target}; }
  static Request post(const std::string& target, std::string_view body) {
    return {.method = Method::kPost, .target = target, .headers = {}, .body = Body::of(body)};
  }

  TestIdentities identities_;
  std::string socket_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, RoundTripsOverUnixAndTls) {
  start_unix();
  Client local = unix_client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = local.request(get("/hello/a%2Fb%20c?greeting=good+day"));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body.text(), "good day a/b c");
  }
  EXPECT_EQ(server_->connections(), 1u);  // kept alive
  EXPECT_EQ(local.request(get("/whoami"))->body.text(), "-");
  EXPECT_EQ(local.request(get("/files/css/site.css"))->body.text(), "css/site.css");

  start_tls();
  Client remote = tls_client("client", {.secret_bodies = true});
  for (int i = 0; i < 3; ++i) {
    const auto answer = remote.request(get("/whoami"));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body.text(), "SAE-A");
    EXPECT_TRUE(answer->body.is_secret());
  }
  const std::string large(100'000, 'x');
  EXPECT_EQ(remote.request(post("/echo", large))->body.text(), large);
  ASSERT_NE(remote.peer(), nullptr);
  EXPECT_EQ(remote.peer()->common_name, "server");
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(ServerTest, ErrorsOfTheServerCarryJson) {
  start_unix();
  Client client = unix_client();
  const auto expect = [&](const Request& request, int status, std::string_view words) {
    const auto answer = client.request(request);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, status) << request.target;
    EXPECT_EQ(answer->content_type, "application/json");
    EXPECT_TRUE(answer->body.text().starts_with("{\"message\":\"")) << answer->body.text();
    EXPECT_NE(answer->body.text().find(words), std::string_view::npos) << answer->body.text();
  };
  expect(get("/nothing"), 404, "nothing is served");
  expect(get("/hello/"), 404, "nothing is served");
  expect(post("/whoami", ""), 405, "GET only");
  expect(get("/hello/%zz"), 400, "percent");
  expect(get("/hello/%00"), 400, "percent");
  expect(get("/hello/.."), 400, "dot segment");
  expect(post("/echo", std::string(100'001, 'x')), 413, "100000 bytes");
  expect(get("/throws"), 500, "internal error");
  expect(get("/silent"), 500, "internal error");
  EXPECT_EQ(*client.request(post("/whoami", ""))->headers.find("Allow"), "GET");
  const auto half = client.request(get("/half"));
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, Code::kUnavailable);
}

TEST_F(ServerTest, MalformedMessagesAreRefused) {
  start_unix();
  const std::pair<std::string, const char*> cases[] = {
      {"rubbish\r\n\r\n", "HTTP/1.1 400"},
      {"GET /whoami HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},  // no Host
      {"GET /whoami HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400"},
      {"GET /whoami HTTP/1.1\r\nHost : a\r\n\r\n", "HTTP/1.1 400"},
      {"GET whoami HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       "HTTP/1.1 400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
       "HTTP/1.1 400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
       "HTTP/1.1 400"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
       "HTTP/1.1 400"},
      {"GET /whoami HTTP/2.7\r\nHost: a\r\n\r\n", "HTTP/1.1 400"},
      {"GET /whoami HTTP/1.1\r\nHost: a\r\nBig: " + std::string(20'000, 'x') + "\r\n\r\n",
       "HTTP/1.1 431"},
      {"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 431"},
  };
  for (const auto& [bytes, status] : cases) {
    const std::string answer = raw(bytes);
    EXPECT_TRUE(answer.starts_with(status)) << bytes.substr(0, 60) << " -> " << answer;
    EXPECT_NE(answer.find("{\"message\":\""), std::string::npos) << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  }
  EXPECT_TRUE(unix_client().request(get("/whoami")));  // the server lives on
}

TEST_F(ServerTest, PipelinedRequestsAndGarbageBehindThem) {
  start_unix();
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    bytes += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n" + std::to_string(10 + i);
  }
  const std::string answer = raw(bytes + "rubbish behind\r\n\r\n");
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answer.find("\r\n\r\n" + std::to_string(10 + i), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_NE(answer.find("HTTP/1.1 400"), std::string::npos);
}

TEST_F(ServerTest, OldClientsAndContinue) {
  start_unix();
  EXPECT_TRUE(raw("GET /pattern/10?chunked HTTP/1.0\r\n\r\n").find("chunked") == std::string::npos);
  auto stream = *os::connect_unix(socket_);
  stream->set_timeout(milliseconds(5000));
  ASSERT_TRUE(stream->write_all(as_bytes(
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")));
  Bytes go_on(25);
  ASSERT_TRUE(stream->read_exact(go_on));
  EXPECT_EQ(as_text(go_on), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(stream->write_all(as_bytes("abc")));
  Bytes answer(15);
  ASSERT_TRUE(stream->read_exact(answer));
  EXPECT_EQ(as_text(answer), "HTTP/1.1 200 OK");
}

TEST_F(ServerTest, TruncatedBodiesNeverReachAHandlerAsWhole) {
  start_unix();
  const std::string start = {static_cast<char>(pattern(0)), static_cast<char>(pattern(1))};
  for (const std::string& bytes :
       {std::string("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"),
        std::string("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n" + start}) {
    auto stream = *os::connect_unix(socket_);
    stream->set_timeout(milliseconds(5000));
    ASSERT_TRUE(stream->write_all(as_bytes(bytes)));
    ASSERT_EQ(::shutdown(stream->descriptor(), SHUT_WR), 0);
    EXPECT_EQ(rest_of(*stream), "") << bytes;
  }
}

TEST_F(ServerTest, SlowClientsAreTimedOut) {
  start_unix({.head_timeout = milliseconds(100),
              .body_timeout = milliseconds(100),
              .idle_timeout = milliseconds(200)});
  EXPECT_TRUE(raw("GET /whoami HTT").starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(raw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
                  .starts_with("HTTP/1.1 408"));
  EXPECT_EQ(raw(""), "");  // an idle connection is closed without a word
}

TEST_F(ServerTest, UploadsAndDownloadsStreamInBoundedMemory) {
  constexpr std::uint64_t kSize = 64ULL * 1024 * 1024;
  start_tls();
  Client client = tls_client("client");
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  for (const bool chunked : {false, true}) {
    std::uint64_t sent = 0;
    const auto source = [&](MutableBytes out) -> Result<std::size_t> {
      const std::size_t count = std::min<std::uint64_t>(out.size(), kSize - sent);
      for (std::size_t i = 0; i < count; ++i) out[i] = pattern(sent + i);
      sent += count;
      return count;
    };
    const auto answer =
        client.upload(post("/count", ""), chunked ? std::nullopt : std::optional(kSize), source);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body.text(), std::to_string(kSize));

    std::uint64_t got = 0;
    bool good = true;
    const auto sink = [&](ByteView bytes) -> Result<> {
      for (const Byte byte : bytes) good = good && byte == pattern(got++);
      return {};
    };
    const auto down = client.download(
        get("/pattern/" + std::to_string(kSize) + (chunked ? "?chunked" : "")), sink);
    ASSERT_TRUE(down) << down.error().message;
    EXPECT_EQ(got, kSize);
    EXPECT_TRUE(good);
  }
  EXPECT_EQ(server_->connections(), 1u);
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep freed memory
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 * 1024) << "kB more than before";
#endif
}

TEST_F(ServerTest, WrongClientsNeverReachAHandler) {
  start_tls();
  const crypto::PemCertificate other = *crypto::make_ca("Other authority");
  identities_.issue(other, "foreign", {.common_name = "SAE-A"});
  crypto::CertificateSpec expired{.common_name = "SAE-A"};
  expired.starts_in = std::chrono::hours(-48);
  expired.lasts = std::chrono::hours(-24);
  identities_.issue("expired", expired);
  for (const char* name : {"foreign", "expired"}) {
    const auto answer = tls_client(name).request(get("/whoami"));
    ASSERT_FALSE(answer) << name;
    EXPECT_EQ(answer.error().code, Code::kRefused) << answer.error().message;
    EXPECT_TRUE(answer.error().message.starts_with("https://127.0.0.1:"));
  }
  const auto plain = Client({"", {"127.0.0.1", server_->port()}, nullptr}, {})
                         .request(get("/whoami"));  // no TLS at all
  EXPECT_FALSE(plain);
  // No certificate: our own client cannot do that, the openssl command can.
  const std::string command =
      "printf 'GET /whoami HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | timeout 5 openssl s_client -quiet "
      "-no_ign_eof -CAfile " +
      identities_.dir() + "/ca.pem -connect 127.0.0.1:" + std::to_string(server_->port()) + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output(8192, 0);
  output.resize(std::fread(output.data(), 1, output.size(), pipe));
  (void)::pclose(pipe);
  EXPECT_NE(output.find("verify return:1"), std::string::npos) << output;  // it did get through
  EXPECT_EQ(output.find("200 OK"), std::string::npos) << output;
  EXPECT_TRUE(tls_client("client").request(get("/whoami")));
}

TEST_F(ServerTest, AServerOfAnotherAuthorityIsRefusedByTheClient) {
  const crypto::PemCertificate other = *crypto::make_ca("Other authority");
  crypto::CertificateSpec spec{.common_name = "server"};
  spec.ip_addresses = {"127.0.0.1"};
  identities_.issue(other, "imposter", spec);
  server_ = std::make_unique<Server>(*os::listen_tcp({"127.0.0.1", 0}),
                                     identities_.context(crypto::TlsSide::kServer, "imposter"),
                                     test_router());
  server_->start();
  const auto answer = tls_client("client").request(get("/whoami"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kRefused);
  EXPECT_NE(answer.error().message.find("certificate is not accepted"), std::string::npos)
      << answer.error().message;
}

TEST_F(ServerTest, TwoHundredIdleConnectionsCostNoWorker) {
  start_tls({.workers = 2});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<Client>(tls_client("client")));
    ASSERT_TRUE(clients.back()->request(get("/whoami"))) << i;
  }
  EXPECT_EQ(server_->connections(), 200u);
  for (const auto& client : clients) {
    ASSERT_EQ(client->request(get("/hello/x"))->body.text(), "hello x");
  }
  EXPECT_EQ(server_->connections(), 200u);
  clients.clear();
  for (int i = 0; i < 200 && server_->connections() > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(ServerTest, TooManyConnectionsAreTurnedAway) {
  start_unix({.max_connections = 2});
  Client a = unix_client();
  Client b = unix_client();
  ASSERT_TRUE(a.request(get("/whoami")));
  ASSERT_TRUE(b.request(get("/whoami")));
  const auto third = unix_client().request(get("/whoami"));
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_EQ(third->status, 503);
}

TEST_F(ServerTest, ADeadConnectionIsReplacedSilently) {
  start_unix({.idle_timeout = milliseconds(50)});
  Client client = unix_client();
  ASSERT_TRUE(client.request(get("/whoami")));
  for (int i = 0; i < 300 && server_->connections() > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  ASSERT_EQ(server_->connections(), 0u);
  EXPECT_TRUE(client.request(get("/whoami")));
  EXPECT_TRUE(client.request(post("/echo", "x")));
}

// Accepts two connections; each answers once, then closes when the second request has come.
TEST_F(ServerTest, OnlyIdempotentRequestsAreRepeated) {
  const std::string path = identities_.dir() + "/fake.sock";
  auto listener = *os::listen_unix(path);
  std::atomic<int> accepted = 0;
  std::thread fake([&] {
    for (;;) {
      auto stream = listener->accept();
      if (!stream) return;
      ++accepted;
      Bytes piece(4096);
      (void)(*stream)->read_some(piece);
      (void)(*stream)->write_all(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
      (void)(*stream)->read_some(piece);
    }
  });
  Client client({path, {}, nullptr}, {});
  ASSERT_TRUE(client.request(get("/")));
  ASSERT_TRUE(client.request(get("/")));  // died, repeated on a new connection
  EXPECT_EQ(accepted, 2);
  const auto lost = client.request(post("/", "x"));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kUnknownOutcome);
  EXPECT_EQ(accepted, 2);
  client.close();
  listener->close();
  fake.join();
}

TEST_F(ServerTest, StopLetsARequestFinish) {
  std::latch entered(1);
  std::latch leave(1);
  Router router;
  router.add(Method::kGet, "/slow", [&](RequestContext& context) {
    entered.count_down();
    leave.wait();
    EXPECT_TRUE(context.stopping());
    context.respond(text_response("done"));
  });
  socket_ = identities_.dir() + "/slow.sock";
  server_ = std::make_unique<Server>(*os::listen_unix(socket_), nullptr, std::move(router));
  server_->start();
  std::thread caller([&] {
    const auto answer = unix_client().request(get("/slow"));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body.text(), "done");
  });
  entered.wait();
  std::thread stopper([&] { server_->stop(); });
  std::this_thread::sleep_for(milliseconds(50));
  leave.count_down();
  stopper.join();
  caller.join();
  EXPECT_FALSE(unix_client().request(get("/slow")));
}

TEST_F(ServerTest, StopCutsOffWhoeverHangs) {
  start_unix({.stop_grace = milliseconds(100)});
  auto stream = *os::connect_unix(socket_);
  ASSERT_TRUE(stream->write_all(as_bytes("GET /whoami HT")));  // holds a worker
  std::this_thread::sleep_for(milliseconds(100));
  const auto begin = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
}

TEST_F(ServerTest, UnreachableServersAreNamed) {
  const auto gone = Client({"", {"127.0.0.1", 1}, nullptr}, {}).request(get("/"));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kUnavailable);
  EXPECT_NE(gone.error().message.find("http://127.0.0.1:1"), std::string::npos);
  Client client({"/nowhere.sock", {}, nullptr}, {});
  EXPECT_EQ(client.request(get("/")).error().code, Code::kUnavailable);
  EXPECT_EQ(client.request(get("/a b")).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace warifu::http
