// Sockets: every wait is a poll() with the operation's deadline.
#include "os/net.h"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace warifu::os {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> lost(const char* what) {
  return fail(Code::kUnavailable, std::string(what) + ": " + std::strerror(errno));
}

Result<> wait_for(int fd, short events, std::chrono::milliseconds timeout) {
  pollfd entry{fd, events, 0};
  const int limit = timeout.count() == 0 ? -1 : static_cast<int>(timeout.count());
  for (;;) {
    const int ready = ::poll(&entry, 1, limit);
    if (ready > 0) return {};
    if (ready == 0) return fail(Code::kTimeout, "no answer from the peer in time");
    if (errno != EINTR) return lost("waiting for the peer failed");
  }
}

// A peer whose machine lost power is noticed within about a minute, also when nothing is sent.
void tune_tcp(int fd) {
  const int on = 1, idle_s = 30, interval_s = 10, probes = 3, unacked_ms = 60'000;
  // No effect, and no harm, on Unix sockets.
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof unacked_ms);
}

class SocketStream final : public ByteStream {
 public:
  explicit SocketStream(Descriptor fd) : fd_(std::move(fd)) {}

  Result<std::size_t> read_some(MutableBytes out) override {
    for (;;) {
      const ssize_t got = ::recv(fd_.get(), out.data(), out.size(), MSG_DONTWAIT);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return lost("connection lost");
      TRY(wait_for(fd_.get(), POLLIN, timeout_));
    }
  }

  Result<> write_all(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t put =
          ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(put));
        continue;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return lost("connection lost");
      TRY(wait_for(fd_.get(), POLLOUT, timeout_));
    }
    return {};
  }

  Result<> write_pieces(std::span<const ByteView> pieces) override {
    std::array<iovec, 8> entries{};
    WARIFU_CHECK(pieces.size() <= entries.size());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      entries[i] = {const_cast<Byte*>(pieces[i].data()), pieces[i].size()};  // only read by send
    }
    std::span<iovec> rest = std::span(entries).first(pieces.size());
    for (;;) {
      while (!rest.empty() && rest.front().iov_len == 0) rest = rest.subspan(1);
      if (rest.empty()) return {};
      msghdr message{};
      message.msg_iov = rest.data();
      message.msg_iovlen = rest.size();
      const ssize_t put = ::sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put >= 0) {
        rest = rest.subspan(skip(rest, static_cast<std::size_t>(put)));
        continue;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return lost("connection lost");
      TRY(wait_for(fd_.get(), POLLOUT, timeout_));
    }
  }

  bool has_buffered() const override { return false; }
  int descriptor() const override { return fd_.get(); }
  void set_timeout(std::chrono::milliseconds timeout) override { timeout_ = timeout; }
  void shutdown() override { ::shutdown(fd_.get(), SHUT_RDWR); }

 private:
  // Cuts `count` bytes off the front; returns how many entries they emptied.
  static std::size_t skip(std::span<iovec> entries, std::size_t count) {
    std::size_t whole = 0;
    while (whole < entries.size() && entries[whole].iov_len <= count) {
      count -= entries[whole++].iov_len;
    }
    if (count == 0) return whole;
    entries[whole].iov_base = static_cast<Byte*>(entries[whole].iov_base) + count;
    entries[whole].iov_len -= count;
    return whole;
  }

  Descriptor fd_;
  std::chrono::milliseconds timeout_{0};
};

class SocketListener final : public Listener {
 public:
  SocketListener(Descriptor fd, std::uint16_t port)
      : fd_(std::move(fd)), wake_(::eventfd(0, EFD_CLOEXEC)), port_(port) {}

  Result<std::unique_ptr<ByteStream>> accept() override {
    for (;;) {
      pollfd entries[2] = {{fd_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
      if (::poll(entries, 2, -1) < 0 && errno != EINTR) return lost("waiting for callers failed");
      if (entries[1].revents != 0) return fail(Code::kCancelled, "listener closed");
      if (entries[0].revents == 0) continue;
      const int fd = ::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EINTR || errno == ECONNABORTED || errno == EAGAIN) continue;
        return fail(Code::kIo, std::string("cannot accept a connection: ") + std::strerror(errno));
      }
      tune_tcp(fd);
      return std::make_unique<SocketStream>(Descriptor(fd));
    }
  }

  void close() override {
    const std::uint64_t one = 1;
    WARIFU_CHECK(::write(wake_.get(), &one, sizeof one) == sizeof one);
  }
  std::uint16_t port() const override { return port_; }

 private:
  Descriptor fd_;
  Descriptor wake_;
  std::uint16_t port_;
};

struct AddressList {
  addrinfo* first = nullptr;
  ~AddressList() {
    if (first != nullptr) ::freeaddrinfo(first);
  }
};

Result<> resolve(const HostPort& address, int flags, AddressList& list) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  const std::string port = std::to_string(address.port);
  const int rc = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &list.first);
  if (rc != 0) {
    return fail(Code::kUnavailable,
                "cannot resolve '" + address.text() + "': " + ::gai_strerror(rc));
  }
  return {};
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Code::kInvalidArgument, "socket path '" + path + "' is longer than " +
                                            std::to_string(sizeof address.sun_path - 1) +
                                            " characters");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace

Result<> ByteStream::write_pieces(std::span<const ByteView> pieces) {
  for (const ByteView piece : pieces) TRY(write_all(piece));
  return {};
}

Result<> ByteStream::read_exact(MutableBytes out) {
  while (!out.empty()) {
    TRY_ASSIGN(const std::size_t got, read_some(out));
    if (got == 0) return fail(Code::kUnavailable, "connection closed by the peer");
    out = out.subspan(got);
  }
  return {};
}

bool ByteStream::has_input() const {
  pollfd entry{descriptor(), POLLIN, 0};
  return ::poll(&entry, 1, 0) != 0;
}

void acknowledge_at_once(const ByteStream& stream) {
  const int on = 1;
  (void)::setsockopt(stream.descriptor(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

Result<HostPort> HostPort::parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  unsigned port = 0;
  if (colon != std::string::npos && colon > 0) {
    const char* first = text.data() + colon + 1;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, port);
    if (error == std::errc{} && end == last && first != last && port <= 65535) {
      return HostPort{text.substr(0, colon), static_cast<std::uint16_t>(port)};
    }
  }
  return fail(Code::kInvalidArgument, "address '" + text + "' must have the form host:port");
}

Result<std::unique_ptr<ByteStream>> connect_tcp(const HostPort& address,
                                                std::chrono::milliseconds timeout) {
  AddressList list;
  TRY(resolve(address, 0, list));
  std::string reason = "no address";
  for (const addrinfo* entry = list.first; entry != nullptr; entry = entry->ai_next) {
    Descriptor fd(::socket(entry->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd.get() < 0) return lost("cannot make a socket");
    int problem = 0;
    if (::connect(fd.get(), entry->ai_addr, entry->ai_addrlen) != 0) {
      if (errno != EINPROGRESS) {
        problem = errno;
      } else {
        if (auto ready = wait_for(fd.get(), POLLOUT, timeout); !ready) {
          reason = "no answer in " + std::to_string(timeout.count()) + " ms";
          continue;
        }
        socklen_t size = sizeof problem;
        (void)::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
      }
    }
    if (problem == 0) {
      tune_tcp(fd.get());
      return std::make_unique<SocketStream>(std::move(fd));
    }
    reason = std::strerror(problem);
  }
  return fail(Code::kUnavailable, "cannot reach " + address.text() + ": " + reason);
}

Result<std::unique_ptr<ByteStream>> connect_unix(const std::string& path) {
  TRY_ASSIGN(const sockaddr_un address, unix_address(path));
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return lost("cannot make a socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(Code::kUnavailable, "cannot reach '" + path + "': " + std::strerror(errno));
  }
  return std::make_unique<SocketStream>(std::move(fd));
}

Result<std::unique_ptr<Listener>> listen_tcp(const HostPort& address) {
  AddressList list;
  TRY(resolve(address, AI_PASSIVE, list));
  const addrinfo* entry = list.first;
  Descriptor fd(::socket(entry->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return lost("cannot make a socket");
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), entry->ai_addr, entry->ai_addrlen) != 0 || ::listen(fd.get(), 512) != 0) {
    const bool taken = errno == EADDRINUSE;
    return fail(taken ? Code::kBusy : Code::kIo,
                "cannot listen on " + address.text() + ": " + std::strerror(errno));
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  (void)::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  const std::uint16_t port = bound.ss_family == AF_INET6
                                 ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                                 : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port;
  return std::make_unique<SocketListener>(std::move(fd), ntohs(port));
}

Result<std::uint32_t> peer_user(const ByteStream& stream) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const int rc = ::getsockopt(stream.descriptor(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  if (rc != 0 || peer.uid == static_cast<uid_t>(-1)) {
    return fail(Code::kIo, "the peer's user is not known");
  }
  return peer.uid;
}

Result<std::size_t> unsent_bytes(const ByteStream& stream) {
  int count = 0;
  if (::ioctl(stream.descriptor(), SIOCOUTQ, &count) != 0) return lost("connection lost");
  return static_cast<std::size_t>(std::max(count, 0));
}

void widen_send_buffer(const ByteStream& stream, std::size_t bytes) {
  const int size = static_cast<int>(bytes);
  (void)::setsockopt(stream.descriptor(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

Result<std::unique_ptr<Listener>> listen_unix(const std::string& path, unsigned mode) {
  TRY_ASSIGN(const sockaddr_un address, unix_address(path));
  if (connect_unix(path)) {
    return fail(Code::kBusy, "'" + path + "' is served by another process");
  }
  (void)::unlink(path.c_str());
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return lost("cannot make a socket");
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), mode) != 0 || ::listen(fd.get(), 64) != 0) {
    return fail(Code::kIo, "cannot listen on '" + path + "': " + std::strerror(errno));
  }
  return std::make_unique<SocketListener>(std::move(fd), std::uint16_t{0});
}

}  // namespace warifu::os
