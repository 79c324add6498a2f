// An HTTP/1.1 server: many idle connections, few blocking workers.
//
// One thread accepts; idle connections are parked in one epoll; a readable one goes to a worker,
// which shakes hands (TLS), serves what has arrived and parks it again. A client in the middle of
// its handshake is parked too, so only those with an accepted certificate can hold a worker, within
// the limits below. A connection that has become a feed (feed.h) is parked for good; one more
// thread writes for all of them. Every 4xx and 5xx made here carries {"message":
// ...}. Thread rule: start() and stop() by the owner; handlers run on worker threads, several at
// once.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/log_limit.h"
#include "http/context.h"
#include "http/feed.h"
#include "http/parking.h"
#include "http/tls_stream.h"

namespace warifu::http {

struct ServerOptions {
  unsigned workers = 4;
  std::size_t max_connections = 1024;
  std::size_t max_feeds = 64;  // of the connections; a feed beyond them is refused with 503
  std::chrono::milliseconds handshake_timeout{10'000};  // from the connection to its last word
  std::chrono::milliseconds head_timeout{10'000};       // for a whole head, from its first byte
  std::chrono::milliseconds body_timeout{120'000};      // for a whole body that is not streamed
  std::chrono::milliseconds io_timeout{30'000};         // for each wait in a stream
  std::chrono::milliseconds idle_timeout{300'000};      // between requests
  std::chrono::milliseconds stop_grace{5'000};  // for requests at work when the server stops
};

class Server {
 public:
  // `tls` == nullptr: plain HTTP (Unix sockets). With TLS, clients without an accepted
  // certificate never reach a handler, unless its configuration takes anonymous ones.
  Server(std::unique_ptr<os::Listener> listener, std::shared_ptr<const crypto::TlsContext> tls,
         Router router, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  // No new requests; those at work get stop_grace, then their connections are cut. Idempotent.
  void stop();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::size_t connections() const;

 private:
  enum class Place { kParked, kQueued, kServed, kFed };
  // `place` is guarded by mutex_; everything else belongs to whoever holds the connection: its
  // worker, while it is parked whoever has mutex_, and once it is a feed the thread that writes.
  struct Connection {
    std::uint64_t id = 0;
    std::unique_ptr<os::ByteStream> stream;
    TlsStream* tls = nullptr;           // the same stream, when it is one
    std::optional<std::uint32_t> user;  // of a Unix socket
    bool greeted = false;               // handshake done
    std::chrono::steady_clock::time_point admitted;
    std::unique_ptr<MessageReader> reader;
    Place place = Place::kParked;
    std::chrono::steady_clock::time_point parked_since;
    std::shared_ptr<Feed> feed;                    // of a connection that became one
    std::chrono::steady_clock::time_point fed_at;  // the client has last taken all there was
  };
  enum class Next { kKeep, kClose, kFeed };

  void accept_loop();
  void admit(std::unique_ptr<os::ByteStream> stream);
  void park_loop();
  void close_idle();
  void work();
  void serve(Connection& connection);
  enum class Greeting { kDone, kWaits, kLost };
  Greeting greet(Connection& connection);
  Next serve_request(Connection& connection);
  Next refuse_message(Connection& connection, const Error& error);
  bool prepare(RequestContext& context, const MessageHead& head, Router::Match& match);
  Result<> read_body(RequestContext& context, const MessageHead& head, const RouteOptions& options);
  static Result<> lose_body(RequestContext& context, const Error& error);
  void run_handler(RequestContext& context, const Router::Route& route) const;
  Next settle(RequestContext& context, MessageReader& reader);
  void park(Connection& connection);
  void drop(std::uint64_t id);
  [[nodiscard]] bool has_room_for_feed() const;
  void keep_feed(Connection& connection, std::shared_ptr<Feed> feed);
  bool write_feed(Connection& connection, bool& slow);
  void feed_loop();
  void end_feeds();

  LogLimit refusals_{"refusals"};
  std::unique_ptr<os::Listener> listener_;
  std::shared_ptr<const crypto::TlsContext> tls_;
  Router router_;
  ServerOptions options_;
  std::uint16_t port_;
  Parking parking_;
  std::atomic<bool> stopping_ = false;
  bool started_ = false;

  mutable std::mutex mutex_;
  std::condition_variable ready_;  // work in queue_, or the end
  std::condition_variable idle_;   // a worker has finished with a connection
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> queue_;
  std::size_t served_ = 0;  // connections that workers hold
  std::size_t feeds_ = 0;
  std::uint64_t next_id_ = 0;
  bool ended_ = false;

  std::thread acceptor_;
  std::thread parker_;
  std::shared_ptr<FeedBell> bell_ = std::make_shared<FeedBell>();
  std::thread feeder_;
  std::vector<std::thread> workers_;
};

}  // namespace warifu::http
