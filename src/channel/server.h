// Answering other sites: accepts connections, dispatches requests to handlers, relays what is for
// others.
//
// One thread per connection (a site has few links). A failing handler sends its error in the place
// of the next acknowledgement or reply, so the connection stays usable.
#pragma once

#include <atomic>
#include <list>
#include <set>
#include <thread>

#include "channel/caller.h"

namespace warifu::channel {

// One request at the answering side.
class Exchange {
 public:
  Exchange(Connection& connection, Request request, KeepWaiting keep_waiting);

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] StreamReceiver& upload() { return upload_; }
  // Sends the reply; then exactly the announced frames go through send().
  [[nodiscard]] Result<> reply(Bytes body, StreamShape download = {});
  [[nodiscard]] Result<> send(MutableBytes payload) { return download_->send(payload); }
  // Tells the caller that work goes on. At most one frame a second leaves; call it freely.
  [[nodiscard]] Result<> working(std::uint64_t done, std::uint64_t total);
  void on_working(Progress progress);

 private:
  friend class Server;
  Connection& connection_;
  Request request_;
  KeepWaiting keep_waiting_;
  StreamReceiver upload_;
  std::unique_ptr<StreamSender> download_;
  std::chrono::steady_clock::time_point last_working_ = std::chrono::steady_clock::now();
  bool replied_ = false;
};

using Handler = std::function<Result<>(Exchange&)>;

class Server {
 public:
  Server(kme::KeyManager& keys, Caller& caller, std::unique_ptr<os::Listener> listener)
      : keys_(keys), caller_(caller), listener_(std::move(listener)) {}
  ~Server() { stop(); }

  // Register everything before start().
  void handle(std::uint16_t method, Handler handler) { handlers_[method] = std::move(handler); }
  // Requests of these methods draw from the emergency reserve of every link on their way back.
  void set_urgent(std::set<std::uint16_t> methods) { urgent_ = std::move(methods); }
  // Requests of these methods may come over any link; all others only over the one that lies on
  // this site's own way to their sender.
  void set_any_way(std::set<std::uint16_t> methods) { any_way_ = std::move(methods); }
  void start();
  // Ends all connections and waits for their threads.
  void stop();

 private:
  struct Session {
    std::unique_ptr<Connection> connection;
    std::unique_ptr<os::ByteStream> greeting;  // until the handshake is done
    std::thread thread;
    std::atomic<bool> ended = false;
  };

  void accept_loop();
  void serve(Session& session, std::unique_ptr<os::ByteStream> stream);
  Result<> serve_request(Connection& connection);
  Result<> dispatch(Exchange& exchange);
  Result<> relay(Exchange& exchange);
  void reap();
  void note_failure();
  void wait_after_failures();

  kme::KeyManager& keys_;
  Caller& caller_;
  std::unique_ptr<os::Listener> listener_;
  std::map<std::uint16_t, Handler> handlers_;
  std::set<std::uint16_t> urgent_;
  std::set<std::uint16_t> any_way_;
  std::thread acceptor_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::list<Session> sessions_;
  std::chrono::steady_clock::time_point next_greeting_;
};

}  // namespace warifu::channel
