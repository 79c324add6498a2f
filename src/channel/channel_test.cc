// Three sites in a row over real sockets: requests, data both ways, relaying, exact key accounts,
// hostile bytes on the port, a dead server, a peer that runs out of key.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>

#include "channel/server.h"
#include "testing/temporary_folder.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {

constexpr std::uint16_t kEcho = 1, kUpload = 2, kDownload = 3, kFail = 4, kWork = 5;

struct Site {
  SiteName name;
  std::string dir;
  std::unique_ptr<kme::KeyManager> keys;
  std::unique_ptr<Caller> caller;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
  std::uint64_t uploaded = 0;
  std::atomic<int> working = 0;  // requests that are worked for until nobody waits
};

class ChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"left", "middle", "right"}) {
      auto& site = sites_.emplace_back();
      site.name = *SiteName::parse(name);
      site.dir = dir_ + "/" + name;
    }
    make_link(0, 1, 0x11);
    make_link(1, 2, 0x22);
    start();
  }
  void TearDown() override { stop(); }
  void stop() {
    for (auto& site : sites_) site.server.reset();
    for (auto& site : sites_) site.caller.reset();
    for (auto& site : sites_) site.keys.reset();
  }

  static LinkId link_id(Byte fill) { return LinkId::from_view(Bytes(16, fill)); }

  void make_link(std::size_t a, std::size_t b, Byte fill) {
    ASSERT_TRUE(kme::create_link_pools(
        system_, sites_[a].dir, {sites_[b].name, kme::LinkClass::kPreshared, link_id(fill)}));
    ASSERT_TRUE(kme::create_link_pools(
        system_, sites_[b].dir, {sites_[a].name, kme::LinkClass::kPreshared, link_id(fill)}));
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      Bytes material(material_bytes_);
      for (auto& byte : material) byte = static_cast<Byte>(generator_());
      feed(sites_[from], sites_[to].name, keypool::Direction::kSend, material);
      feed(sites_[to], sites_[from].name, keypool::Direction::kReceive, material);
    }
  }

  void feed(Site& site, const SiteName& peer, keypool::Direction direction, ByteView material) {
    const auto root = *kme::open_root_key(system_, site.dir);
    auto pool =
        *keypool::Pool::open(system_, kme::pool_dir(site.dir, peer, direction), root.bytes());
    const auto number = pool->next_segment();
    ASSERT_TRUE(pool->ingest(number, keypool::Origin::kPreshared, material));
    ASSERT_TRUE(pool->mark_synced(number, pool->status().synced_end));
  }

  void start() {
    std::vector<std::unique_ptr<os::Listener>> listeners;
    for (auto& site : sites_) {
      listeners.push_back(*os::listen_tcp({"127.0.0.1", site.port}));
      site.port = listeners.back()->port();
    }
    for (std::size_t i = 0; i < 3; ++i) {
      std::vector<kme::LinkConfig> links;
      Routes routes{.self = sites_[i].name};
      for (std::size_t j = 0; j < 3; ++j) {
        if (j == i) continue;
        const bool direct = j + 1 == i || i + 1 == j;
        routes.next_hop[sites_[j].name] = direct ? sites_[j].name : sites_[1].name;
        if (!direct) continue;
        routes.addresses[sites_[j].name] = {"127.0.0.1", sites_[j].port};
        links.push_back({sites_[j].name, kme::LinkClass::kPreshared,
                         link_id(std::min(i, j) == 0 ? 0x11 : 0x22)});
      }
      sites_[i].keys = *kme::KeyManager::open(system_, sites_[i].dir, links);
      sites_[i].caller = std::make_unique<Caller>(*sites_[i].keys, routes);
      sites_[i].server =
          std::make_unique<Server>(*sites_[i].keys, *sites_[i].caller, std::move(listeners[i]));
      add_handlers(sites_[i]);
      sites_[i].server->start();
    }
  }

  static void add_handlers(Site& site) {
    site.server->handle(kEcho,
                        [](Exchange& exchange) { return exchange.reply(exchange.request().body); });
    site.server->handle(kUpload, [&site](Exchange& exchange) -> Result<> {
      auto& upload = exchange.upload();
      while (!upload.finished()) {
        TRY_ASSIGN(const secret::Buffer frame, upload.receive());
        for (const Byte b : frame.bytes()) site.uploaded += b;
        if (upload.ack_due()) TRY(upload.acknowledge());
      }
      return exchange.reply({});
    });
    site.server->handle(kDownload, [](Exchange& exchange) -> Result<> {
      const StreamShape shape{70, 69 * 1000 + 5, 1000};
      TRY(exchange.reply({}, shape));
      for (std::uint64_t i = 0; i < shape.frames; ++i) {
        Bytes frame(shape.frame_length(i), static_cast<Byte>(i));
        TRY(exchange.send(frame));
      }
      return {};
    });
    site.server->handle(kWork, [&site](Exchange& exchange) -> Result<> {
      ++site.working;
      // A minute at most: a test that fails must end.
      for (int i = 0; i < 600 && exchange.working(1, 2); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
      --site.working;
      return {};
    });
    site.server->handle(kFail,
                        [](Exchange&) -> Result<> { return fail(Code::kRefused, "not today"); });
  }

  // Key that one direction of a link has spent, seen from both ends; they must agree.
  keypool::PoolStatus spent(std::size_t from, std::size_t to) {
    const auto sender = sites_[from].keys->link_to(sites_[to].name)->send().status();
    const auto receiver = sites_[to].keys->link_to(sites_[from].name)->receive().status();
    EXPECT_EQ(sender.payload_bytes, receiver.payload_bytes);
    EXPECT_EQ(sender.tag_bytes, receiver.tag_bytes);
    EXPECT_EQ(sender.bulk_bytes, receiver.bulk_bytes);
    EXPECT_EQ(sender.hash_key_bytes, receiver.hash_key_bytes);
    return sender;
  }

  static constexpr std::size_t material_bytes_ = 4 << 20;
  os::System system_ = os::real_system();
  sim::TemporaryFolder dir_;
  std::mt19937_64 generator_{1};
  std::deque<Site> sites_;
};

TEST_F(ChannelTest, AsksOverOneHopAndTwo) {
  for (int i = 0; i < 50; ++i) {
    const Bytes body(static_cast<std::size_t>(i) * 100, 7);
    for (const std::size_t to : {1u, 2u}) {
      const auto answer = sites_[0].caller->ask(sites_[to].name, kEcho, body);
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(*answer, body);
    }
  }
  EXPECT_EQ(spent(0, 1).bulk_bytes, 0u);
}

TEST_F(ChannelTest, UploadsOverARelayWithExactBulkAccount) {
  const StreamShape shape{100, 99 * 10'000 + 32, 10'000};
  Request request{.to = sites_[2].name, .method = kUpload, .upload = shape};
  auto call = sites_[0].caller->start(request);
  ASSERT_TRUE(call) << call.error().message;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    Bytes frame(shape.frame_length(i), static_cast<Byte>(i));
    sum += frame.size() * i;
    ASSERT_TRUE(call->send(frame));
    // One window behind; the last one covers everything.
    EXPECT_EQ(call->acknowledged(), i + 1 == 100 ? 100 : i + 1 < 64 ? 0 : (i + 1) / 32 * 32 - 32);
  }
  ASSERT_TRUE(call->reply());
  EXPECT_EQ(sites_[2].uploaded, sum);
  EXPECT_EQ(spent(0, 1).bulk_bytes, shape.bytes);
  EXPECT_EQ(spent(1, 2).bulk_bytes, shape.bytes);
}

TEST_F(ChannelTest, WhoWorksBehindARelayIsToldThatTheCallerIsGone) {
  const auto until = [&](int number) {
    for (int i = 0; i < 200 && sites_[2].working != number; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return sites_[2].working == number;
  };
  auto call = sites_[0].caller->start({.to = sites_[2].name, .method = kWork});
  ASSERT_TRUE(call) << call.error().message;
  ASSERT_TRUE(until(1));
  call->cancel();
  EXPECT_TRUE(until(0));
  EXPECT_TRUE(sites_[0].caller->ask(sites_[2].name, kEcho, {}));
}

TEST_F(ChannelTest, DownloadsAndKeepsTheConnection) {
  for (int round = 0; round < 3; ++round) {
    auto call = sites_[0].caller->start({.to = sites_[2].name, .method = kDownload});
    ASSERT_TRUE(call);
    const auto reply = call->reply();
    ASSERT_TRUE(reply) << reply.error().message;
    for (std::uint64_t i = 0; i < reply->download.frames; ++i) {
      const auto frame = call->receive();
      ASSERT_TRUE(frame) << frame.error().message;
      EXPECT_EQ(frame->size(), reply->download.frame_length(i));
      EXPECT_EQ(frame->bytes()[0], i);
      if (call->ack_due()) {
        ASSERT_TRUE(call->acknowledge());
      }
    }
  }
  EXPECT_EQ(spent(2, 1).bulk_bytes, 3 * (69 * 1000 + 5));
  EXPECT_EQ(spent(1, 0).bulk_bytes, 3 * (69 * 1000 + 5));
}

TEST_F(ChannelTest, ErrorsCarryCodeAndSiteAndTheConnectionLivesOn) {
  for (int i = 0; i < 3; ++i) {
    const auto refused = sites_[0].caller->ask(sites_[2].name, kFail, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kRefused);
    EXPECT_NE(refused.error().message.find("not today"), std::string::npos);
  }
  // In the place of an acknowledgement, in the middle of an upload.
  const StreamShape shape{100, 100'000, 1000};
  auto call = sites_[0].caller->start({.to = sites_[2].name, .method = kFail, .upload = shape});
  ASSERT_TRUE(call);
  Result<> sent;
  for (int i = 0; i < 100 && sent; ++i) {
    Bytes frame(1000);
    sent = call->send(frame);
  }
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::kRefused);
  EXPECT_TRUE(sites_[0].caller->ask(sites_[2].name, kEcho, {}));
}

// --- key as share
// ---------------------------------------------------------------------------------

StreamShape drawn_shape(std::uint64_t frames) {
  return {.frames = frames, .bytes = frames * 160, .frame_bytes = 160, .drawn = true};
}

TEST_F(ChannelTest, KeyBecomesAShareAtADirectPeer) {
  const StreamShape shape = drawn_shape(100);
  auto call = sites_[0].caller->start({.to = sites_[1].name, .method = kUpload, .upload = shape});
  ASSERT_TRUE(call) << call.error().message;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    Bytes record(160);
    const auto drawn = call->draw(record);
    ASSERT_TRUE(drawn) << drawn.error().message;
    for (const Byte b : record) sum += b;
  }
  EXPECT_EQ(call->drawn_origins(), std::set{keypool::Origin::kPreshared});
  ASSERT_TRUE(call->reply());
  EXPECT_EQ(sites_[1].uploaded, sum);
  const auto status = spent(0, 1);
  EXPECT_EQ(status.share_bytes, shape.bytes);
  EXPECT_EQ(status.bulk_bytes, 0u);
}

TEST_F(ChannelTest, NobodyRelaysKeyAsShare) {
  Request request{.to = sites_[2].name, .method = kUpload, .upload = drawn_shape(40)};
  const auto refused = sites_[0].caller->start(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  // A caller that asks all the same, because its map differs: the relay says no.
  auto connection =
      Connection::call(*sites_[0].keys->link_to(sites_[1].name),
                       *os::connect_tcp({"127.0.0.1", sites_[1].port}, std::chrono::seconds(5)));
  ASSERT_TRUE(connection);
  request.from = sites_[0].name;
  Bytes payload = encode(request);
  ASSERT_TRUE((*connection)->send(FrameType::kRequest, payload));
  StreamSender sender(**connection, request.upload, {}, [] { return true; });
  Result<> drawn;
  for (int i = 0; i < 40 && drawn; ++i) {
    Bytes record(160);
    drawn = sender.draw(record);
  }
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.error().code, Code::kRefused);
  EXPECT_NE(drawn.error().message.find("neighbours"), std::string::npos);
  EXPECT_EQ(sites_[2].uploaded, 0u);
}

TEST_F(ChannelTest, GarbageOnThePortHurtsNobody) {
  for (int i = 0; i < 100; ++i) {
    auto stream = os::connect_tcp({"127.0.0.1", sites_[1].port}, std::chrono::seconds(5));
    ASSERT_TRUE(stream);
    Bytes garbage(static_cast<std::size_t>(i) * 3);
    for (auto& b : garbage) b = static_cast<Byte>(generator_());
    if (i % 3 == 0 && garbage.size() > 4) copy_bytes(garbage, as_bytes("WF\x01\x01"));
    (void)(*stream)->write_all(garbage);
  }
  EXPECT_TRUE(sites_[0].caller->ask(sites_[1].name, kEcho, {}));
}

TEST_F(ChannelTest, ADeadPeerIsNamedAndComesBack) {
  ASSERT_TRUE(sites_[0].caller->ask(sites_[1].name, kEcho, {}));
  stop();
  const auto before = sites_[1].port;
  start();
  EXPECT_EQ(sites_[1].port, before);
  EXPECT_TRUE(sites_[0].caller->ask(sites_[1].name, kEcho, {}));
  sites_[1].server->stop();
  const auto gone = sites_[0].caller->ask(sites_[1].name, kEcho, {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kUnavailable);
  EXPECT_NE(gone.error().message.find("middle"), std::string::npos);
}

TEST_F(ChannelTest, RunsOutOfKeyWithAClearWordAndNoReuse) {
  Result<Bytes> last;
  int calls = 0;
  do {
    last = sites_[0].caller->ask(sites_[1].name, kEcho, Bytes(100'000));
    ++calls;
  } while (last && calls < 1000);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Code::kOutOfKey);
  const auto status = spent(0, 1);
  EXPECT_LE(status.payload_bytes + status.tag_bytes + status.hash_key_bytes, material_bytes_);
}

}  // namespace
}  // namespace warifu::channel
