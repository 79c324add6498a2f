// Certificates and TLS sessions against each other in memory: who is accepted, who is refused, and
// with which words.
#include "crypto/tls.h"

#include <gtest/gtest.h>

#include <fstream>

#include "crypto/certificate.h"
#include "testing/temporary_folder.h"

namespace warifu::crypto {
namespace {

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    ca_ = *make_ca("Test authority");
    write("ca.pem", as_bytes(ca_.certificate));
    issue("server", {.common_name = "kme-a",
                     .dns_names = {"localhost", "kme.example"},
                     .ip_addresses = {"127.0.0.1", "::1"},
                     .uris = {},
                     .use = CertificateUse::kServer});
    issue("client", {.common_name = "SAE-A",
                     .dns_names = {},
                     .ip_addresses = {},
                     .uris = {"urn:warifu:sae:a", "urn:warifu:second"},
                     .use = CertificateUse::kClient});
  }

  void write(const std::string& name, ByteView bytes) {
    std::ofstream file(dir_ + "/" + name, std::ios::binary);
    file << as_text(bytes);
    ASSERT_TRUE(file.good());
  }
  void issue(const std::string& name, const CertificateSpec& spec) { issue(ca_, name, spec); }
  void issue(const PemCertificate& ca, const std::string& name, const CertificateSpec& spec) {
    const auto made = issue_certificate(ca, spec);
    ASSERT_TRUE(made) << made.error().message;
    write(name + ".pem", as_bytes(made->certificate));
    write(name + ".key", made->key.bytes());
  }
  TlsConfig config(const std::string& name, const std::string& ca = "ca") const {
    return {dir_ + "/" + name + ".pem", dir_ + "/" + name + ".key", dir_ + "/" + ca + ".pem"};
  }
  std::unique_ptr<TlsSession> server(const std::string& name = "server") {
    return *TlsSession::start(*TlsContext::load(TlsSide::kServer, config(name)), "");
  }
  std::unique_ptr<TlsSession> client(const std::string& name, const std::string& host) {
    return *TlsSession::start(*TlsContext::load(TlsSide::kClient, config(name)), host);
  }

  sim::TemporaryFolder dir_;
  PemCertificate ca_;
};

// Moves records from one session to the other.
void carry(TlsSession& from, TlsSession& to, Bytes& records) {
  if (!to.needs_input()) return;
  from.take_output(records);
  if (!records.empty()) to.feed(records);
}

struct Outcome {
  Result<> client;
  Result<> server;
};

Outcome shake(TlsSession& client, TlsSession& server) {
  Outcome outcome;
  Bytes up;
  Bytes down;
  Byte byte = 0;
  for (int i = 0; i < 10; ++i) {
    if (outcome.client) {
      if (const auto step = client.handshake(); !step) {
        outcome.client = std::unexpected(step.error());
      } else if (*step) {
        // On TLS 1.3 a refusal by the server arrives after the client's handshake.
        if (const auto got = client.read({&byte, 1}); !got) {
          outcome.client = std::unexpected(got.error());
        }
      }
    }
    carry(client, server, up);
    if (outcome.server) {
      if (const auto step = server.handshake(); !step) {
        outcome.server = std::unexpected(step.error());
      }
    }
    carry(server, client, down);
  }
  return outcome;
}

TEST_F(TlsTest, BothEndsSeeEachOther) {
  for (const char* host : {"localhost", "127.0.0.1", "::1", "kme.example"}) {
    const auto a = client("client", host);
    const auto b = server();
    const Outcome outcome = shake(*a, *b);
    ASSERT_TRUE(outcome.client) << host << ": " << outcome.client.error().message;
    ASSERT_TRUE(outcome.server) << outcome.server.error().message;
    EXPECT_EQ(b->peer_identity()->common_name, "SAE-A");
    EXPECT_EQ(b->peer_identity()->uris,
              (std::vector<std::string>{"urn:warifu:sae:a", "urn:warifu:second"}));
    EXPECT_EQ(a->peer_identity()->common_name, "kme-a");
    EXPECT_EQ(a->peer_identity()->fingerprint.size(), 64U);
    EXPECT_NE(a->peer_identity()->fingerprint, b->peer_identity()->fingerprint);
  }
}

TEST_F(TlsTest, OnlyAServerThatSaysSoTakesClientsWithoutCertificates) {
  TlsConfig open = config("server");
  open.ca_path.clear();
  EXPECT_FALSE(TlsContext::load(TlsSide::kServer, open));
  open.anonymous_clients = true;
  const auto context = TlsContext::load(TlsSide::kServer, open);
  ASSERT_TRUE(context) << context.error().message;
  const auto a = client("client", "localhost");
  const auto b = *TlsSession::start(*context, "");
  const Outcome outcome = shake(*a, *b);
  ASSERT_TRUE(outcome.client) << outcome.client.error().message;
  ASSERT_TRUE(outcome.server) << outcome.server.error().message;
  // It did not even ask: nobody is known, and the client still knows the server.
  ASSERT_TRUE(b->peer_identity());
  EXPECT_TRUE(b->peer_identity()->common_name.empty());
  EXPECT_TRUE(b->peer_identity()->fingerprint.empty());
  EXPECT_EQ(a->peer_identity()->common_name, "kme-a");
}

TEST_F(TlsTest, BytesArriveAndTheEndIsOrderly) {
  const auto a = client("client", "localhost");
  const auto b = server();
  ASSERT_TRUE(shake(*a, *b).server);
  Bytes sent(100'000, 0x5A);
  ASSERT_TRUE(a->write(sent));
  a->close();
  Bytes records;
  carry(*a, *b, records);
  EXPECT_TRUE(b->has_plain());
  Bytes got(sent.size());
  std::size_t at = 0;
  while (!b->closed()) {
    const auto count = b->read(MutableBytes(got).subspan(at));
    ASSERT_TRUE(count) << count.error().message;
    at += *count;
    if (at == got.size()) break;
  }
  EXPECT_EQ(got, sent);
  EXPECT_EQ(*b->read(got), 0u);
  EXPECT_TRUE(b->closed());
  EXPECT_FALSE(b->has_plain());
}

TEST_F(TlsTest, AChangedRecordIsCorrupt) {
  const auto a = client("client", "localhost");
  const auto b = server();
  ASSERT_TRUE(shake(*a, *b).server);
  ASSERT_TRUE(a->write(Bytes(100)));
  Bytes records;
  a->take_output(records);
  records.back() ^= 1;
  b->feed(records);
  Bytes got(100);
  const auto count = b->read(got);
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, Code::kCorrupt);
}

TEST_F(TlsTest, TheNameDialledMustBeInTheCertificate) {
  for (const char* host : {"other.example", "127.0.0.2", "kme-a", "sub.localhost"}) {
    const Outcome outcome = shake(*client("client", host), *server());
    ASSERT_FALSE(outcome.client) << host;
    EXPECT_EQ(outcome.client.error().code, Code::kRefused);
    EXPECT_NE(outcome.client.error().message.find("mismatch"), std::string::npos)
        << outcome.client.error().message;
  }
}

TEST_F(TlsTest, WrongClientsAreRefused) {
  const PemCertificate other = *make_ca("Other authority");
  issue(other, "foreign", {.common_name = "SAE-A", .use = CertificateUse::kClient});
  issue("expired", {.common_name = "SAE-A",
                    .use = CertificateUse::kClient,
                    .starts_in = std::chrono::hours(-48),
                    .lasts = std::chrono::hours(-24)});
  issue("early", {.common_name = "SAE-A",
                  .use = CertificateUse::kClient,
                  .starts_in = std::chrono::hours(24)});
  const std::pair<const char*, const char*> cases[] = {
      {"foreign", "self"},
      {"expired", "expired"},
      {"early", "not yet valid"},
      {"server", "purpose"}};  // a server's certificate is not one of a client
  for (const auto& [name, words] : cases) {
    const Outcome outcome = shake(*client(name, "localhost"), *server());
    ASSERT_FALSE(outcome.server) << name;
    EXPECT_EQ(outcome.server.error().code, Code::kRefused) << outcome.server.error().message;
    ASSERT_FALSE(outcome.client) << name;
    EXPECT_EQ(outcome.client.error().code, Code::kRefused) << outcome.client.error().message;
    if (std::string(name) != "foreign") {
      EXPECT_NE(outcome.server.error().message.find(words), std::string::npos)
          << outcome.server.error().message;
    }
  }
}

TEST_F(TlsTest, WrongServersAreRefused) {
  const PemCertificate other = *make_ca("Other authority");
  issue(other, "foreign", {.common_name = "x", .dns_names = {"localhost"}});
  for (const char* name : {"foreign", "client"}) {
    const Outcome outcome = shake(*client("client", "localhost"), *server(name));
    ASSERT_FALSE(outcome.client) << name;
    EXPECT_EQ(outcome.client.error().code, Code::kRefused);
  }
}

TEST_F(TlsTest, GarbageIsRefusedWithoutHarm) {
  const auto b = server();
  const std::string garbage = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  b->feed(as_bytes(garbage));
  const auto step = b->handshake();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, Code::kProtocol);
}

TEST_F(TlsTest, ErrorsNameTheFile) {
  TlsConfig missing = config("client");
  missing.key_path = dir_ + "/nothing.key";
  const auto no_key = TlsContext::load(TlsSide::kClient, missing);
  ASSERT_FALSE(no_key);
  EXPECT_EQ(no_key.error().code, Code::kNotFound);
  EXPECT_NE(no_key.error().message.find("/nothing.key': No such file"), std::string::npos);

  TlsConfig mixed = config("client");
  mixed.key_path = dir_ + "/server.key";
  const auto other_key = TlsContext::load(TlsSide::kClient, mixed);
  ASSERT_FALSE(other_key);
  EXPECT_NE(other_key.error().message.find("does not belong"), std::string::npos)
      << other_key.error().message;

  write("junk.pem", as_bytes("no certificate"));
  TlsConfig junk = config("client");
  junk.ca_path = dir_ + "/junk.pem";
  const auto no_ca = TlsContext::load(TlsSide::kServer, junk);
  ASSERT_FALSE(no_ca);
  EXPECT_EQ(no_ca.error().code, Code::kCorrupt);
  EXPECT_NE(no_ca.error().message.find("junk.pem"), std::string::npos);
}

TEST(Certificates, FieldsAreChecked) {
  const PemCertificate ca = *make_ca("Authority");
  EXPECT_FALSE(make_ca(""));
  EXPECT_FALSE(make_ca(std::string("a\0b", 3)));
  EXPECT_FALSE(make_ca(std::string(65, 'a')));
  EXPECT_FALSE(issue_certificate(ca, {.common_name = "a", .dns_names = {"a,IP:1.2.3.4"}}));
  EXPECT_FALSE(issue_certificate(ca, {.common_name = "a", .ip_addresses = {"1.2.3"}}));
  EXPECT_FALSE(issue_certificate(ca, {.common_name = "a", .uris = {"urn:a b"}}));
  const PemCertificate mixed{ca.certificate, secret::Buffer::copy_of(make_ca("B")->key.bytes())};
  EXPECT_EQ(issue_certificate(mixed, {.common_name = "a"}).error().code, Code::kCorrupt);
}

// Made with the openssl command: what an honest authority never signs.
constexpr const char* kTwoNames = R"(-----BEGIN CERTIFICATE-----
MIIBljCCAT2gAwIBAgIUciSbLLnIU5kA+SpLmyl9c7dlO+EwCgYIKoZIzj0EAwIw
IDEOMAwGA1UEAwwFU0FFLUExDjAMBgNVBAMMBVNBRS1CMCAXDTI2MTEyNDAyNDgx
NloYDzIxMjYxMDMxMDI0ODE2WjAgMQ4wDAYDVQQDDAVTQUUtQTEOMAwGA1UEAwwF
U0FFLUIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARGQLBl1n2rVhs6Vu+Ay2jc
xNrciehdLJPa52ArR2BAPRX0hUMuVX40PwGoQiMvyP+7y3ajKkVAz68y2XMc7uGK
o1MwUTAdBgNVHQ4EFgQU0TGshrAdSGWgl6YNmNqeIYJuvTgwHwYDVR0jBBgwFoAU
0TGshrAdSGWgl6YNmNqeIYJuvTgwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNHADBEAiAdJJSZY4r8U86+LEhqPdjvvHq1IKIZnPpDh/yRVkjQSgIgCIaOHfsu
8UKSsAOs7dKz1we6Kka1D8kXvTl2xGGizyg=
-----END CERTIFICATE-----)";
constexpr const char* kEmbeddedNul = R"(-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUBRs40OuYcWpUqP/z/hXNJp0wuAwwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKU0FFLUEAZXZpbDAgFw0yNjExMjQwMjQ4MTZaGA8yMTI2MTAz
MTAyNDgxNlowFTETMBEGA1UEAwwKU0FFLUEAZXZpbDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABHDn9fvziBbl5P7IeZ4f4LzgIG3jdXMz3hCZnnbyagxiwUiWOwnc
jU8Mk63qEPSa8YCVnP9app8yhlictObdxOCjUzBRMB0GA1UdDgQWBBRLuX28kULg
dTCDhOQWpQcitccaqjAfBgNVHSMEGDAWgBRLuX28kULgdTCDhOQWpQcitccaqjAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDHiViEHqQPy11av6Xf
mdX4646iGcerV7jeLclWLE23gwIgAUpM9M0HdX3jwRFN3Ui2Dl05T7rbk88gqzaQ
7nQELas=
-----END CERTIFICATE-----)";

TEST(Identity, TwoNamesAndEmbeddedNulAreRefused) {
  const auto two = identity_of_pem(kTwoNames);
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code, Code::kRefused);
  EXPECT_NE(two.error().message.find("more than one"), std::string::npos) << two.error().message;
  const auto nul = identity_of_pem(kEmbeddedNul);
  ASSERT_FALSE(nul);
  EXPECT_EQ(nul.error().code, Code::kRefused);
  EXPECT_EQ(identity_of_pem("junk").error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace warifu::crypto
