// Connections between parking, queue and workers; handshakes, requests and their ends.
#include "http/server.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "http/body_builder.h"

namespace warifu::http {
namespace {

constexpr std::chrono::milliseconds kSweep(500);
constexpr std::chrono::milliseconds kAcceptPause(50);
constexpr std::chrono::milliseconds kLingerPause(200);
constexpr std::chrono::milliseconds kGreetPatience(1'000);  // to take in one answer of a handshake
constexpr std::size_t kLingerBytes = 256 * 1024;
constexpr std::size_t kDrainBytes = 64 * 1024;  // of a body that the handler did not want
constexpr std::size_t kFirstBytes = 4096;       // of a body without a length
constexpr int kRequestsInARow = 32;             // of one connection, before others get their turn

// Lets the client read our last words: with unread bytes in the socket, closing would destroy them.
void linger(os::ByteStream& stream) {
  const auto deadline = std::chrono::steady_clock::now() + kLingerPause;
  std::array<Byte, 4096> scrap{};
  stream.set_timeout(kLingerPause);
  for (std::size_t total = 0; total < kLingerBytes;) {
    const auto got = stream.read_some(scrap);
    if (!got || *got == 0 || std::chrono::steady_clock::now() > deadline) break;
    total += *got;
  }
  secret::wipe(scrap);
}

}  // namespace

Server::Server(std::unique_ptr<os::Listener> listener,
               std::shared_ptr<const crypto::TlsContext> tls, Router router, ServerOptions options)
    : listener_(std::move(listener)),
      tls_(std::move(tls)),
      router_(std::move(router)),
      options_(options),
      port_(listener_->port()) {
  WARIFU_CHECK(options_.workers > 0 &&
               (tls_ == nullptr || tls_->side() == crypto::TlsSide::kServer));
}

Server::~Server() {
  stop();
}

void Server::start() {
  WARIFU_CHECK(!started_);
  started_ = true;
  acceptor_ = std::thread([this] { accept_loop(); });
  parker_ = std::thread([this] { park_loop(); });
  feeder_ = std::thread([this] { feed_loop(); });
  for (unsigned i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { work(); });
}

void Server::stop() {
  if (!started_ || stopping_.exchange(true)) return;
  listener_->close();
  acceptor_.join();
  listener_.reset();  // callers are refused from here on, not left waiting
  parking_.wake();
  parker_.join();
  bell_->ring();
  feeder_.join();
  {
    std::unique_lock lock(mutex_);
    for (Connection* waiting : queue_) connections_.erase(waiting->id);
    queue_.clear();
    std::erase_if(connections_, [](const auto& e) { return e.second->place == Place::kParked; });
    (void)idle_.wait_for(lock, options_.stop_grace, [this] { return served_ == 0; });
    for (const auto& [id, connection] : connections_) connection->stream->shutdown();
    ended_ = true;
  }
  ready_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  end_feeds();
  connections_.clear();
}

std::size_t Server::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

void Server::accept_loop() {
  for (;;) {
    auto stream = listener_->accept();
    if (stream) {
      admit(std::move(*stream));
      continue;
    }
    if (stream.error().code == Code::kCancelled) return;
    log_error(stream.error().message);
    std::this_thread::sleep_for(kAcceptPause);
  }
}

void Server::admit(std::unique_ptr<os::ByteStream> stream) {
  auto connection = std::make_unique<Connection>();
  connection->admitted = std::chrono::steady_clock::now();
  if (connections() >= options_.max_connections) {
    refusals_.note(LogLevel::kWarning, "clients (too many connections)",
                   "too many connections; a client is turned away");
    if (tls_ != nullptr) return;
    const std::string body = error_json("too many connections");
    stream->set_timeout(kLingerPause);
    (void)stream->write_all(as_bytes(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: "
        "1\r\nConnection: close\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body));
    return;
  }
  if (tls_ != nullptr) {
    auto wrapped = TlsStream::wrap(std::move(stream), tls_, "");
    if (!wrapped) return log_error("cannot start TLS: " + wrapped.error().message);
    connection->tls = wrapped->get();
    connection->stream = std::move(*wrapped);
  } else {
    if (const auto user = os::peer_user(*stream)) connection->user = *user;
    connection->stream = std::move(stream);
    connection->greeted = true;
  }
  connection->reader =
      std::make_unique<MessageReader>(*connection->stream, MessageReader::Kind::kRequest);
  Connection& added = *connection;
  {
    const std::lock_guard lock(mutex_);
    added.id = next_id_++;
    connections_.emplace(added.id, std::move(connection));
    ++served_;  // held by this thread until it is parked
    added.place = Place::kServed;
  }
  park(added);
}

// Hands a connection that this thread holds to the parking, or closes it.
void Server::park(Connection& connection) {
  connection.reader->release_memory();
  if (connection.tls != nullptr) connection.tls->release_memory();
  const std::lock_guard lock(mutex_);
  --served_;
  const std::uint64_t id = connection.id;
  connection.place = Place::kParked;
  connection.parked_since = std::chrono::steady_clock::now();
  if (stopping_ || !parking_.watch(connection.stream->descriptor(), id)) connections_.erase(id);
  idle_.notify_all();
}

void Server::drop(std::uint64_t id) {
  std::unique_ptr<Connection> gone;  // its farewell happens outside the lock
  {
    const std::lock_guard lock(mutex_);
    const auto found = connections_.find(id);
    gone = std::move(found->second);
    connections_.erase(found);
  }
  gone.reset();
  const std::lock_guard lock(mutex_);
  --served_;
  idle_.notify_all();
}

void Server::park_loop() {
  auto last_sweep = std::chrono::steady_clock::now();
  while (!stopping_) {
    const std::vector<std::uint64_t> tokens = parking_.wait(kSweep);
    {
      const std::lock_guard lock(mutex_);
      for (const std::uint64_t token : tokens) {
        const auto found = connections_.find(token);
        if (found == connections_.end()) continue;
        if (found->second->place == Place::kFed) found->second->feed->abandon();
        if (found->second->place != Place::kParked) continue;
        found->second->place = Place::kQueued;
        queue_.push_back(found->second.get());
      }
    }
    if (tokens.size() == 1) ready_.notify_one();
    if (tokens.size() > 1) ready_.notify_all();
    const auto now = std::chrono::steady_clock::now();
    if (now - last_sweep < kSweep) continue;
    last_sweep = now;
    close_idle();
    refusals_.tick();
  }
}

void Server::close_idle() {
  std::vector<std::unique_ptr<Connection>> gone;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  for (auto it = connections_.begin(); it != connections_.end();) {
    const Connection& connection = *it->second;
    if (connection.place != Place::kParked) {  // a worker's: nothing else of it may be touched
      ++it;
      continue;
    }
    // Before the end of the handshake, silence is not a client that thinks.
    const bool late = connection.greeted ? now - connection.parked_since > options_.idle_timeout
                                         : now - connection.admitted > options_.handshake_timeout;
    if (late) {
      gone.push_back(std::move(it->second));
      it = connections_.erase(it);
    } else {
      ++it;
    }
  }
}

void Server::work() {
  for (;;) {
    Connection* connection = nullptr;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return ended_ || !queue_.empty(); });
      if (queue_.empty()) return;
      connection = queue_.front();
      queue_.pop_front();
      connection->place = Place::kServed;
      ++served_;
    }
    serve(*connection);
  }
}

// One step with what the client has sent so far; nobody waits here for the rest.
Server::Greeting Server::greet(Connection& connection) {
  if (connection.greeted) return Greeting::kDone;
  const auto done = connection.tls->handshake_step(kGreetPatience);
  if (done) {
    connection.greeted = *done;
    return *done ? Greeting::kDone : Greeting::kWaits;
  }
  const std::string& reason = done.error().message;
  refusals_.note(LogLevel::kInfo, "clients (" + reason + ")", "a client was refused: " + reason);
  if (done.error().code == Code::kRefused) linger(connection.tls->transport());
  return Greeting::kLost;
}

void Server::serve(Connection& connection) {
  const bool greeted_before = connection.greeted;
  const Greeting greeting = greet(connection);
  if (greeting == Greeting::kLost) return drop(connection.id);
  if (greeting == Greeting::kWaits) return park(connection);
  const auto waiting = [&] {
    return connection.reader->has_buffered() || connection.stream->has_buffered();
  };
  // After a handshake the first request may not be there yet.
  if (!greeted_before && !waiting()) return park(connection);
  for (int i = 0; i < kRequestsInARow; ++i) {
    const Next next = serve_request(connection);
    if (next == Next::kFeed) return keep_feed(connection, connection.feed);
    if (next == Next::kClose || stopping_) return drop(connection.id);
    if (!waiting()) return park(connection);
  }
  const std::lock_guard lock(mutex_);
  --served_;
  connection.place = Place::kQueued;
  queue_.push_back(&connection);
  ready_.notify_one();
}

Server::Next Server::serve_request(Connection& connection) {
  MessageReader& reader = *connection.reader;
  const auto now = std::chrono::steady_clock::now();
  auto head = reader.read_head(now + options_.head_timeout);
  if (!head) return refuse_message(connection, head.error());
  if (!*head) return Next::kClose;
  RequestContext context(*connection.stream, reader, stopping_);
  context.io_timeout_ = options_.io_timeout;
  const bool known = connection.tls != nullptr && !connection.tls->peer().fingerprint.empty();
  context.peer_ = known ? &connection.tls->peer() : nullptr;
  context.user_ = connection.user;
  context.room_for_feed_ = has_room_for_feed();
  reader.limit_body(options_.io_timeout, std::nullopt);
  Router::Match match;
  if (prepare(context, **head, match)) {
    const RouteOptions& options = match.route->options;
    context.secret_ = options.secret_body;
    const auto body = options.stream_body ? Result<>() : read_body(context, **head, options);
    if (!body) return Next::kClose;
    if (context.state_ == RequestContext::State::kOpen) run_handler(context, *match.route);
    if (context.secret_) context.request_.body.wipe();
  }
  if (context.feed_ != nullptr && !context.broken_) {
    connection.feed = std::move(context.feed_);
    return Next::kFeed;
  }
  return settle(context, reader);
}

// A message that is no request: says so, if there is somebody to tell.
Server::Next Server::refuse_message(Connection& connection, const Error& error) {
  int status = 0;
  if (error.code == Code::kProtocol) status = connection.reader->refusal();
  if (error.code == Code::kTimeout && connection.reader->started()) status = 408;
  if (status != 0) {
    RequestContext context(*connection.stream, *connection.reader, stopping_);
    context.io_timeout_ = options_.io_timeout;
    context.keep_alive_ = false;
    context.refuse(status, error.message);
    linger(*connection.stream);
  }
  return Next::kClose;
}

// Fills in the request and finds its route; false when the answer is already given.
bool Server::prepare(RequestContext& context, const MessageHead& head, Router::Match& match) {
  Request& request = context.request_;
  request.method = method_from(head.method);
  request.target = head.target;
  request.headers = head.headers;
  context.keep_alive_ = head.keep_alive && !stopping_;
  context.old_client_ = head.minor_version == 0;
  const auto expectation = head.headers.find("Expect");
  context.expects_continue_ = expectation && *expectation == "100-continue";
  if (const auto parsed = parse_target(request); !parsed) {
    context.keep_alive_ = false;
    context.refuse(400, parsed.error().message);
    return false;
  }
  match = router_.match(request.method, request.segments);
  if (match.route != nullptr) {
    context.parameters_ = std::move(match.parameters);
    Gatekeeper* keeper = router_.gatekeeper();
    return keeper == nullptr || keeper->admit(context, *match.route);
  }
  if (match.allowed.empty()) {
    context.refuse(404, "nothing is served at this address");
    return false;
  }
  Response response = error_response(405, "this address takes " + match.allowed + " only");
  response.headers.add("Allow", match.allowed);
  context.respond(std::move(response));
  return false;
}

// The whole body into memory; 413 when it is too large. Errors: the client is lost.
Result<> Server::read_body(RequestContext& context, const MessageHead& head,
                           const RouteOptions& options) {
  const auto too_large = [&]() -> Result<> {
    context.refuse(413, "the body is larger than " + std::to_string(options.max_body) + " bytes");
    return {};
  };
  if (head.length.value_or(0) > options.max_body) return too_large();
  context.reader_.limit_body(options_.io_timeout,
                             std::chrono::steady_clock::now() + options_.body_timeout);
  BodyBuilder body(options.secret_body, head.length.value_or(head.chunked ? kFirstBytes : 0));
  while (!context.reader_.body_done()) {
    // One byte more than allowed tells a body that is too large from one that just fits.
    const MutableBytes room = body.room(options.max_body + 1);
    if (room.empty()) return too_large();
    const auto got = context.read_body_some(room);
    if (!got) return lose_body(context, got.error());
    body.filled(*got);
  }
  if (body.size() > options.max_body) return too_large();
  context.request_.body = body.take();
  return {};
}

// A body that cannot be read: says why, if the client may still listen. Always the error.
Result<> Server::lose_body(RequestContext& context, const Error& error) {
  if (error.code == Code::kProtocol || error.code == Code::kTimeout) {
    context.broken_ = false;
    context.keep_alive_ = false;
    context.refuse(error.code == Code::kTimeout ? 408 : 400, error.message);
    linger(context.stream_);
  }
  return std::unexpected(error);
}

void Server::run_handler(RequestContext& context, const Router::Route& route) const {
  std::string reason = "the handler gave no answer";
  try {
    Gatekeeper* keeper = router_.gatekeeper();
    keeper == nullptr ? route.handler(context) : keeper->run(context, route);
  } catch (const std::exception& failure) {
    reason = failure.what();
  }
  if (context.broken_) return;  // the client left; there is nobody to answer
  if (context.state_ == RequestContext::State::kOpen) {
    log_error("request " + std::string(method_name(context.request_.method)) +
              " failed: " + reason);
    context.refuse(500, "internal error");
  }
}

// After an answer: may the connection carry another request?
Server::Next Server::settle(RequestContext& context, MessageReader& reader) {
  if (context.broken_ || context.state_ != RequestContext::State::kAnswered) return Next::kClose;
  // A client that waits for "100 Continue" and got another answer may or may not send its body.
  if (!reader.body_done() && context.expects_continue_) {
    linger(context.stream_);
    return Next::kClose;
  }
  std::array<Byte, 4096> scrap{};
  std::size_t drained = 0;
  reader.limit_body(kLingerPause, std::chrono::steady_clock::now() + kLingerPause);
  while (!reader.body_done() && drained < kDrainBytes) {
    const auto got = reader.read_body(scrap);
    if (!got) return Next::kClose;
    drained += *got;
  }
  secret::wipe(scrap);
  if (!reader.body_done()) {
    linger(context.stream_);
    return Next::kClose;
  }
  return context.keep_alive_ ? Next::kKeep : Next::kClose;
}

}  // namespace warifu::http
