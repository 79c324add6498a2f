// A pair of stand-in devices in one process: equal keys at both ends, each once, and what happens
// when one of them is away, starved or full. Also its configuration file.
#include "kme/rate_model.h"

#include <gtest/gtest.h>

#include <random>

#include "base/log.h"
#include "http/http_test_support.h"
#include "kme/etsi014_device.h"

namespace warifu::kme {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSoon(5000);

template <typename Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

class RateModelTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(init_log("test", "", LogLevel::kError)); }
  void SetUp() override {
    identities_.client("sae-a", "sae-a", "urn:warifu:sae:a");
    identities_.client("sae-b", "sae-b", "urn:warifu:sae:b");
    identities_.client("sae-x", "sae-x", "urn:warifu:sae:x");
    for (const char* end : {"a", "b"}) {
      crypto::CertificateSpec kme{.common_name = std::string("kme-") + end};
      kme.dns_names = {"localhost"};
      kme.ip_addresses = {"127.0.0.1"};
      kme.uris = {std::string("urn:warifu:kme:") + end};
      identities_.issue(std::string("kme-") + end, kme);
    }
  }

  RateModelConfig config(RateModelRole role) const {
    const bool alice = role == RateModelRole::kAlice;
    RateModelConfig config;
    config.role = role;
    config.kme_id = alice ? "KME-A" : "KME-B";
    config.peer_kme_id = alice ? "KME-B" : "KME-A";
    config.local_sae = alice ? "SAE-A" : "SAE-B";
    config.remote_sae = alice ? "SAE-B" : "SAE-A";
    config.listen = {"127.0.0.1", 0};
    config.model_listen = {"127.0.0.1", 0};
    config.peer_identity = alice ? "urn:warifu:kme:b" : "urn:warifu:kme:a";
    config.rate_bits_per_second = 400'000'000;
    config.key_size_bits = 8192;
    config.max_key_count = 20;
    config.tls = identities_.config(alice ? "kme-a" : "kme-b");
    config.saes.entries = {
        {"urn:warifu:sae:a", "SAE-A"}, {"urn:warifu:sae:b", "SAE-B"}, {"sae-x", "SAE-X"}};
    return config;
  }
  void start_bob(const std::function<void(RateModelConfig&)>& change = {}) {
    RateModelConfig bob = config(RateModelRole::kBob);
    bob.model_listen.port = bob_port_;
    if (change) change(bob);
    auto started = RateModelDevice::start(bob, os::real_system());
    ASSERT_TRUE(started) << started.error().message;
    bob_ = std::move(*started);
    bob_port_ = bob_->model().model_port();
  }
  void start_alice(const std::function<void(RateModelConfig&)>& change = {}) {
    RateModelConfig alice = config(RateModelRole::kAlice);
    alice.peer = {"127.0.0.1", bob_port_};
    if (change) change(alice);
    auto started = RateModelDevice::start(alice, os::real_system());
    ASSERT_TRUE(started) << started.error().message;
    alice_ = std::move(*started);
  }
  void start_both(const std::function<void(RateModelConfig&)>& change = {}) {
    start_bob(change);
    start_alice(change);
  }
  SourceStatus status_a() { return *alice_->model().status("SAE-A", "SAE-B"); }
  SourceStatus status_b() { return *bob_->model().status("SAE-B", "SAE-A"); }
  static bool up(const SourceStatus& status) {
    return status.extension.find(R"("warifu_link":"up")") != std::string::npos;
  }
  static std::uint64_t counter(const SourceStatus& status, const std::string& name) {
    const std::size_t at = status.extension.find("\"" + name + "\":");
    EXPECT_NE(at, std::string::npos) << name;
    return std::stoull(status.extension.substr(at + name.size() + 3));
  }
  static KeyOrder order(const char* master, const char* slave, std::size_t number,
                        std::size_t bits = 8192) {
    return {master, slave, {}, number, bits};
  }
  static std::vector<std::string> ids_of(const std::vector<DeviceKey>& keys) {
    std::vector<std::string> ids;
    for (const DeviceKey& key : keys) ids.push_back(key.id);
    return ids;
  }
  static void expect_equal(const std::vector<DeviceKey>& a, const std::vector<DeviceKey>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].id, b[i].id);
      EXPECT_TRUE(secret::equal(a[i].bytes.bytes(), b[i].bytes.bytes()));
      EXPECT_FALSE(secret::equal(a[i].bytes.bytes(), Bytes(a[i].bytes.size())));
    }
  }

  http::TestIdentities identities_;
  std::uint16_t bob_port_ = 0;
  std::unique_ptr<RateModelDevice> bob_;
  std::unique_ptr<RateModelDevice> alice_;
};

TEST_F(RateModelTest, BothDirectionsThroughHttps) {
  start_both();
  const auto client = [&](const std::unique_ptr<RateModelDevice>& device, const char* who) {
    return std::make_unique<Etsi014Client>(
        http::Endpoint{
            "", {"127.0.0.1", device->port()}, identities_.context(crypto::TlsSide::kClient, who)},
        http::ClientOptions());
  };
  const auto a = client(alice_, "sae-a");
  const auto b = client(bob_, "sae-b");
  ASSERT_TRUE(eventually([&] {
    return a->status("SAE-B")->stored_key_count >= 5 && b->status("SAE-A")->stored_key_count >= 5;
  }));
  EXPECT_EQ(etsi014::extension_text(*a->status("SAE-B"), "origin"), "RATE_MODEL");
  const auto from_a = a->enc_keys("SAE-B", 5, 8192);
  ASSERT_TRUE(from_a) << from_a.error().message;
  const auto at_b = b->dec_keys("SAE-A", ids_of(*from_a));
  ASSERT_TRUE(at_b) << at_b.error().message;
  expect_equal(*from_a, *at_b);
  const auto from_b = b->enc_keys("SAE-A", 5, 8192);
  ASSERT_TRUE(from_b) << from_b.error().message;
  const auto at_a = a->dec_keys("SAE-B", ids_of(*from_b));
  ASSERT_TRUE(at_a) << at_a.error().message;
  expect_equal(*from_b, *at_a);
  // Delivered once at each end.
  EXPECT_EQ(b->dec_keys("SAE-A", ids_of(*from_a)).error().code, Code::kNotFound);
  EXPECT_EQ(a->dec_keys("SAE-B", ids_of(*from_b)).error().code, Code::kNotFound);
  // Another SAE of the same authority gets nothing.
  const auto more = a->enc_keys("SAE-B", 1, 8192);
  const auto x = client(bob_, "sae-x");
  EXPECT_EQ(x->dec_keys("SAE-A", ids_of(*more)).error().code, Code::kRefused);
  EXPECT_EQ(x->enc_keys("SAE-A", 1, 8192).error().code, Code::kRefused);
  EXPECT_EQ(b->dec_keys("SAE-X", ids_of(*more)).error().code, Code::kRefused);
  EXPECT_TRUE(b->dec_keys("SAE-A", ids_of(*more)));
}

TEST_F(RateModelTest, AnIntakeThatExpectsHardwareRefusesIt) {
  start_both();
  ASSERT_TRUE(eventually([&] { return status_a().stored_key_count >= 5; }));
  const auto device = [&](keypool::Origin origin) {
    return std::make_unique<Etsi014Device>(
        http::Endpoint{"",
                       {"127.0.0.1", alice_->port()},
                       identities_.context(crypto::TlsSide::kClient, "sae-a")},
        "SAE-B", origin);
  };
  const auto refused = device(keypool::Origin::kHardware)->fresh(1 << 20);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused) << refused.error().message;
  EXPECT_TRUE(device(keypool::Origin::kRateModel)->fresh(1 << 20));
}

TEST_F(RateModelTest, EveryKeyOnceUnderLoadFromManyThreads) {
  start_both();
  std::mutex mutex;
  std::set<std::string> seen;
  std::atomic<int> claimed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, from_alice = t % 2 == 0] {
      RateModel& enc = from_alice ? alice_->model() : bob_->model();
      RateModel& dec = from_alice ? bob_->model() : alice_->model();
      const char* master = from_alice ? "SAE-A" : "SAE-B";
      const char* slave = from_alice ? "SAE-B" : "SAE-A";
      for (int round = 0; round < 50;) {
        const auto made = enc.take_new(order(master, slave, 3));
        if (!made) {
          ASSERT_EQ(made.error().code, Code::kOutOfKey);
          std::this_thread::sleep_for(milliseconds(1));
          continue;
        }
        ++round;
        const auto other = dec.take_by_id(master, slave, ids_of(*made));
        ASSERT_TRUE(other) << other.error().message;
        expect_equal(*made, *other);
        claimed += static_cast<int>(other->size());
        const std::lock_guard lock(mutex);
        for (const DeviceKey& key : *made) EXPECT_TRUE(seen.insert(key.id).second);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(claimed, 600);
}

TEST_F(RateModelTest, WithoutThePeerWhatIsThereIsServedAndNoMore) {
  start_both();
  ASSERT_TRUE(eventually([&] { return status_a().stored_key_count == 20; }));
  EXPECT_TRUE(up(status_a()));
  EXPECT_GT(status_a().bits_per_second, 0);
  bob_->stop();
  bob_.reset();
  ASSERT_TRUE(eventually([&] { return !up(status_a()); }));
  EXPECT_EQ(status_a().bits_per_second, 0);
  EXPECT_TRUE(alice_->model().take_new(order("SAE-A", "SAE-B", 15)));
  const auto more = alice_->model().take_new(order("SAE-A", "SAE-B", 6));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::kOutOfKey);
  EXPECT_TRUE(alice_->model().take_new(order("SAE-A", "SAE-B", 5)));
  // A bob without memory: what alice held is worthless and dropped, then new keys come.
  start_bob();
  ASSERT_TRUE(eventually([&] { return up(status_a()) && status_a().stored_key_count == 20; }));
  const auto made = alice_->model().take_new(order("SAE-A", "SAE-B", 20));
  ASSERT_TRUE(made);
  const auto other = bob_->model().take_by_id("SAE-A", "SAE-B", ids_of(*made));
  ASSERT_TRUE(other) << other.error().message;
  expect_equal(*made, *other);
}

TEST_F(RateModelTest, ARestartedDeviceMakesOldKeysWorthlessAtTheOtherEnd) {
  start_both();
  ASSERT_TRUE(eventually([&] { return status_b().stored_key_count == 20; }));
  alice_->stop();
  alice_.reset();
  ASSERT_TRUE(eventually([&] { return !up(status_b()); }));
  start_alice([](RateModelConfig& alice) { alice.rate_bits_per_second = 400'000'000; });
  ASSERT_TRUE(eventually([&] { return up(status_b()) && status_b().stored_key_count == 20; }));
  const auto made = bob_->model().take_new(order("SAE-B", "SAE-A", 20));
  ASSERT_TRUE(made);
  const auto other = alice_->model().take_by_id("SAE-B", "SAE-A", ids_of(*made));
  ASSERT_TRUE(other) << other.error().message;
  expect_equal(*made, *other);
}

TEST_F(RateModelTest, SaturationIsCountedAndShown) {
  start_both();
  ASSERT_TRUE(eventually([&] {
    return status_a().stored_key_count == 20 && status_b().stored_key_count == 20 &&
           counter(status_a(), "warifu_discarded_bits") > 0 &&
           counter(status_b(), "warifu_discarded_bits") > 0;
  }));
  EXPECT_EQ(counter(status_a(), "warifu_unclaimed_keys"), 20u);
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(status_a().stored_key_count, 20);
  EXPECT_EQ(counter(status_b(), "warifu_bits_available"), 20u * 8192);
}

TEST_F(RateModelTest, UnclaimedCopiesExpireAndMakeRoom) {
  start_both([](RateModelConfig& any) { any.unclaimed = milliseconds(100); });
  ASSERT_TRUE(eventually([&] { return status_a().stored_key_count == 20; }));
  const auto made = alice_->model().take_new(order("SAE-A", "SAE-B", 20));
  ASSERT_TRUE(made);
  ASSERT_TRUE(eventually([&] { return counter(status_b(), "warifu_expired_keys") == 20; }));
  const auto late = bob_->model().take_by_id("SAE-A", "SAE-B", ids_of(*made));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kNotFound);
  ASSERT_TRUE(eventually([&] { return status_a().stored_key_count == 20; }));
  // What nobody took does not expire.
  std::this_thread::sleep_for(milliseconds(300));
  const auto fresh = alice_->model().take_new(order("SAE-A", "SAE-B", 20));
  ASSERT_TRUE(fresh);
  EXPECT_TRUE(bob_->model().take_by_id("SAE-A", "SAE-B", ids_of(*fresh)));
}

TEST_F(RateModelTest, TheRateIsKept) {
  start_both([](RateModelConfig& any) {
    any.rate_bits_per_second = 1'000'000;  // 122 keys of 8192 bit each second
    any.max_key_count = 1000;
  });
  ASSERT_TRUE(eventually([&] { return up(status_a()); }));
  const auto begin = std::chrono::steady_clock::now();
  const auto first = status_a().stored_key_count + status_b().stored_key_count;
  std::this_thread::sleep_for(milliseconds(1500));
  const auto last = status_a().stored_key_count + status_b().stored_key_count;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double rate = static_cast<double>(last - first) * 8192 / seconds;
  EXPECT_GT(rate, 0.7e6);
  EXPECT_LT(rate, 1.3e6);
}

TEST_F(RateModelTest, SmallKeysShareMemoryAndFrames) {
  start_both([](RateModelConfig& any) {
    any.key_size_bits = 256;
    any.max_key_count = 5000;
    any.max_keys_per_request = 1000;
  });
  ASSERT_TRUE(eventually(
      [&] { return status_a().stored_key_count == 5000 && status_b().stored_key_count == 5000; }));
  const auto made = bob_->model().take_new(order("SAE-B", "SAE-A", 1000, 256));
  ASSERT_TRUE(made);
  const auto other = alice_->model().take_by_id("SAE-B", "SAE-A", ids_of(*made));
  ASSERT_TRUE(other) << other.error().message;
  expect_equal(*made, *other);
}

TEST_F(RateModelTest, OtherDevicesAreNotLinked) {
  const std::function<void(RateModelConfig&)> changes[] = {
      [](RateModelConfig& c) { c.key_size_bits = 256; },
      [](RateModelConfig& c) { c.rate_bits_per_second = 5; },
      [](RateModelConfig& c) { c.remote_sae = "SAE-C"; },
      [](RateModelConfig& c) { c.kme_id = "KME-C"; },
      [](RateModelConfig& c) { c.peer_identity = "urn:warifu:kme:other"; },
      [&](RateModelConfig& c) { c.tls = identities_.config("server"); }};
  start_bob();
  for (const auto& change : changes) {
    start_alice(change);
    std::this_thread::sleep_for(milliseconds(150));
    EXPECT_FALSE(up(status_b()));
    alice_->stop();
  }
  start_alice();
  EXPECT_TRUE(eventually([&] { return up(status_b()) && up(status_a()); }));
}

TEST_F(RateModelTest, GarbageOnTheModelPortIsSurvived) {
  start_bob([](RateModelConfig& bob) { bob.link_tls = false; });
  std::mt19937 chance(3);
  for (int i = 0; i < 20; ++i) {
    auto stream = *os::connect_tcp({"127.0.0.1", bob_port_}, kSoon);
    Bytes junk(200);
    for (Byte& byte : junk) byte = static_cast<Byte>(i < 10 ? chance() : chance() % 6);
    (void)stream->write_all(junk);
  }
  start_alice([](RateModelConfig& alice) { alice.link_tls = false; });
  EXPECT_TRUE(eventually([&] { return up(status_a()) && status_a().stored_key_count == 20; }));
}

TEST_F(RateModelTest, ADeviceThatCannotStartSaysWhy) {
  RateModelConfig bob = config(RateModelRole::kBob);
  bob.tls.key_path = "/nowhere";
  const auto refused = RateModelDevice::start(bob, os::real_system());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("/nowhere"), std::string::npos);
}

// --- the store by itself: a connection that breaks at the worst moments ---

TEST(RateModelStores, ABrokenConnectionNeitherLosesNorRepeats) {
  RateModelConfig config;
  config.key_size_bits = 256;
  config.max_key_count = 8;
  RateModelConfig bob_config = config;
  bob_config.role = RateModelRole::kBob;
  RateModelStore alice(config);
  RateModelStore bob(bob_config);
  std::mt19937 chance(11);
  unsigned made = 0;
  std::set<std::string> delivered;
  for (int round = 0; round < 5000; ++round) {
    if (const auto direction = alice.next_direction()) {
      alice.add_made(*direction, {std::to_string(++made), alice.arena().take()});
    }
    while (const auto next = alice.next_to_send()) {
      if (chance() % 10 == 0) {  // lost on the way: the connection breaks
        alice.resume(bob.last_received());
        break;
      }
      ASSERT_TRUE(
          bob.add_received(next->sequence, next->direction, {next->key.id, bob.arena().take()}));
    }
    if (chance() % 3 == 0) alice.acknowledged(bob.last_received());
    if (chance() % 3 == 0) alice.resume(bob.last_received());  // what was lost is sent again
    for (auto [enc, dec] : {std::pair(&alice, &bob), std::pair(&bob, &alice)}) {
      if (chance() % 2 == 0) continue;
      const std::uint64_t first = enc->taken_base() + enc->taken_log().size();
      std::vector<std::string> ids;
      for (const StoredKey& key : enc->take(enc->available())) {
        ids.push_back(key.id);
        enc->arena().give_back(key.slot);
        ASSERT_TRUE(delivered.insert(key.id).second);
      }
      const auto claimed = dec->claim(ids);
      ASSERT_TRUE(claimed);  // available here means stored there
      for (const StoredKey& key : *claimed) dec->arena().give_back(key.slot);
      dec->peer_took(first, ids, std::chrono::nanoseconds(round));
      enc->taken_heard(dec->peer_taken());
      enc->peer_released(dec->released());
      ASSERT_LE(alice.unclaimed(), 8u);
      ASSERT_LE(bob.unclaimed(), 8u);
    }
  }
  EXPECT_GT(delivered.size(), 1000u);
}

// --- configuration ---

constexpr const char* kGoodConfig = R"([device]
role = "alice"
kme_id = "KME-A"
peer_kme_id = "KME-B"
local_sae = "SAE-A"
remote_sae = "SAE-B"
listen = "127.0.0.1:8443"
peer = "127.0.0.1:9443"
link = "tls"
peer_identity = "urn:warifu:kme:b"
rate = "400Mbit/s"
key_size_bits = 8388608
max_key_count = 64
max_keys_per_request = 16
unclaimed_seconds = 600
[tls]
certificate = "a.pem"
key = "a.key"
ca = "ca.pem"
[sae]
"urn:warifu:sae:a" = "SAE-A"
)";

TEST(RateModelConfigs, AllFields) {
  const auto config = parse_rate_model_config(kGoodConfig, "a.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->role, RateModelRole::kAlice);
  EXPECT_EQ(config->rate_bits_per_second, 400'000'000u);
  EXPECT_EQ(config->key_bytes(), 1024u * 1024);
  EXPECT_EQ(config->peer.port, 9443);
  EXPECT_EQ(config->saes.entries.at("urn:warifu:sae:a"), "SAE-A");
}

TEST(RateModelConfigs, EveryFlawIsNamed) {
  struct Case {
    const char* from;
    const char* to;
    const char* words;
  };
  const Case cases[] = {
      {"role = \"alice\"", "role = \"eve\"", "device.role must be \"alice\" or \"bob\""},
      {"role = \"alice\"", "role = \"bob\"", "device.model_listen is missing"},
      {"kme_id = \"KME-A\"\n", "", "device.kme_id is missing"},
      {"kme_id = \"KME-A\"", "kme_id = 7", "device.kme_id must be a text"},
      {"listen = \"127.0.0.1:8443\"", "listen = \"8443\"", "device.listen must be host:port"},
      {"peer = \"127.0.0.1:9443\"\n", "", "device.peer is missing"},
      {"peer_identity = \"urn:warifu:kme:b\"\n", "", "device.peer_identity is missing"},
      {"400Mbit/s", "fast", "device.rate is wrong: 'fast' is not a rate"},
      {"key_size_bits = 8388608", "key_size_bits = 100", "whole number from 256"},
      {"key_size_bits = 8388608", "key_size_bits = 257", "multiple of 8"},
      {"max_key_count = 64", "max_key_count = 1000000", "device.max_key_count is too large"},
      {"max_keys_per_request = 16", "max_keys_per_request = 60",
       "device.max_keys_per_request is too large"},
      {"unclaimed_seconds = 600", "unclaimed_seconds = 0", "device.unclaimed_seconds must be"},
      {"link = \"tls\"", "link = \"wet string\"", "device.link must be \"tls\" or \"plain\""},
      {"link = \"tls\"", "lnik = \"tls\"", "device.lnik is not a known field"},
      {"ca = \"ca.pem\"\n", "", "tls.ca is missing"},
      {"[tls]", "[ssl]", "'ssl' is not a known table"},
      {"\"urn:warifu:sae:a\" = \"SAE-A\"", "\"urn:warifu:sae:a\" = \"SAE-Z\"",
       "[sae] has no certificate for local_sae 'SAE-A'"},
      {"\"urn:warifu:sae:a\" = \"SAE-A\"", "", "[sae] must name at least one certificate"},
      {"remote_sae = \"SAE-B\"", "remote_sae = \"SAE-A\"", "device.remote_sae must differ"},
      {"[device]", "[device", "a.toml:1: "},
  };
  for (const Case& c : cases) {
    std::string text = kGoodConfig;
    const std::size_t at = text.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    text.replace(at, std::string_view(c.from).size(), c.to);
    const auto config = parse_rate_model_config(text, "a.toml");
    ASSERT_FALSE(config) << c.words;
    EXPECT_EQ(config.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(config.error().message.starts_with("a.toml")) << config.error().message;
    EXPECT_NE(config.error().message.find(c.words), std::string::npos) << config.error().message;
  }
}

TEST(RateModelConfigs, Rates) {
  EXPECT_EQ(*parse_bit_rate("1bit/s"), 1u);
  EXPECT_EQ(*parse_bit_rate("1.5 Gbit/s"), 1'500'000'000u);
  EXPECT_EQ(*parse_bit_rate("256kbit/s"), 256'000u);
  for (const char* bad : {"", "400", "400Mb/s", "-1Mbit/s", "0bit/s", "400  Mbit/s", "9e9Gbit/s",
                          "infbit/s", "nanbit/s", "5Tbit/sx"}) {
    EXPECT_FALSE(parse_bit_rate(bad)) << bad;
  }
}

}  // namespace
}  // namespace warifu::kme
