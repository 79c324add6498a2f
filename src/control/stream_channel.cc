// Requests 120 to 122 (docs/formats/site-requests.md).
#include "control/stream_channel.h"

#include "channel/whole.h"

namespace warifu::control {
namespace {

Result<> take_opening(channel::Exchange& exchange, kme::KeyStreams& streams) {
  TRY_ASSIGN(const auto opening, kme::decode_stream_opening(exchange.request().body));
  TRY(streams.take_opening(exchange.request().from, opening));
  return exchange.reply({});
}

Result<> take_stream_block(channel::Exchange& exchange, kme::KeyStreams& streams) {
  TRY_ASSIGN(const auto head, kme::decode_stream_block(exchange.request().body));
  channel::StreamReceiver& upload = exchange.upload();
  const channel::StreamShape& shape = upload.shape();
  if (!shape.drawn || !shape.application || shape.frames > limits::kWindowFrames) {
    return fail(Code::kProtocol, "a block of a key stream was due");
  }
  kme::DrawnFrames drawn;
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    TRY_ASSIGN(secret::Buffer frame, upload.receive());
    drawn.frames.push_back(std::move(frame));
    if (upload.ack_due()) TRY(upload.acknowledge());
  }
  drawn.origins = upload.drawn_origins();
  TRY(streams.take_block(exchange.request().from, head, std::move(drawn)));
  return exchange.reply({});
}

Result<> take_note(channel::Exchange& exchange, kme::KeyStreams& streams) {
  TRY_ASSIGN(const auto note, kme::decode_stream_note(exchange.request().body));
  TRY(streams.take_note(exchange.request().from, note));
  return exchange.reply({});
}

}  // namespace

Result<kme::DrawnFrames> StreamChannel::draw(const SiteName& peer, const kme::StreamBlockHead& head,
                                             std::size_t frames, std::size_t frame_bytes) {
  const channel::StreamShape shape{.frames = frames,
                                   .bytes = frames * frame_bytes,
                                   .frame_bytes = static_cast<std::uint32_t>(frame_bytes),
                                   .drawn = true,
                                   .application = true};
  // If the connection was not at fault, the far end has the block already and refuses it.
  return channel::try_again([&]() -> Result<kme::DrawnFrames> {
    TRY_ASSIGN(channel::Call call,
               caller_.start({.to = peer,
                              .method = static_cast<std::uint16_t>(kme::StreamMethod::kBlock),
                              .job = job_,
                              .upload = shape,
                              .body = kme::encode(head)},
                             [] { return false; }));  // a stream waits for key by itself
    kme::DrawnFrames drawn;
    for (std::size_t i = 0; i < frames; ++i) {
      drawn.frames.emplace_back(frame_bytes);
      TRY(call.draw(drawn.frames.back().bytes()));
    }
    drawn.origins = call.drawn_origins();
    TRY(call.reply());
    return drawn;
  });
}

Result<> StreamChannel::tell(const SiteName& peer, kme::StreamMethod method, Bytes body) {
  TRY(caller_.ask(peer, static_cast<std::uint16_t>(method), std::move(body)));
  return {};
}

void add_stream_handlers(channel::Server& server, kme::KeyStreams& streams) {
  const auto add = [&](kme::StreamMethod method, auto handler) {
    server.handle(
        static_cast<std::uint16_t>(method),
        [&streams, handler](channel::Exchange& exchange) { return handler(exchange, streams); });
  };
  add(kme::StreamMethod::kOpen, take_opening);
  add(kme::StreamMethod::kBlock, take_stream_block);
  add(kme::StreamMethod::kNote, take_note);
}

}  // namespace warifu::control
