// Connections of applications.
#include "kme/stream_server.h"

#include "base/log.h"
#include "kme/material.h"

namespace warifu::kme {
namespace {

constexpr std::size_t kMostConnections = 64;
constexpr std::chrono::milliseconds kAfterFailure(100);  // the system has no descriptor to spare
// For the rest of a frame that has begun, and for a chunk that is given.
constexpr std::chrono::seconds kFramePatience(30);

Result<> send_frame(os::ByteStream& stream, StreamService service, ByteView payload) {
  const StreamHeaderBytes header =
      encode(StreamHeader{service, static_cast<std::uint32_t>(payload.size())});
  const ByteView pieces[] = {header, payload};
  return stream.write_pieces(pieces);
}

// The answer to what cannot be understood, or may not be asked; the connection ends with it.
std::unexpected<Error> refuse(os::ByteStream& stream, StreamService service, Error error) {
  const StreamStatus status =
      error.code == Code::kRefused ? StreamStatus::kNotAllowed : StreamStatus::kBadRequest;
  (void)send_frame(stream, service, encode_u32(static_cast<std::uint32_t>(status)));
  return std::unexpected(std::move(error));
}

}  // namespace

void StreamServer::start() {
  acceptor_ = std::thread([this] { accept_loop(); });
}

void StreamServer::stop() {
  if (!acceptor_.joinable()) return;
  listener_->close();
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Session& session : sessions_) session.stream->shutdown();
  }
  for (Session& session : sessions_) session.thread.join();
  sessions_.clear();
}

void StreamServer::reap() {
  const std::lock_guard lock(mutex_);
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (!it->over) {
      ++it;
      continue;
    }
    it->thread.join();
    it = sessions_.erase(it);
  }
}

void StreamServer::accept_loop() {
  for (;;) {
    auto stream = listener_->accept();
    if (!stream) {
      if (stream.error().code == Code::kCancelled) return;
      log_warning("key streams: " + stream.error().message);
      std::this_thread::sleep_for(kAfterFailure);
      continue;
    }
    reap();
    const auto user = os::peer_user(**stream);
    if (!user || !streams_.serves(*user)) {
      const std::string name = "user " + (user ? std::to_string(*user) : "?");
      streams_.refusals().note(
          LogLevel::kWarning, name,
          "key streams: " + name + " is refused: no application belongs to it");
      (void)refuse(**stream, StreamService::kOpenAnswer, {Code::kRefused, ""});
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (sessions_.size() >= kMostConnections) {
      streams_.refusals().note(LogLevel::kWarning, "user " + std::to_string(*user),
                               "key streams: too many connections");
      continue;
    }
    Session& session = sessions_.emplace_back();
    session.stream = std::move(*stream);
    session.user = *user;
    session.thread = std::thread([this, &session] { serve(session); });
  }
}

void StreamServer::serve(Session& session) {
  Result<> served;
  while (served) served = serve_frame(session);
  if (served.error().code == Code::kProtocol) {
    const std::string name = "user " + std::to_string(session.user);
    streams_.refusals().note(LogLevel::kWarning, name,
                             "key streams: " + name + " is cut off: " + served.error().message);
  }
  session.stream->shutdown();
  session.over = true;
}

Result<> StreamServer::serve_frame(Session& session) {
  os::ByteStream& stream = *session.stream;
  StreamHeaderBytes bytes{};
  stream.set_timeout(std::chrono::milliseconds(0));
  TRY(stream.read_exact(MutableBytes(bytes).first(1)));
  stream.set_timeout(kFramePatience);
  TRY(stream.read_exact(MutableBytes(bytes).subspan(1)));
  const auto header = decode_stream_header(bytes);
  if (!header) return refuse(stream, StreamService::kOpenAnswer, header.error());
  Bytes payload(header->service == StreamService::kGetAnswer ? 0 : header->length);
  TRY(stream.read_exact(payload));
  switch (header->service) {
    case StreamService::kOpenRequest: return answer_open(session, payload);
    case StreamService::kGetRequest: return answer_get(session, payload);
    case StreamService::kCloseRequest: return answer_close(session, payload);
    default:
      return refuse(stream, StreamService::kOpenAnswer,
                    {Code::kProtocol, "an answer where a request was due"});
  }
}

Result<> StreamServer::answer_open(Session& session, ByteView payload) {
  const auto request = decode_stream_open(payload);
  if (!request) return refuse(*session.stream, StreamService::kOpenAnswer, request.error());
  return send_frame(*session.stream, StreamService::kOpenAnswer,
                    encode(streams_.open(*request, session.user)));
}

Result<> StreamServer::answer_get(Session& session, ByteView payload) {
  const auto request = decode_stream_get(payload);
  if (!request) return refuse(*session.stream, StreamService::kGetAnswer, request.error());
  const auto answer = [&](const StreamGetHead& head, ByteView key, std::uint32_t metadata_size,
                          ByteView metadata) {
    const Bytes front = encode(head), size = encode_u32(metadata_size);
    const StreamHeaderBytes header = encode(StreamHeader{
        StreamService::kGetAnswer,
        static_cast<std::uint32_t>(front.size() + key.size() + size.size() + metadata.size())});
    const ByteView pieces[] = {header, front, key, size, metadata};
    return session.stream->write_pieces(pieces);
  };
  const std::uint32_t room = request->metadata_bytes;
  if (room > 0 && room < kMaxMaterialJson) {
    return answer({StreamStatus::kMetadataSize, request->index, 0}, {}, kMaxMaterialJson, {});
  }
  // Out of the stream from here on: an answer that is lost burns the chunk.
  const auto chunk = streams_.take(*request, session.user);
  if (!chunk) return answer({chunk.error(), request->index, 0}, {}, 0, {});
  const std::string metadata = room > 0 ? streams_.metadata(request->id, *chunk) : "";
  return answer(
      {StreamStatus::kOk, chunk->index(), static_cast<std::uint32_t>(chunk->bytes().size())},
      chunk->bytes(), static_cast<std::uint32_t>(metadata.size()), as_bytes(metadata));
}

Result<> StreamServer::answer_close(Session& session, ByteView payload) {
  const auto id = decode_stream_close(payload);
  if (!id) return refuse(*session.stream, StreamService::kCloseAnswer, id.error());
  return send_frame(*session.stream, StreamService::kCloseAnswer,
                    encode_u32(static_cast<std::uint32_t>(streams_.close(*id, session.user))));
}

}  // namespace warifu::kme
