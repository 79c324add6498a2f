// Requests 110 to 112 (docs/formats/site-requests.md).
#include "control/sae_channel.h"

#include "channel/whole.h"

namespace warifu::control {
namespace {

constexpr std::uint64_t kMaxUpload = 8 << 20;

// Applications are told at once when there is not enough key.
bool wait_for_nothing() {
  return false;
}

Result<secret::Buffer> receive_all(channel::Exchange& exchange) {
  if (exchange.upload().shape().bytes > kMaxUpload) {
    return fail(Code::kProtocol, "too many keys at once");
  }
  return channel::receive_whole(exchange);
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
  channel::StreamShape shape = channel::shape_of_whole(bytes, limits::kMaxFramePayload);
  shape.drawn = true;
  shape.application = true;
  return channel::try_again([&]() -> Result<secret::Buffer> {
    TRY_ASSIGN(channel::Call call,
               caller_.start({.to = peer,
                              .method = static_cast<std::uint16_t>(kme::SaeMethod::kBlock),
                              .job = job_,
                              .upload = shape,
                              .body = kme::encode(head)},
                             wait_for_nothing));
    secret::Buffer block(bytes);
    TRY(call.draw(block.bytes()));
    TRY(call.reply());
    return block;
  });
}

Result<> SaeChannel::tell(const SiteName& peer, kme::SaeMethod method, Bytes body,
                          const secret::Buffer& keys) {
  if (keys.empty()) {
    TRY(caller_.ask(peer, static_cast<std::uint16_t>(method), std::move(body)));
    return {};
  }
  const channel::StreamShape shape = channel::shape_of_whole(keys.size(), limits::kMaxFramePayload);
  return channel::try_again([&]() -> Result<> {
    TRY_ASSIGN(channel::Call call, caller_.start({.to = peer,
                                                  .method = static_cast<std::uint16_t>(method),
                                                  .job = job_,
                                                  .upload = shape,
                                                  .body = body},
                                                 wait_for_nothing));
    TRY(channel::send_whole(call, shape, keys.bytes()));
    TRY(call.reply());
    return {};
  });
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
