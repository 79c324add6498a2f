// Calling other sites: routes, cached connections, requests with data in either direction.
//
// A site without a direct link is reached over relays; every hop opens and seals again under its
// own link's pad. Thread-safe; each Call belongs to one thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "channel/conversation.h"

namespace warifu::channel {

// Who is where: addresses of direct peers and the next hop to everybody else.
struct Routes {
  SiteName self;
  std::map<SiteName, os::HostPort> addresses;  // direct peers, those by relayed key included
  std::map<SiteName, SiteName> next_hop;       // every reachable site, over links with own key
  // Peers by relayed key: what the two ends tell each other goes under that key and not over the
  // next hop. Nothing is passed on for others over such a link.
  std::set<SiteName> relayed = {};
};

// How a caller gets a stream to an address; os::connect_tcp but in simulations.
using Dial = std::function<Result<std::unique_ptr<os::ByteStream>>(
    const os::HostPort& address, std::chrono::milliseconds timeout)>;

class Caller;

// One request and its reply. Destroying an unfinished call closes its connection.
class Call {
 public:
  Call(Call&&) = default;
  Call& operator=(Call&&) = default;
  ~Call();

  // Sends the next data frame of the announced upload (encrypted in place).
  [[nodiscard]] Result<> send(MutableBytes payload) { return sender_->send(payload); }
  // Key as share, when the announced upload is drawn: fills `record` with the link's key that
  // becomes the next frame at both ends; nothing of it is sent. Windows and acknowledgements as
  // send().
  [[nodiscard]] Result<> draw(MutableBytes record) { return sender_->draw(record); }
  [[nodiscard]] const std::set<keypool::Origin>& drawn_origins() const {
    return sender_->drawn_origins();
  }
  // Frames of the upload that the far end has made durable.
  [[nodiscard]] std::uint64_t acknowledged() const { return sender_->acknowledged(); }
  // Waits for the reply; the whole upload must have been sent.
  [[nodiscard]] Result<Reply> reply(const Progress& progress = {});
  // The next data frame of the download that the reply announced.
  [[nodiscard]] Result<secret::Buffer> receive();
  [[nodiscard]] bool ack_due() const { return receiver_->ack_due(); }
  [[nodiscard]] Result<> acknowledge();
  // Progress frames that arrive while data is awaited.
  void on_working(Progress progress);
  // From any thread: makes what waits in this call fail soon, by ending the connection.
  void cancel();

 private:
  friend class Caller;
  Call(Caller& caller, std::unique_ptr<Connection> connection, const Request& request,
       KeepWaiting keep_waiting);
  void done();

  Caller* caller_;
  std::unique_ptr<std::mutex> ending_ = std::make_unique<std::mutex>();  // done() against cancel()
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<StreamSender> sender_;
  std::unique_ptr<StreamReceiver> receiver_;
};

class Caller {
 public:
  Caller(kme::KeyManager& keys, Routes routes, Dial dial = os::connect_tcp)
      : keys_(keys), routes_(std::move(routes)), dial_(std::move(dial)) {}

  // Sends a request, by its way when it has one; `from` is filled in when empty. Errors:
  // kUnavailable naming the site that cannot be reached, kOutOfKey; kRefused for a drawn upload to
  // a site that is no direct peer.
  [[nodiscard]] Result<Call> start(Request request, KeepWaiting keep_waiting = {});
  // A request without data frames, and its reply's body.
  [[nodiscard]] Result<Bytes> ask(const SiteName& to, std::uint16_t method, Bytes body);

  [[nodiscard]] const Routes& routes() const { return routes_; }
  [[nodiscard]] kme::KeyManager& keys() { return keys_; }
  // The next site on the way to `to` over links with key of their own. Errors: kNotFound.
  [[nodiscard]] Result<SiteName> next_hop(const SiteName& to) const;
  // The same for a request of this site itself, which may go under relayed key.
  [[nodiscard]] Result<SiteName> own_hop(const SiteName& to) const;

 private:
  friend class Call;
  Result<std::unique_ptr<Connection>> connect(const SiteName& peer);
  std::unique_ptr<Connection> take_idle(const SiteName& peer);
  void give_back(std::unique_ptr<Connection> connection);

  kme::KeyManager& keys_;
  Routes routes_;
  Dial dial_;
  std::mutex mutex_;
  std::map<SiteName, std::vector<std::unique_ptr<Connection>>> idle_;
};

}  // namespace warifu::channel
