// Sessions of callers, dispatch and errors.
#include "channel/server.h"

#include "base/log.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {
constexpr std::size_t kMaxSessions = 256;
// After a failed greeting, before the next caller is served: a liar can burn one small
// grant each time, so it must not be able to do so thousands of times a second.
constexpr std::chrono::milliseconds kFailurePause(50);
constexpr std::chrono::milliseconds kLongestPause(2000);
}  // namespace

Exchange::Exchange(Connection& connection, Request request, KeepWaiting keep_waiting)
    : connection_(connection),
      request_(std::move(request)),
      keep_waiting_(std::move(keep_waiting)),
      upload_(connection, request_.upload) {}

Result<> Exchange::reply(Bytes body, StreamShape download) {
  WARIFU_CHECK(!replied_);
  Bytes payload = encode(Reply{download, std::move(body)});
  TRY(connection_.send(FrameType::kReply, payload));
  replied_ = true;
  download_ = std::make_unique<StreamSender>(connection_, download, request_.job, keep_waiting_);
  return {};
}

Result<> Exchange::working(std::uint64_t done, std::uint64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_working_ < std::chrono::seconds(1)) return {};
  last_working_ = now;
  wire::Writer writer;
  writer.u64(done);
  writer.u64(total);
  Bytes payload = writer.take();
  return connection_.send(FrameType::kWorking, payload);
}

void Exchange::on_working(Progress progress) {
  upload_.on_working(std::move(progress));
}

void Server::start() {
  acceptor_ = std::thread([this] { accept_loop(); });
}

void Server::stop() {
  if (stopping_.exchange(true)) return;
  listener_->close();
  if (acceptor_.joinable()) acceptor_.join();
  listener_.reset();  // callers are refused from here on, not left waiting
  {
    const std::lock_guard lock(mutex_);
    for (Session& session : sessions_) {
      if (session.connection != nullptr) session.connection->close();
    }
  }
  for (Session& session : sessions_) session.thread.join();
  sessions_.clear();
}

void Server::accept_loop() {
  while (!stopping_) {
    auto stream = listener_->accept();
    if (!stream) {
      if (stream.error().code == Code::kCancelled) return;
      log_error(stream.error().message);
      std::this_thread::sleep_for(kFailurePause);
      continue;
    }
    reap();
    wait_after_failures();
    const std::lock_guard lock(mutex_);
    if (sessions_.size() >= kMaxSessions) {
      log_warning("too many connections; a caller is turned away");
      continue;
    }
    Session& session = sessions_.emplace_back();
    session.thread = std::thread([this, &session, caller = std::move(*stream)]() mutable {
      serve(session, std::move(caller));
    });
  }
}

void Server::note_failure() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  next_greeting_ = std::max(now, next_greeting_) + kFailurePause;
}

// Each failed greeting costs every later caller a pause, whoever they are: the pad that liars can
// make this site burn is bounded for all of them together.
void Server::wait_after_failures() {
  std::chrono::steady_clock::time_point until;
  {
    const std::lock_guard lock(mutex_);
    until = std::min(next_greeting_, std::chrono::steady_clock::now() + kLongestPause);
    next_greeting_ = until;
  }
  std::this_thread::sleep_until(until);
}

void Server::reap() {
  const std::lock_guard lock(mutex_);
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (it->ended) {
      it->thread.join();
      it = sessions_.erase(it);
    } else {
      ++it;
    }
  }
}

void Server::serve(Session& session, std::unique_ptr<os::ByteStream> stream) {
  auto answered = Connection::answer(keys_, std::move(stream));
  if (!answered) {
    log_warning("a caller was refused: " + answered.error().message);
    note_failure();
    session.ended = true;
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    session.connection = std::move(*answered);
    if (stopping_) session.connection->close();
  }
  for (;;) {
    const auto served = serve_request(*session.connection);
    if (served) continue;
    if (served.error().code != Code::kUnavailable) {
      log_warning("link to " + session.connection->link().peer().text() + ": " +
                  served.error().message);
    }
    break;
  }
  session.connection->close();
  {
    const std::lock_guard lock(mutex_);
    session.connection.reset();
  }
  session.ended = true;
}

Result<> Server::serve_request(Connection& connection) {
  TRY_ASSIGN(const Frame frame, connection.receive());
  if (frame.type != FrameType::kRequest) {
    return fail(Code::kProtocol, "a request was due, something else came");
  }
  TRY_ASSIGN(Request request, decode_request(frame.payload.bytes()));
  request.passed.push_back(connection.link().peer());
  connection.work_for(request.job, urgent_.contains(request.method) ? kme::Link::Urgency::kUrgent
                                                                    : kme::Link::Urgency::kUsual);
  Exchange exchange(connection, std::move(request), [this] { return !stopping_.load(); });
  const auto handled = dispatch(exchange);
  if (handled) {
    // A handler that leaves frames unsent or unread has lost step with the caller.
    const bool in_step =
        exchange.replied_ && exchange.upload_.finished() && exchange.download_->finished();
    if (in_step) return {};
    return fail(Code::kProtocol, "a handler left a request half answered");
  }
  // An error takes the place of the acknowledgement or reply that the caller waits for, and once
  // the reply is out that of the next data frame; the connection is then of no more use.
  Bytes payload = encode(handled.error());
  if (exchange.replied_) {
    if (!exchange.download_->finished()) (void)connection.send(FrameType::kError, payload);
    return handled;
  }
  TRY(exchange.upload_.drain_window());
  return connection.send(FrameType::kError, payload);
}

Result<> Server::dispatch(Exchange& exchange) {
  const Request& request = exchange.request();
  // The sender must lie behind the link that the request came over, also when it is only passed on.
  // Data may come by another way, which whoever planned it has chosen.
  const auto back = request.to == caller_.routes().self ? caller_.own_hop(request.from)
                                                        : caller_.next_hop(request.from);
  const bool usual = back && *back == exchange.connection_.link().peer();
  if (!usual && !any_way_.contains(request.method)) {
    return fail(Code::kRefused,
                "a request in the name of " + request.from.text() + " came over another link");
  }
  if (request.to != caller_.routes().self) return relay(exchange);
  const auto handler = handlers_.find(request.method);
  if (handler == handlers_.end()) {
    return fail(Code::kProtocol, caller_.routes().self.text() + " does not know request " +
                                     std::to_string(request.method));
  }
  return handler->second(exchange);
}

}  // namespace warifu::channel
