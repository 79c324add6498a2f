// Reads HTTP/1.1 messages from a stream: heads, and bodies of any size in pieces.
//
// Boost.Beast's parser stands behind it and is compiled in one file only. Heads are bounded; a
// message with two meanings (length and chunks, unknown codings, spaces before colons) is refused.
// Bytes between stream and caller pass only through secret memory. One thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "http/message.h"
#include "os/net.h"

namespace warifu::http {

inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;

struct MessageHead {
  std::string method;  // requests
  std::string target;
  int status = 0;  // responses
  Headers headers;
  int minor_version = 1;
  bool keep_alive = true;
  bool chunked = false;
  std::optional<std::uint64_t> length;  // of the body, when it was announced
  bool until_close = false;             // a response's body ends with the connection
};

// Parser of one message; see reader.cc.
class MessageParser;

class MessageReader {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  enum class Kind { kRequest, kResponse };

  MessageReader(os::ByteStream& stream, Kind kind);
  ~MessageReader();

  // The head of the next message; none when the peer closed in order before its first byte.
  // `bodyless`: a response to HEAD. Errors: kTimeout, kUnavailable, kProtocol (see refusal()).
  [[nodiscard]] Result<std::optional<MessageHead>> read_head(Deadline deadline,
                                                             bool bodyless = false);
  // Up to out.size() bytes of the body; 0 at its end. Errors: kTimeout, kUnavailable, kProtocol.
  [[nodiscard]] Result<std::size_t> read_body(MutableBytes out);
  [[nodiscard]] bool body_done() const { return body_done_; }
  // Each wait for bytes of the body is bounded by `pause`, all together by `deadline` if there is
  // one.
  void limit_body(std::chrono::milliseconds pause, std::optional<Deadline> deadline);

  // Bytes behind the message read last have arrived.
  [[nodiscard]] bool has_buffered() const { return start_ < end_; }
  // True when a byte of the message being read has arrived.
  [[nodiscard]] bool started() const { return started_; }
  // The status that tells the peer about the last kProtocol error of read_head().
  [[nodiscard]] int refusal() const { return refusal_; }
  // Gives the buffer back while the connection idles.
  void release_memory();

 private:
  Result<bool> receive(Deadline deadline);
  Result<> check_head(MessageHead& head, bool bodyless);
  Result<std::size_t> read_chunks(MutableBytes out);
  [[nodiscard]] Deadline next_deadline() const;

  os::ByteStream& stream_;
  Kind kind_;
  std::unique_ptr<MessageParser> parser_;
  secret::Buffer buffer_;
  std::size_t start_ = 0;  // bytes not yet taken: start_ to end_
  std::size_t end_ = 0;

  bool started_ = false;
  bool body_done_ = true;
  bool until_close_ = false;
  std::optional<std::uint64_t> remaining_;  // of a body with a length
  int refusal_ = 400;
  std::chrono::milliseconds pause_{30'000};
  std::optional<Deadline> body_deadline_;
};

}  // namespace warifu::http
