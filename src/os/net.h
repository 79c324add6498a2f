// Byte streams over sockets, blocking with a deadline per operation.
//
// Ownership: a stream owns its descriptor. Thread rule: one reader and one writer at a time;
// shutdown() may be called from any thread and makes both fail soon.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace warifu::os {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // At least one byte, or 0 at the peer's orderly end. Errors: kTimeout, kUnavailable.
  [[nodiscard]] virtual Result<std::size_t> read_some(MutableBytes out) = 0;
  // All bytes. Errors: kTimeout, kUnavailable.
  [[nodiscard]] virtual Result<> write_all(ByteView bytes) = 0;
  // All bytes of the pieces, in order, as if they were one; a socket takes them in one call.
  // Errors as write_all.
  [[nodiscard]] virtual Result<> write_pieces(std::span<const ByteView> pieces);
  // True when read_some would return bytes that were already taken from the socket.
  [[nodiscard]] virtual bool has_buffered() const = 0;
  // True when something waits to be read, be it bytes or the peer's end: an idle connection that
  // shows it is dead or out of step. By the descriptor, unless the stream has none.
  [[nodiscard]] virtual bool has_input() const;
  [[nodiscard]] virtual int descriptor() const = 0;
  // For every later operation; zero means no limit.
  virtual void set_timeout(std::chrono::milliseconds timeout) = 0;
  virtual void shutdown() = 0;

  // Exactly out.size() bytes. Errors: kUnavailable "connection closed" on an early end.
  [[nodiscard]] Result<> read_exact(MutableBytes out);
};

// Acknowledges what comes next at once. For peers that send a message in small pieces and wait for
// each acknowledgement, which Linux would hold back for 40 ms; to be said again before each read.
void acknowledge_at_once(const ByteStream& stream);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  // Parses "host:port". Errors: kInvalidArgument.
  [[nodiscard]] static Result<HostPort> parse(const std::string& text);
  [[nodiscard]] std::string text() const { return host + ":" + std::to_string(port); }
};

// Errors: kUnavailable naming the address, kTimeout.
[[nodiscard]] Result<std::unique_ptr<ByteStream>> connect_tcp(const HostPort& address,
                                                              std::chrono::milliseconds timeout);
[[nodiscard]] Result<std::unique_ptr<ByteStream>> connect_unix(const std::string& path);

class Listener {
 public:
  virtual ~Listener() = default;
  // Waits for a connection. Errors: kCancelled after close(), kIo.
  [[nodiscard]] virtual Result<std::unique_ptr<ByteStream>> accept() = 0;
  // Makes accept() return kCancelled; callable from any thread.
  virtual void close() = 0;
  // The bound port (useful when port 0 was asked for); 0 for a Unix socket.
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

// Errors: kBusy "port in use" naming the address, kIo.
[[nodiscard]] Result<std::unique_ptr<Listener>> listen_tcp(const HostPort& address);
// Socket file with mode 0600: whoever may open it is the local operator; or with another mode,
// which the caller must then check peers behind. A stale file is replaced.
[[nodiscard]] Result<std::unique_ptr<Listener>> listen_unix(const std::string& path,
                                                            unsigned mode = 0600);
// The uid of the process that connected to a Unix socket, as the kernel knows it (SO_PEERCRED).
// Errors: kIo, also for other sockets.
[[nodiscard]] Result<std::uint32_t> peer_user(const ByteStream& stream);

// Bytes that were written and not taken by the peer's machine yet (SIOCOUTQ); of a Unix socket, not
// read yet. Errors: kUnavailable.
[[nodiscard]] Result<std::size_t> unsent_bytes(const ByteStream& stream);
// Asks for room for that many unsent bytes, so that writes below it do not wait.
void widen_send_buffer(const ByteStream& stream, std::size_t bytes);

}  // namespace warifu::os
