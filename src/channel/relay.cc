// Passing a request on: open, look at the envelope only, seal again under the next link's pad.
//
// A relay sees what it passes on (that is why the exposure rule counts relays); it acknowledges
// upstream only what has been acknowledged downstream, so an acknowledgement always means
// "durable at the destination".
#include "channel/server.h"

namespace warifu::channel {

Result<> Server::relay(Exchange& exchange) {
  Request onward = exchange.request();
  if (++onward.hops > limits::kMaxHops) {
    return fail(Code::kProtocol, "a request to " + onward.to.text() + " goes round in circles");
  }
  if (onward.upload.drawn) {  // the relay would hold the share, and another link has another key
    return fail(Code::kRefused, "key becomes a share between neighbours only; " +
                                    caller_.routes().self.text() + " does not relay it to " +
                                    onward.to.text());
  }
  const StreamShape upload = onward.upload;
  TRY_ASSIGN(Call call, caller_.start(std::move(onward), [this] { return !stopping_.load(); }));
  // Who works for a caller that is gone is told so: nothing else may ever tell it.
  const auto working = [&](std::uint64_t done, std::uint64_t total) {
    if (!exchange.working(done, total)) call.cancel();
  };
  call.on_working(working);
  for (std::uint64_t i = 0; i < upload.frames; ++i) {
    TRY_ASSIGN(secret::Buffer frame, exchange.upload().receive());
    TRY(call.send(frame.bytes()));
    if (!exchange.upload().ack_due()) continue;
    WARIFU_CHECK(call.acknowledged() >= exchange.upload().due_frames());
    TRY(exchange.upload().acknowledge());
  }
  TRY_ASSIGN(Reply reply, call.reply(working));
  const StreamShape download = reply.download;
  TRY(exchange.reply(std::move(reply.body), download));
  call.on_working(working);
  for (std::uint64_t i = 0; i < download.frames; ++i) {
    TRY_ASSIGN(secret::Buffer frame, call.receive());
    TRY(exchange.send(frame.bytes()));
    if (call.ack_due()) TRY(call.acknowledge());
  }
  return {};
}

}  // namespace warifu::channel
