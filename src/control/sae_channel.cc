// Requests 110 to 112 (docs/formats/site-requests.md).
#include "control/sae_channel.h"

#include <algorithm>

namespace warifu::control {
namespace {

constexpr std::uint64_t kMaxUpload = 8 << 20;
constexpr int kTries = 3;

// Applications are told at once when there is not enough key.
bool wait_for_nothing() {
  return false;
}

channel::StreamShape shape_of(std::size_t bytes) {
  const auto frame =
      static_cast<std::uint32_t>(std::min<std::size_t>(bytes, limits::kMaxFramePayload));
  return {.frames = (bytes + frame - 1) / frame, .bytes = bytes, .frame_bytes = frame};
}

Result<secret::Buffer> receive_all(channel::Exchange& exchange) {
  const channel::StreamShape& shape = exchange.upload().shape();
  if (shape.bytes > kMaxUpload) return fail(Code::kProtocol, "too many keys at once");
  secret::Buffer all(shape.bytes);
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    TRY_ASSIGN(const secret::Buffer frame, exchange.upload().receive());
    copy_bytes(all.bytes().subspan(at), frame.bytes());
    at += frame.size();
    // Nothing is promised by this: the reply says that the keys are durable.
    if (exchange.upload().ack_due()) TRY(exchange.upload().acknowledge());
  }
  return all;
}

Result<> take_block(channel::Exchange& exchange, kme::SaeKeys& saes) {
  TRY_ASSIGN(const kme::BlockHead head, kme::decode_block_head(exchange.request().body));
  const channel::StreamShape& shape = exchange.upload().shape();
  if (!shape.application || shape.bytes > limits::kMaxFramePayload) {
    return fail(Code::kProtocol, "a block of key for applications was due");
  }
  TRY_ASSIGN(secret::Buffer bytes, receive_all(exchange));
  TRY(saes.take_block(exchange.request().from, head, std::move(bytes)));
  return exchange.reply({});
}

Result<> take_assignment(channel::Exchange& exchange, kme::SaeKeys& saes) {
  TRY_ASSIGN(const kme::Assignment assignment, kme::decode_assignment(exchange.request().body));
  if (exchange.upload().shape().drawn) return fail(Code::kProtocol, "keys must be sent");
  TRY_ASSIGN(const secret::Buffer sent, receive_all(exchange));
  TRY(saes.take_assignment(exchange.request().from, assignment, sent));
  return exchange.reply({});
}

Result<> take_voids(channel::Exchange& exchange, kme::SaeKeys& saes) {
  TRY_ASSIGN(const auto orders, kme::decode_voids(exchange.request().body));
  TRY(saes.take_voids(exchange.request().from, orders));
  return exchange.reply({});
}

}  // namespace

Result<secret::Buffer> SaeChannel::draw(const SiteName& peer, const kme::BlockHead& head,
                                        std::size_t bytes) {
  for (int attempt = 1;; ++attempt) {
    channel::StreamShape shape = shape_of(bytes);
    shape.drawn = true;
    shape.application = true;
    secret::Buffer block(bytes);
    const auto drawn = [&]() -> Result<> {
      TRY_ASSIGN(channel::Call call,
                 caller_.start({.to = peer,
                                .method = static_cast<std::uint16_t>(kme::SaeMethod::kBlock),
                                .job = job_,
                                .upload = shape,
                                .body = kme::encode(head)},
                               wait_for_nothing));
      TRY(call.draw(block.bytes()));
      TRY(call.reply());
      return {};
    }();
    if (drawn) return block;
    // A cached connection that the far end closed shows only now.
    if (drawn.error().code != Code::kUnavailable || attempt == kTries) {
      return std::unexpected(drawn.error());
    }
  }
}

Result<> SaeChannel::tell(const SiteName& peer, kme::SaeMethod method, Bytes body,
                          const secret::Buffer& keys) {
  if (keys.empty()) {
    TRY(caller_.ask(peer, static_cast<std::uint16_t>(method), std::move(body)));
    return {};
  }
  for (int attempt = 1;; ++attempt) {
    const auto told = tell_once(peer, method, body, keys);
    if (told || told.error().code != Code::kUnavailable || attempt == kTries) return told;
  }
}

Result<> SaeChannel::tell_once(const SiteName& peer, kme::SaeMethod method, const Bytes& body,
                               const secret::Buffer& keys) {
  const channel::StreamShape shape = shape_of(keys.size());
  TRY_ASSIGN(channel::Call call, caller_.start({.to = peer,
                                                .method = static_cast<std::uint16_t>(method),
                                                .job = job_,
                                                .upload = shape,
                                                .body = body},
                                               wait_for_nothing));
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    // Sealed in place, so each try takes a copy.
    secret::Buffer frame = secret::Buffer::copy_of(keys.bytes().subspan(at, shape.frame_length(i)));
    TRY(call.send(frame.bytes()));
    at += frame.size();
  }
  TRY(call.reply());
  return {};
}

void add_sae_handlers(channel::Server& server, kme::SaeKeys& saes) {
  const auto add = [&](kme::SaeMethod method, auto handler) {
    server.handle(
        static_cast<std::uint16_t>(method),
        [&saes, handler](channel::Exchange& exchange) { return handler(exchange, saes); });
  };
  add(kme::SaeMethod::kBlock, take_block);
  add(kme::SaeMethod::kAssign, take_assignment);
  add(kme::SaeMethod::kVoid, take_voids);
}

}  // namespace warifu::control
