// Two sites with one link, in one process, over real sockets and real files; what one of them
// writes can be watched or changed. For tests of this component only.
#pragma once

#include <functional>
#include <random>
#include <thread>

#include "channel/connection.h"
#include "testing/temporary_folder.h"

namespace warifu::channel {

// A stream whose writes go through `tap`, one frame at a time, before they leave.
class Tapped final : public os::ByteStream {
 public:
  Tapped(std::unique_ptr<os::ByteStream> real, std::function<void(Bytes&)> tap)
      : real_(std::move(real)), tap_(std::move(tap)) {}
  Result<std::size_t> read_some(MutableBytes out) override { return real_->read_some(out); }
  Result<> write_pieces(std::span<const ByteView> pieces) override {
    Bytes joined;
    for (const ByteView piece : pieces) joined.insert(joined.end(), piece.begin(), piece.end());
    return write_all(joined);
  }
  Result<> write_all(ByteView bytes) override {
    Bytes changed(bytes.begin(), bytes.end());
    tap_(changed);
    return real_->write_all(changed);
  }
  bool has_buffered() const override { return real_->has_buffered(); }
  int descriptor() const override { return real_->descriptor(); }
  void set_timeout(std::chrono::milliseconds timeout) override { real_->set_timeout(timeout); }
  void shutdown() override { real_->shutdown(); }

 private:
  std::unique_ptr<os::ByteStream> real_;
  std::function<void(Bytes&)> tap_;
};

// Two sites with one link; each direction has `material_bytes` of key.
class LinkPair {
 public:
  explicit LinkPair(std::size_t material_bytes = 200'000) : material_bytes_(material_bytes) {}
  void set_up() {
    WARIFU_CHECK(kme::create_link_pools(system_, dir_ + "/a", config("b")).has_value());
    WARIFU_CHECK(kme::create_link_pools(system_, dir_ + "/b", config("a")).has_value());
    open("a", a_);
    open("b", b_);
    std::mt19937_64 generator(1);
    for (int direction = 0; direction < 2; ++direction) {
      Bytes material(material_bytes_);
      for (auto& byte : material) byte = static_cast<Byte>(generator());
      if (direction == 0) a_to_b_ = material;
      for (keypool::Pool* pool : {direction == 0 ? &a_link().send() : &a_link().receive(),
                                  direction == 0 ? &b_link().receive() : &b_link().send()}) {
        WARIFU_CHECK(pool->ingest({0}, keypool::Origin::kPreshared, material).has_value());
        WARIFU_CHECK(pool->mark_synced({0}, {0}).has_value());
      }
    }
  }
  void tear_down() {
    a_.reset();
    b_.reset();
  }
  static kme::LinkConfig config(const char* peer) {
    return {*SiteName::parse(peer), kme::LinkClass::kPreshared, LinkId::from_view(Bytes(16, 7))};
  }
  void open(const char* name, std::unique_ptr<kme::KeyManager>& keys) {
    keys.reset();
    auto opened =
        kme::KeyManager::open(system_, dir_ + "/" + name, {config(name[0] == 'a' ? "b" : "a")});
    WARIFU_CHECK(opened.has_value());
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
  // Both ends are real; what a writes goes through `tap`.
  void converse(std::function<void(Bytes&)> tap, const std::function<void(Connection&)>& as_a,
                const std::function<void(Connection&)>& as_b) {
    auto listener = *os::listen_tcp({"127.0.0.1", 0});
    std::thread other([&] {
      auto connection = Connection::answer(*b_, *listener->accept());
      WARIFU_CHECK(connection.has_value());
      as_b(**connection);
    });
    {
      auto stream = *os::connect_tcp({"127.0.0.1", listener->port()}, std::chrono::seconds(5));
      auto connection =
          Connection::call(a_link(), std::make_unique<Tapped>(std::move(stream), std::move(tap)));
      WARIFU_CHECK(connection.has_value());
      if (connection) as_a(**connection);
    }
    other.join();
  }
  // Makes the ends disagree from here on: other bytes in the pool that b receives with.
  void grow_apart(std::size_t size) {
    grow(a_link().send(), size);
    const auto number = b_link().receive().next_segment();
    Bytes other(size, 0x5A);
    other[size / 2] ^= 1;
    WARIFU_CHECK(b_link().receive().ingest(number, keypool::Origin::kPreshared, other).has_value());
    WARIFU_CHECK(
        b_link().receive().mark_synced(number, b_link().receive().status().synced_end).has_value());
  }
  static void grow(keypool::Pool& pool, std::size_t size) {
    const auto number = pool.next_segment();
    WARIFU_CHECK(pool.ingest(number, keypool::Origin::kPreshared, Bytes(size, 0x5A)).has_value());
    WARIFU_CHECK(pool.mark_synced(number, pool.status().synced_end).has_value());
  }
  static Bytes read(os::ByteStream& stream, std::size_t size) {
    Bytes bytes(size);
    WARIFU_CHECK(stream.read_exact(bytes).has_value());
    return bytes;
  }

  os::System system_ = os::real_system();
  std::size_t material_bytes_;
  sim::TemporaryFolder dir_;
  std::unique_ptr<kme::KeyManager> a_, b_;
  Bytes a_to_b_;  // the first material of that direction
};

}  // namespace warifu::channel
