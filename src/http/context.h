// One request at the server, as its handler sees it.
//
// The handler answers exactly once: respond(), refuse(), or begin_stream() ... finish(). A stream
// that is not finished ends with a cut connection, so the client never takes a part for the whole.
// Or it calls begin_feed() and returns: others write then, for as long as the client stays.
// Belongs to the worker thread of its request.
#pragma once

#include <atomic>

#include "crypto/tls.h"
#include "http/feed.h"
#include "http/reader.h"
#include "http/router.h"

namespace warifu::http {

class RequestContext {
 public:
  [[nodiscard]] const Request& request() const { return request_; }
  // The request's body, to be moved out by a handler that needs it longer.
  [[nodiscard]] Body& body() { return request_.body; }
  // A {parameter} of the route's pattern; aborts when the pattern has none of that name.
  [[nodiscard]] const std::string& parameter(std::string_view name) const;
  // Who the client's verified certificate names; nullptr without TLS, and of anonymous clients.
  [[nodiscard]] const crypto::PeerIdentity* peer() const { return peer_; }
  // The uid of the process that connected to a Unix socket, as the kernel knows it; none elsewhere.
  [[nodiscard]] std::optional<std::uint32_t> user() const { return user_; }
  // For a gatekeeper that has recognised a session: the request counts as one of the process that
  // the session stands for (its uid, none in single-operator mode), and of that session.
  void stand_for(std::optional<std::uint32_t> user, std::string session) {
    user_ = user;
    session_ = std::move(session);
  }
  // Id of the session; empty when the request came in none.
  [[nodiscard]] const std::string& session() const { return session_; }
  // Of the answer that was given or begun; 0 before.
  [[nodiscard]] int status() const { return status_; }
  // True when the server wants to end; long streams should finish.
  [[nodiscard]] bool stopping() const { return stopping_; }

  // Of a route with stream_body: up to out.size() bytes, 0 at the end.
  // Errors: kTimeout, kUnavailable, kProtocol; then there is nobody left to answer.
  [[nodiscard]] Result<std::size_t> read_body_some(MutableBytes out);

  // For a gatekeeper: from here on the handler sees this request, with its target split, in the
  // place of the one that came: an act that was asked for earlier and is allowed now. The answer
  // goes to whoever sent the present one.
  void become(Request request, Parameters parameters) {
    request_.body.wipe();
    request_ = std::move(request);
    parameters_ = std::move(parameters);
  }

  void respond(Response response);
  // The error answer {"message": ...}.
  void refuse(int status, std::string_view message) { respond(error_response(status, message)); }

  // A body in pieces; with a length, exactly that many bytes must be written. Headers as in
  // Response. Errors of all three: kTimeout, kUnavailable.
  [[nodiscard]] Result<> begin_stream(int status, std::string_view content_type,
                                      const Headers& headers = {},
                                      std::optional<std::uint64_t> length = std::nullopt);
  [[nodiscard]] Result<> write(ByteView bytes);
  [[nodiscard]] Result<> finish();

  // Makes the connection a feed: status 200 and `content_type` now, the text of `feed` from now on.
  // The handler then returns. Errors: kBusy when the server has as many feeds as it takes or the
  // client is too old for one (nothing was answered); kTimeout, kUnavailable.
  [[nodiscard]] Result<> begin_feed(std::shared_ptr<Feed> feed, std::string_view content_type,
                                    const Headers& headers = {});

 private:
  friend class Server;
  RequestContext(os::ByteStream& stream, MessageReader& reader, const std::atomic<bool>& stopping)
      : stream_(stream), reader_(reader), stopping_(stopping) {}

  [[nodiscard]] std::string head_text(int status, std::string_view content_type,
                                      const Headers& headers,
                                      std::optional<std::uint64_t> length) const;
  Result<> send(ByteView bytes);
  Result<> send_head_and(std::string_view head, ByteView body);
  Result<> continue_if_asked();

  enum class State { kOpen, kStreaming, kAnswered };

  os::ByteStream& stream_;
  MessageReader& reader_;
  const std::atomic<bool>& stopping_;
  const crypto::PeerIdentity* peer_ = nullptr;
  std::optional<std::uint32_t> user_;
  std::string session_;
  bool room_for_feed_ = false;
  std::shared_ptr<Feed> feed_;
  Request request_;
  Parameters parameters_;
  std::chrono::milliseconds io_timeout_{30'000};
  bool secret_ = false;
  bool expects_continue_ = false;
  bool old_client_ = false;  // HTTP/1.0: no chunks
  bool keep_alive_ = true;
  bool broken_ = false;  // the connection is of no more use

  State state_ = State::kOpen;
  int status_ = 0;
  bool chunked_ = false;
  std::optional<std::uint64_t> left_;  // of a stream with a length
  secret::Buffer piece_;               // a chunk with its framing
};

}  // namespace warifu::http
