// The three methods over a small source of keys: every decision about ambiguous requests, with its
// status and literal message, and the client against the same server.
#include "kme/etsi014_server.h"

#include <gtest/gtest.h>

#include <mutex>

#include "base/log.h"
#include "http/http_test_support.h"
#include "kme/etsi014_client.h"

namespace warifu::kme {
namespace {

// Keys of 256 bit by default, at most 1024; multicast to one more SAE.
class SmallSource final : public KeySource {
 public:
  Result<SourceStatus> status(const std::string& master, const std::string& slave) override {
    if (broken) return fail(Code::kIo, "disk on fire");
    if (slave == "SAE-Unknown") return fail(Code::kNotFound, "no SAE " + slave);
    if (master == "SAE-Idle") return fail(Code::kRefused, "Unauthorized: no keys for " + master);
    SourceStatus status{.source_kme_id = "KME-A", .target_kme_id = "KME-B"};
    status.key_size = 256;
    status.min_key_size = 64;
    status.max_key_size = 1024;
    status.max_key_per_request = 5;
    status.max_key_count = 100;
    status.stored_key_count = static_cast<std::int64_t>(bits / 256);
    status.max_sae_id_count = 1;
    status.bits_available = bits;
    status.bits_per_second = 100;
    status.extension = R"({"warifu_origin":"TEST"})";
    return status;
  }
  Result<std::vector<DeviceKey>> take_new(const KeyOrder& order) override {
    const std::lock_guard lock(mutex_);
    if (bits < order.number * order.size_bits) return fail(Code::kOutOfKey, "empty");
    bits -= order.number * order.size_bits;
    std::vector<DeviceKey> keys;
    for (std::size_t i = 0; i < order.number; ++i) {
      ++made_;
      DeviceKey key{etsi014::uuid_text({static_cast<Byte>(made_ >> 8), static_cast<Byte>(made_)}),
                    secret::Buffer(order.size_bits / 8)};
      for (std::size_t j = 0; j < key.bytes.size(); ++j) {
        key.bytes.bytes()[j] = static_cast<Byte>(made_ * 17 + j);
      }
      stored_[key.id] = {order.master, {order.slave}, secret::Buffer::copy_of(key.bytes.bytes())};
      for (const std::string& sae : order.additional) stored_[key.id].slaves.insert(sae);
      keys.push_back(std::move(key));
    }
    return keys;
  }
  Result<std::vector<DeviceKey>> take_by_id(const std::string& master, const std::string& caller,
                                            const std::vector<std::string>& ids) override {
    const std::lock_guard lock(mutex_);
    bool missing = false;
    for (const std::string& id : ids) {
      const auto found = stored_.find(id);
      missing = missing || found == stored_.end();
      if (found == stored_.end()) continue;
      if (found->second.master != master || !found->second.ever.contains(caller)) {
        if (found->second.master != master || !found->second.slaves.contains(caller)) {
          return fail(Code::kRefused, "Unauthorized: not your key");
        }
      }
      missing = missing || !found->second.slaves.contains(caller);
    }
    if (missing) return fail(Code::kNotFound, "unknown or used");
    std::vector<DeviceKey> keys;
    for (const std::string& id : ids) {
      Entry& entry = stored_[id];
      entry.slaves.erase(caller);
      entry.ever.insert(caller);
      keys.push_back({id, secret::Buffer::copy_of(entry.bytes.bytes())});
    }
    return keys;
  }

  std::uint64_t bits = 1'000'000;
  bool broken = false;

 private:
  struct Entry {
    std::string master;
    std::set<std::string> slaves;
    secret::Buffer bytes;
    std::set<std::string> ever;
  };
  std::mutex mutex_;
  unsigned made_ = 0;
  std::map<std::string, Entry> stored_;
};

class Etsi014Test : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(init_log("test", "", LogLevel::kError)); }
  void SetUp() override {
    identities_.client("a", "sae-a-name", "urn:warifu:sae:a");
    identities_.client("b", "sae-b", "");
    identities_.client("c", "sae-c", "urn:somebody:else");
    identities_.client("idle", "sae-idle", "");
    identities_.client("stranger", "stranger", "");
    SaeMap saes;
    saes.entries = {{"urn:warifu:sae:a", "SAE-A"},
                    {"sae-b", "SAE-B"},
                    {"sae-c", "SAE-C"},
                    {"sae-idle", "SAE-Idle"}};
    http::Router router;
    add_etsi014_routes(router, source_, saes);
    server_ = std::make_unique<http::Server>(
        *os::listen_tcp({"127.0.0.1", 0}), identities_.context(crypto::TlsSide::kServer, "server"),
        std::move(router));
    server_->start();
  }
  http::Endpoint endpoint(const std::string& who) const {
    return {"", {"127.0.0.1", server_->port()}, identities_.context(crypto::TlsSide::kClient, who)};
  }
  http::Response ask(const std::string& who, http::Method method, const std::string& target,
                     std::string_view body = "") {
    auto& client = clients_[who];
    if (client == nullptr) {
      client = std::make_unique<http::Client>(endpoint(who), http::ClientOptions());
    }
    auto response = client->request(
        {.method = method, .target = target, .headers = {}, .body = http::Body::of(body)});
    EXPECT_TRUE(response) << response.error().message;
    return response ? std::move(*response) : http::Response{};
  }
  http::Response get(const std::string& who, const std::string& target) {
    return ask(who, http::Method::kGet, "/api/v1/keys/" + target);
  }
  http::Response post(const std::string& who, const std::string& target, std::string_view body) {
    return ask(who, http::Method::kPost, "/api/v1/keys/" + target, body);
  }
  static std::vector<DeviceKey> keys_of(http::Response response) {
    EXPECT_EQ(response.status, 200) << response.body.text();
    auto keys = etsi014::parse_key_container(response.body.take_secret());
    EXPECT_TRUE(keys);
    return keys ? std::move(*keys) : std::vector<DeviceKey>();
  }
  static void expect_error(const http::Response& response, int status, std::string_view message) {
    EXPECT_EQ(response.status, status) << response.body.text();
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(etsi014::parse_error_message(response.body.text()).value_or("no JSON"), message);
  }

  http::TestIdentities identities_;
  SmallSource source_;
  std::unique_ptr<http::Server> server_;
  std::map<std::string, std::unique_ptr<http::Client>> clients_;
};

TEST_F(Etsi014Test, StatusOfBothKindsOfIdentity) {
  const auto status = *etsi014::parse_status(get("a", "SAE-B/status").body.text());
  EXPECT_EQ(status.master_sae_id, "SAE-A");
  EXPECT_EQ(status.slave_sae_id, "SAE-B");
  EXPECT_EQ(status.source_kme_id, "KME-A");
  EXPECT_EQ(status.stored_key_count, 100);  // never above max_key_count
  EXPECT_EQ(etsi014::parse_status(get("b", "SAE-A/status").body.text())->master_sae_id, "SAE-B");
  EXPECT_EQ(etsi014::parse_status(get("c", "SAE-A/status").body.text())->master_sae_id, "SAE-C");
}

TEST_F(Etsi014Test, KeysMatchAtBothEnds) {
  for (const bool by_get : {true, false}) {
    auto made = keys_of(by_get ? get("a", "SAE-B/enc_keys") : post("a", "SAE-B/enc_keys", ""));
    ASSERT_EQ(made.size(), 1u);
    EXPECT_EQ(made[0].bytes.size(), 32u);
    const auto claimed =
        keys_of(by_get ? get("b", "SAE-A/dec_keys?key_ID=" + made[0].id)
                       : post("b", "SAE-A/dec_keys", etsi014::key_ids_to_json({made[0].id})));
    ASSERT_EQ(claimed.size(), 1u);
    EXPECT_TRUE(secret::equal(claimed[0].bytes.bytes(), made[0].bytes.bytes()));
    expect_error(get("b", "SAE-A/dec_keys?key_ID=" + made[0].id), 400, etsi014::kKeysNotFound);
  }
  const auto three = keys_of(get("a", "SAE-B/enc_keys?number=3&size=1024"));
  ASSERT_EQ(three.size(), 3u);
  EXPECT_EQ(three[2].bytes.size(), 128u);
  EXPECT_EQ(keys_of(post("a", "SAE-B/enc_keys", "{}")).size(), 1u);
  EXPECT_EQ(keys_of(post("a", "SAE-B/enc_keys", R"({"number":2,"unknown":{}})")).size(), 2u);
}

TEST_F(Etsi014Test, AnAdditionalSlaveGetsTheKeyToo) {
  const auto made =
      keys_of(post("a", "SAE-B/enc_keys", R"({"additional_slave_SAE_IDs":["SAE-C"]})"));
  ASSERT_EQ(made.size(), 1u);
  for (const char* who : {"c", "b"}) {
    const auto got = keys_of(post(who, "SAE-A/dec_keys", etsi014::key_ids_to_json({made[0].id})));
    ASSERT_EQ(got.size(), 1u);
    EXPECT_TRUE(secret::equal(got[0].bytes.bytes(), made[0].bytes.bytes()));
  }
}

TEST_F(Etsi014Test, EncKeysRefusals) {
  struct Case {
    const char* body;
    const char* query;
    const char* message;
  };
  const char* number = "number shall be from 1 to 5";
  const char* size = "size shall be from 64 to 1024";
  const char* additional = "additional_slave_SAE_IDs has a blank, repeated or already named SAE ID";
  const Case cases[] = {
      {R"({"size":100})", "size=100", "size shall be a multiple of 8"},
      {R"({"size":0})", "size=0", size},
      {R"({"size":-8})", "size=-8", size},
      {R"({"size":1032})", "size=1032", size},
      {R"({"size":56})", "size=56", size},
      {R"({"size":"abc01"})", "size=abc01", "size shall be an integer"},
      {R"({"number":0})", "number=0", number},
      {R"({"number":-1})", "number=-1", number},
      {R"({"number":6})", "number=6", number},
      {R"({"number":1.5})", "number=1.5", "number shall be an integer"},
      {nullptr, "number=", "number shall be an integer"},
      {nullptr, "number=1&number=1", "parameter number shall stand there once"},
      {R"({"extension_mandatory":[{"abc_route_type":"direct"}]})", nullptr,
       "not all extension_mandatory parameters are supported"},
      {R"({"additional_slave_SAE_IDs":[]})", nullptr,
       "additional_slave_SAE_IDs shall not be empty"},
      {R"({"additional_slave_SAE_IDs":["SAE-C","SAE-D"]})", nullptr,
       "additional_slave_SAE_IDs shall have at most 1 entries"},
      {R"({"additional_slave_SAE_IDs":["SAE-A"]})", nullptr, additional},
      {R"({"additional_slave_SAE_IDs":["SAE-B"]})", nullptr, additional},
      {R"({"additional_slave_SAE_IDs":[" "]})", nullptr, additional},
  };
  const std::uint64_t before = source_.bits;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.message);
    if (c.body != nullptr) expect_error(post("a", "SAE-B/enc_keys", c.body), 400, c.message);
    if (c.query != nullptr) {
      expect_error(get("a", std::string("SAE-B/enc_keys?") + c.query), 400, c.message);
    }
  }
  EXPECT_EQ(post("a", "SAE-B/enc_keys", "{\"number\":").status, 400);
  EXPECT_EQ(source_.bits, before);
  // Optional extensions and what nobody knows may be there.
  EXPECT_EQ(keys_of(post("a", "SAE-B/enc_keys", R"({"extension_optional":[{"x_y":1}]})")).size(),
            1u);
}

TEST_F(Etsi014Test, AddressesAndIdentities) {
  for (const char* method : {"enc_keys", "dec_keys", "status"}) {
    SCOPED_TRACE(method);
    const std::string name = method;
    expect_error(get("a", "SAE-A/" + name), 400, "the SAE ID in the address is that of the caller");
    expect_error(get("a", "%20/" + name), 400, "the SAE ID in the address shall not be blank");
    expect_error(get("stranger", "SAE-B/" + name), 401,
                 "Unauthorized: the certificate is not that of a known SAE");
    if (name != "status") {
      expect_error(post("a", "SAE-A/" + name, ""), 400,
                   "the SAE ID in the address is that of the caller");
      expect_error(post("stranger", "SAE-B/" + name, ""), 401,
                   "Unauthorized: the certificate is not that of a known SAE");
    }
  }
  expect_error(get("a", "SAE-Unknown/status"), 400, "no SAE SAE-Unknown");
  expect_error(get("idle", "SAE-B/enc_keys"), 401, "Unauthorized: no keys for SAE-Idle");
  EXPECT_EQ(get("a", "SAE-B/other").status, 404);
  EXPECT_EQ(post("a", "SAE-B/status", "").status, 405);
}

TEST_F(Etsi014Test, DecKeysRefusals) {
  const auto made = keys_of(get("a", "SAE-B/enc_keys?number=2"));
  const std::string unknown = "00000000-0000-4000-8000-0000000000ff";
  expect_error(get("b", "SAE-A/dec_keys"), 400, "parameter key_ID is missing");
  expect_error(get("b", "SAE-A/dec_keys?key_ID=abc"), 400, "key_ID shall be a UUID");
  expect_error(get("b", "SAE-A/dec_keys?key_ID=" + made[0].id + "&key_ID=" + made[1].id), 400,
               "parameter key_ID shall stand there once");
  expect_error(get("b", "SAE-A/dec_keys?key_ID=" + unknown), 400, etsi014::kKeysNotFound);
  expect_error(post("b", "SAE-A/dec_keys", ""), 400,
               "the list of key IDs must be a JSON object: incomplete JSON");
  expect_error(post("b", "SAE-A/dec_keys", etsi014::key_ids_to_json({made[0].id, made[0].id})), 400,
               "a key_ID shall stand there once");
  // A foreign SAE: 401 for a key that is known, 400 for one that is not. Wrong master: 401.
  expect_error(get("c", "SAE-A/dec_keys?key_ID=" + made[0].id), 401, "Unauthorized: not your key");
  expect_error(get("c", "SAE-A/dec_keys?key_ID=" + unknown), 400, etsi014::kKeysNotFound);
  expect_error(get("b", "SAE-C/dec_keys?key_ID=" + made[0].id), 401, "Unauthorized: not your key");
  // A batch with one bad id delivers nothing and burns nothing.
  expect_error(post("b", "SAE-A/dec_keys", etsi014::key_ids_to_json({made[0].id, unknown})), 400,
               etsi014::kKeysNotFound);
  EXPECT_EQ(keys_of(post("b", "SAE-A/dec_keys", etsi014::key_ids_to_json({made[1].id, made[0].id})))
                .size(),
            2u);
}

TEST_F(Etsi014Test, ShortageTellsHowLongToWait) {
  source_.bits = 500;
  const auto response = get("a", "SAE-B/enc_keys?number=4");
  expect_error(response, 503, "not enough key");
  EXPECT_EQ(response.headers.find("Retry-After"), "6");  // 524 bits at 100 bit/s
  EXPECT_NE(
      response.body.text().find(R"("details":[{"bits_requested":1024},{"bits_available":500}])"),
      std::string_view::npos)
      << response.body.text();
  EXPECT_EQ(source_.bits, 500u);
  source_.broken = true;
  expect_error(get("a", "SAE-B/enc_keys"), 503, "key data access error");
}

TEST_F(Etsi014Test, ClientAgainstServer) {
  Etsi014Client a(endpoint("a"), {});
  Etsi014Client b(endpoint("b"), {});
  const auto status = a.status("SAE-B");
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(etsi014::extension_text(*status, "warifu_origin"), "TEST");
  const auto made = a.enc_keys("SAE-B", 3, 512);
  ASSERT_TRUE(made) << made.error().message;
  const std::vector<std::string> ids = {(*made)[2].id, (*made)[0].id};
  const auto claimed = b.dec_keys("SAE-A", ids);
  ASSERT_TRUE(claimed) << claimed.error().message;
  EXPECT_EQ((*claimed)[0].id, ids[0]);
  EXPECT_TRUE(secret::equal((*claimed)[0].bytes.bytes(), (*made)[2].bytes.bytes()));

  const auto expect_code = [](const auto& result, Code code, std::string_view words) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_NE(result.error().message.find(words), std::string::npos) << result.error().message;
  };
  expect_code(b.dec_keys("SAE-A", ids), Code::kNotFound, "are not found on KME");
  expect_code(a.enc_keys("SAE-B", 3, 100), Code::kInvalidArgument, "multiple of 8");
  Etsi014Client stranger(endpoint("stranger"), {});
  expect_code(stranger.status("SAE-B"), Code::kRefused, "Unauthorized");
  source_.bits = 0;
  expect_code(a.enc_keys("SAE-B", 1, 512), Code::kOutOfKey, "not enough key");
  EXPECT_EQ(a.retry_after(), 6u);
  server_->stop();
  expect_code(a.enc_keys("SAE-B", 1, 512), Code::kUnavailable, a.device());
  expect_code(a.status("SAE-B"), Code::kUnavailable, a.device());
}

TEST(SaeMaps, ExactAndInOrder) {
  SaeMap saes;
  saes.entries = {{"urn:a", "A"}, {"urn:b", "B"}, {"name", "N"}};
  EXPECT_EQ(*saes.find({"name", {"urn:a"}}), "A");
  EXPECT_EQ(*saes.find({"name", {"urn:other"}}), "N");
  EXPECT_EQ(*saes.find({"", {"urn:other", "urn:b"}}), "B");
  EXPECT_FALSE(saes.find({"NAME", {}}));
  EXPECT_FALSE(saes.find({"", {}}));
  EXPECT_FALSE(saes.find({"x", {"urn:a", "urn:b"}}));
  EXPECT_FALSE(saes.find({"urn:a", {}}));  // a common name never stands for a URI
  saes.common_name_first = true;
  EXPECT_EQ(*saes.find({"name", {"urn:a"}}), "N");
  EXPECT_EQ(*saes.find({"x", {"urn:a"}}), "A");
}

}  // namespace
}  // namespace warifu::kme
