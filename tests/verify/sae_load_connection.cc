// Records in, records out, and where an answer ends.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "sae_load.h"

namespace warifu::verify {
namespace {

// One for all connections: its bytes are taken before the next read.
std::array<Byte, 64 * 1024> records;
std::array<Byte, 32 * 1024> plain;

constexpr std::string_view kLength = "Content-Length: ";

}  // namespace

Result<std::unique_ptr<LoadConnection>> LoadConnection::open(
    std::uint16_t port, std::shared_ptr<const crypto::TlsContext> tls) {
  TRY_ASSIGN(auto session, crypto::TlsSession::start(std::move(tls), "localhost"));
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail(Code::kUnavailable, std::string("socket: ") + std::strerror(errno));
  std::unique_ptr<LoadConnection> connection(new LoadConnection(socket, std::move(session)));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(Code::kUnavailable, std::string("connect: ") + std::strerror(errno));
  }
  const int one = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  (void)connection->greet();
  return connection;
}

LoadConnection::~LoadConnection() {
  ::close(socket_);
}

bool LoadConnection::fail_with(std::string problem) {
  state_ = State::kBroken;
  problem_ = std::move(problem);
  return false;
}

// A request and the records of a handshake fit into the socket's buffer: one is sent at a time.
void LoadConnection::send_output() {
  if (!session_->has_output()) return;
  session_->take_output(outgoing_);
  const ssize_t sent = ::send(socket_, outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(outgoing_.size())) {
    (void)fail_with(std::string("send: ") + std::strerror(errno));
  }
}

bool LoadConnection::greet() {
  const auto done = session_->handshake();
  send_output();
  if (!done) return fail_with(done.error().message);
  if (*done && state_ == State::kGreeting) state_ = State::kIdle;
  return state_ == State::kIdle;
}

void LoadConnection::ask(std::string_view request) {
  WARIFU_CHECK(state_ == State::kIdle);
  state_ = State::kWaiting;
  answer_.clear();
  asked_ = Clock::now();
  if (const auto put = session_->write(as_bytes(request)); !put) {
    (void)fail_with(put.error().message);
    return;
  }
  send_output();
}

bool LoadConnection::on_readable() {
  for (;;) {
    const ssize_t got = ::recv(socket_, records.data(), records.size(), 0);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) return fail_with(got == 0 ? "closed by the site" : std::strerror(errno));
    session_->feed(ByteView(records).first(static_cast<std::size_t>(got)));
    if (state_ == State::kGreeting && !greet()) {
      if (state_ == State::kBroken) return false;
      continue;
    }
    for (;;) {
      const auto bytes = session_->read(plain);
      if (!bytes) return fail_with(bytes.error().message);
      if (*bytes == 0) break;
      answer_.append(reinterpret_cast<const char*>(plain.data()), *bytes);
    }
    if (session_->closed()) return fail_with("ended by the site");
    if (state_ == State::kWaiting && take_answer()) return true;
  }
}

bool LoadConnection::take_answer() {
  const std::size_t head = answer_.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const std::size_t field = answer_.find(kLength);
  std::size_t length = 0;
  if (!answer_.starts_with("HTTP/1.1 ") || field > head) return fail_with("no answer of HTTP");
  const char* end = answer_.data() + answer_.size();
  std::from_chars(answer_.data() + field + kLength.size(), end, length);
  if (answer_.size() < head + 4 + length) return false;
  std::from_chars(answer_.data() + 9, end, status_);
  body_.assign(answer_, head + 4, length);
  latency_ = Clock::now() - asked_;
  state_ = State::kIdle;
  return true;
}

}  // namespace warifu::verify
