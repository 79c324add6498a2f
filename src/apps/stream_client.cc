// Requests out, answers in.
#include "apps/stream_client.h"

#include "kme/key_stream.h"
#include "kme/material.h"

namespace warifu::apps {
namespace {

using kme::StreamService;
using kme::StreamStatus;

Code code_of(StreamStatus status) {
  switch (status) {
    case StreamStatus::kInsufficientKey: return Code::kOutOfKey;
    case StreamStatus::kPeerNotConnected:
    case StreamStatus::kNoConnection: return Code::kUnavailable;
    case StreamStatus::kIdInUse: return Code::kAlreadyExists;
    case StreamStatus::kTimeout: return Code::kTimeout;
    case StreamStatus::kQosNotMet: return Code::kInvalidArgument;
    case StreamStatus::kNoStream: return Code::kNotFound;
    case StreamStatus::kChunkGone:
    case StreamStatus::kNotAllowed: return Code::kRefused;
    case StreamStatus::kTooMany: return Code::kBusy;
    default: return Code::kProtocol;
  }
}

std::unexpected<Error> failed(StreamStatus status, const std::string& more = "") {
  return fail(code_of(status), kme::stream_status_text(status) + more + " (status " +
                                   std::to_string(static_cast<std::uint32_t>(status)) + ")");
}

std::string offer_text(const kme::StreamQos& qos) {
  std::string text = ": the site offers chunks of " + std::to_string(qos.chunk_bytes) +
                     " bytes for " + std::to_string(qos.ttl_seconds) + " s";
  if (qos.min_bps > 0) text += " at " + std::to_string(qos.min_bps) + " bit/s";
  return text;
}

}  // namespace

Result<StreamClient> StreamClient::connect(const std::string& socket) {
  TRY_ASSIGN(auto stream, os::connect_unix(socket));
  return StreamClient(std::move(stream));
}

Result<> StreamClient::send(StreamService service, const Bytes& payload) {
  const auto header =
      encode(kme::StreamHeader{service, static_cast<std::uint32_t>(payload.size())});
  const ByteView pieces[] = {header, payload};
  return stream_->write_pieces(pieces);
}

Result<std::uint32_t> StreamClient::read_header(StreamService service) {
  kme::StreamHeaderBytes bytes{};
  TRY(stream_->read_exact(bytes));
  TRY_ASSIGN(const kme::StreamHeader header, kme::decode_stream_header(bytes));
  // A site that refuses a user or a frame answers with four bytes, whatever was asked.
  if (header.length == 4 && service != StreamService::kCloseAnswer) {
    TRY_ASSIGN(const std::uint32_t status, read_number());
    return failed(static_cast<StreamStatus>(status));
  }
  if (header.service != service) return fail(Code::kProtocol, "the site's answer is another one");
  return header.length;
}

Result<Bytes> StreamClient::read_answer(StreamService service) {
  TRY_ASSIGN(const std::uint32_t length, read_header(service));
  Bytes payload(length);
  TRY(stream_->read_exact(payload));
  return payload;
}

Result<std::uint32_t> StreamClient::read_number() {
  Bytes bytes(4);
  TRY(stream_->read_exact(bytes));
  return kme::decode_u32(bytes);
}

Result<kme::StreamOpenAnswer> StreamClient::open(const kme::StreamOpenRequest& request) {
  // A site that refuses this user has said so and hung up already.
  (void)send(StreamService::kOpenRequest, encode(request));
  TRY_ASSIGN(const Bytes payload, read_answer(StreamService::kOpenAnswer));
  TRY_ASSIGN(kme::StreamOpenAnswer answer, kme::decode_stream_opened(payload));
  if (answer.status == StreamStatus::kQosNotMet) {
    return failed(answer.status, offer_text(answer.qos));
  }
  if (answer.status != StreamStatus::kOk && answer.status != StreamStatus::kOkPeerNotConnected) {
    return failed(answer.status);
  }
  return answer;
}

Result<> StreamClient::ask(const kme::StreamGetRequest& request) {
  return send(StreamService::kGetRequest, encode(request));
}

Result<StreamClient::Chunk> StreamClient::receive() {
  TRY_ASSIGN(const std::uint32_t length, read_header(StreamService::kGetAnswer));
  Bytes bytes(kme::kStreamGetHead);
  TRY(stream_->read_exact(bytes));
  TRY_ASSIGN(const kme::StreamGetHead head, kme::decode_stream_get_head(bytes));
  if (head.key_bytes > kme::kMaxStreamChunk) {
    return fail(Code::kProtocol, "the site's answer has a chunk of impossible size");
  }
  Chunk chunk{.index = head.index, .key = secret::Buffer(head.key_bytes), .metadata = {}};
  TRY(stream_->read_exact(chunk.key.bytes()));
  TRY_ASSIGN(const std::uint32_t size, read_number());
  const bool told = head.status != StreamStatus::kMetadataSize;
  const std::size_t metadata = told ? size : 0;
  if (metadata > kme::kMaxMaterialJson ||
      length != kme::kStreamGetHead + head.key_bytes + 4 + metadata) {
    return fail(Code::kProtocol, "the lengths in the site's answer do not add up");
  }
  Bytes text(metadata);
  TRY(stream_->read_exact(text));
  chunk.metadata = as_text(text);
  if (head.status != StreamStatus::kOk) return failed(head.status);
  return chunk;
}

Result<> StreamClient::close(const kme::KeyStreamId& id) {
  TRY(send(StreamService::kCloseRequest, kme::encode_stream_close(id)));
  TRY_ASSIGN(const Bytes payload, read_answer(StreamService::kCloseAnswer));
  TRY_ASSIGN(const std::uint32_t status, kme::decode_u32(payload));
  if (static_cast<StreamStatus>(status) != StreamStatus::kOk) {
    return failed(static_cast<StreamStatus>(status));
  }
  return {};
}

}  // namespace warifu::apps
