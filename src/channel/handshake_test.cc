// Greetings of a link under attack: a recorded welcome replayed to a sender that was restored from
// a backup must not make it encrypt with pad it used before; false marks move nothing far.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>
#include <thread>

#include "channel/connection.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {

class HandshakeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "warifu-greet-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    ASSERT_TRUE(kme::create_link_pools(system_, dir_ + "/a", config("b")));
    ASSERT_TRUE(kme::create_link_pools(system_, dir_ + "/b", config("a")));
    open("a", a_);
    open("b", b_);
    std::mt19937_64 generator(1);
    for (int direction = 0; direction < 2; ++direction) {
      Bytes material(200'000);
      for (auto& byte : material) byte = static_cast<Byte>(generator());
      for (keypool::Pool* pool : {direction == 0 ? &a_link().send() : &a_link().receive(),
                                  direction == 0 ? &b_link().receive() : &b_link().send()}) {
        ASSERT_TRUE(pool->ingest({0}, keypool::Origin::kPreshared, material));
        ASSERT_TRUE(pool->mark_synced({0}, {0}));
      }
    }
  }
  void TearDown() override {
    a_.reset();
    b_.reset();
    std::filesystem::remove_all(dir_);
  }
  static kme::LinkConfig config(const char* peer) {
    return {*SiteName::parse(peer), kme::LinkClass::kPreshared, LinkId::from_view(Bytes(16, 7))};
  }
  void open(const char* name, std::unique_ptr<kme::KeyManager>& keys) {
    keys.reset();
    auto opened =
        kme::KeyManager::open(system_, dir_ + "/" + name, {config(name[0] == 'a' ? "b" : "a")});
    ASSERT_TRUE(opened) << opened.error().message;
    keys = std::move(*opened);
  }
  kme::Link& a_link() { return *a_->link_to(*SiteName::parse("b")); }
  kme::Link& b_link() { return *b_->link_to(*SiteName::parse("a")); }

  // a calls; `callee` plays the other end on the accepted stream.
  Result<std::unique_ptr<Connection>> call(
      const std::function<void(std::unique_ptr<os::ByteStream>)>& callee) {
    auto listener = *os::listen_tcp({"127.0.0.1", 0});
    std::thread other([&] { callee(*listener->accept()); });
    auto stream = *os::connect_tcp({"127.0.0.1", listener->port()}, std::chrono::seconds(5));
    auto connection = Connection::call(a_link(), std::move(stream));
    other.join();
    return connection;
  }
  static Bytes read(os::ByteStream& stream, std::size_t size) {
    Bytes bytes(size);
    EXPECT_TRUE(stream.read_exact(bytes));
    return bytes;
  }

  os::System system_ = os::real_system();
  std::string dir_;
  std::unique_ptr<kme::KeyManager> a_, b_;
};

constexpr std::size_t kHelloFrame = kHeaderBytes + 40;
constexpr std::size_t kWelcomeFrame = kHeaderBytes + 24 + 32;

TEST_F(HandshakeTest, AnHonestPairConnects) {
  const auto connection =
      call([&](auto stream) { EXPECT_TRUE(Connection::answer(*b_, std::move(stream))); });
  EXPECT_TRUE(connection);
}

TEST_F(HandshakeTest, ARecordedWelcomeIsWorthlessToARestoredSender) {
  a_.reset();
  std::filesystem::copy(dir_ + "/a", dir_ + "/a-backup", std::filesystem::copy_options::recursive);
  open("a", a_);
  // A wire tap between a and the real b records the welcome.
  Bytes welcome;
  auto first = call([&](auto from_a) {
    auto relay = *os::listen_tcp({"127.0.0.1", 0});
    std::thread real_b([&] { (void)Connection::answer(*b_, *relay->accept()); });
    auto to_b = *os::connect_tcp({"127.0.0.1", relay->port()}, std::chrono::seconds(5));
    (void)to_b->write_all(read(*from_a, kHelloFrame));
    welcome = read(*to_b, kWelcomeFrame);
    (void)from_a->write_all(welcome);
    (void)to_b->write_all(read(*from_a, kHeaderBytes + 32));
    (void)from_a->write_all(read(*to_b, kHeaderBytes));
    real_b.join();
  });
  ASSERT_TRUE(first) << first.error().message;
  const auto used = a_link().send().status().mark;
  ASSERT_GT(used.value, 0u);
  first->reset();

  a_.reset();
  std::filesystem::remove_all(dir_ + "/a");
  std::filesystem::rename(dir_ + "/a-backup", dir_ + "/a");
  open("a", a_);
  ASSERT_EQ(a_link().send().status().mark.value, 0u);  // the backup knows nothing of the use
  std::size_t sent_after = 0;
  const auto replayed = call([&](auto from_a) {
    (void)read(*from_a, kHelloFrame);
    (void)from_a->write_all(welcome);
    from_a->set_timeout(std::chrono::milliseconds(500));
    Bytes rest(4096);
    if (const auto got = from_a->read_some(rest)) sent_after = *got;
  });
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, Code::kProtocol);
  // All that leaves is a clear frame of words: nothing under the replayed pad.
  EXPECT_LT(sent_after, kHeaderBytes + 520);
  EXPECT_EQ(a_link().send().status().payload_bytes, 0u);
}

TEST_F(HandshakeTest, ABitChangedInAWelcomeIsNoticed) {
  for (std::size_t bit = 0; bit < 32 * 8; bit += 5) {
    const auto connection = call([&](auto from_a) {
      auto relay = *os::listen_tcp({"127.0.0.1", 0});
      std::thread real_b([&] { (void)Connection::answer(*b_, *relay->accept()); });
      auto to_b = *os::connect_tcp({"127.0.0.1", relay->port()}, std::chrono::seconds(5));
      (void)to_b->write_all(read(*from_a, kHelloFrame));
      Bytes welcome = read(*to_b, kWelcomeFrame);
      Byte& changed = welcome[kHeaderBytes + 24 + bit / 8];
      changed = static_cast<Byte>(changed ^ (1U << (bit % 8)));
      (void)from_a->write_all(welcome);
      Bytes answer(64);
      (void)from_a->read_some(answer);
      to_b->shutdown();
      real_b.join();
    });
    EXPECT_FALSE(connection) << "bit " << bit;
  }
  EXPECT_EQ(a_link().send().status().payload_bytes, 0u);
}

TEST_F(HandshakeTest, AFalseMarkDoesNotBurnThePool) {
  const auto refused = call([&](auto from_a) {
    (void)read(*from_a, kHelloFrame);
    wire::Writer mark;
    mark.u64(190'000);
    const HeaderBytes header = encode(FrameHeader{FrameType::kBehind, 8});
    (void)from_a->write_all(header);
    (void)from_a->write_all(mark.bytes());
  });
  EXPECT_FALSE(refused);
  EXPECT_EQ(a_link().receive().status().mark.value, 0u);
  EXPECT_EQ(a_link().send().status().mark.value, 0u);
}

}  // namespace
}  // namespace warifu::channel
