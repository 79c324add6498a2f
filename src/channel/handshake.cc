// Opening of a connection: each side grants the other a first small range of pad in a clear frame.
//
// An attacker can make either side burn such a range by calling, or by lying about a mark; hence the
// small size, the bound on unauthenticated catching up, and the pause after failures in the server.
#include "base/log.h"
#include "channel/connection.h"
#include "channel/grant.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {

constexpr std::uint64_t kHelloGrant = 1024;
constexpr std::uint64_t kMaxCatchUp = 1 << 20;
constexpr std::chrono::seconds kHandshakeTimeout(10);
constexpr std::chrono::seconds kPatience(60);

Bytes encode_hello(const LinkId& link, const Grant& grant) {
  wire::Writer writer;
  writer.id(link);
  writer.raw(encode(grant));
  return writer.take();
}

}  // namespace

Bytes encode(const Grant& grant) {
  wire::Writer writer;
  writer.u64(grant.begin.value);
  writer.u64(grant.size.value);
  return writer.take();
}

Result<Grant> decode_grant(ByteView bytes) {
  wire::Reader reader(bytes, "grant");
  Grant grant;
  grant.begin = {reader.u64()};
  grant.size = {reader.u64()};
  TRY(reader.finish());
  return grant;
}

Result<> Connection::send_clear(FrameType type, ByteView payload) {
  const HeaderBytes header = encode(FrameHeader{type, static_cast<std::uint32_t>(payload.size())});
  Bytes frame(header.begin(), header.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return stream_->write_all(frame);
}

Result<Frame> Connection::receive_clear() {
  HeaderBytes header_bytes{};
  TRY(stream_->read_exact(header_bytes));
  TRY_ASSIGN(const FrameHeader header, decode_header(header_bytes));
  if (!is_clear(header.type) || header.length > 1024) {
    return fail(Code::kProtocol, "a greeting was due, something else came");
  }
  Frame frame{header.type, secret::Buffer(header.length)};
  TRY(stream_->read_exact(frame.payload.bytes()));
  return frame;
}

// The other side's state is ahead of ours (this end was restored from a backup): move on.
Result<> Connection::catch_up(ByteView behind) {
  wire::Reader reader(behind, "behind frame");
  const PadOffset mark{reader.u64()};
  TRY(reader.finish());
  const PadOffset here = link_.receive().status().mark;
  if (mark > here && (mark - here).value > kMaxCatchUp) {
    return fail(Code::kRefused, "link to " + link_.peer().text() + ": the far end has used pad up to " +
                                    std::to_string(mark.value) + ", this end knows of " +
                                    std::to_string(here.value) +
                                    "; was a backup restored? Reconcile the link first");
  }
  log_warning("link to " + link_.peer().text() + ": the far end is ahead, catching up to " +
              std::to_string(mark.value));
  TRY(link_.receive().burn_to(mark));
  return fail(Code::kUnavailable, "link to " + link_.peer().text() + " caught up; call again");
}

Result<std::unique_ptr<Connection>> Connection::call(kme::Link& link,
                                                     std::unique_ptr<os::ByteStream> stream) {
  std::unique_ptr<Connection> connection(new Connection(link, std::move(stream)));
  connection->stream_->set_timeout(kHandshakeTimeout);
  TRY(connection->greet_callee());
  connection->stream_->set_timeout(kPatience);
  return connection;
}

Result<> Connection::greet_callee() {
  TRY_ASSIGN(auto reserved, link_.receive().reserve({kHelloGrant}, keypool::Purpose::kControl));
  TRY(send_clear(FrameType::kHello, encode_hello(link_.id(), {reserved.begin(), {kHelloGrant}})));
  TRY_ASSIGN(Frame answer, receive_clear());
  if (answer.type == FrameType::kBehind) return catch_up(answer.payload.bytes());
  if (answer.type == FrameType::kSorry) {
    return fail(Code::kUnavailable, link_.peer().text() + " refuses the connection: " +
                                        std::string(as_text(answer.payload.bytes())));
  }
  if (answer.type != FrameType::kWelcome) {
    return fail(Code::kProtocol, link_.peer().text() + " answers a greeting with something else");
  }
  TRY(start_lane(receive_control_, std::move(reserved), link_.receive()));
  auto taken = take_over(send_control_, answer.payload.bytes(), kHelloGrant);
  if (!taken && taken.error().code == Code::kRefused) {
    wire::Writer mark;
    mark.u64(link_.send().status().mark.value);
    TRY(send_clear(FrameType::kBehind, mark.bytes()));
  }
  return taken;
}

Result<std::unique_ptr<Connection>> Connection::answer(kme::KeyManager& keys,
                                                       std::unique_ptr<os::ByteStream> stream) {
  stream->set_timeout(kHandshakeTimeout);
  HeaderBytes header_bytes{};
  TRY(stream->read_exact(header_bytes));
  TRY_ASSIGN(const FrameHeader header, decode_header(header_bytes));
  constexpr std::uint32_t kHelloBytes = 32;
  if (header.type != FrameType::kHello || header.length != kHelloBytes) {
    return fail(Code::kProtocol, "a caller does not greet");
  }
  Bytes hello(kHelloBytes);
  TRY(stream->read_exact(hello));
  kme::Link* link = keys.link_by_id(LinkId::from_view(ByteView(hello).first(16)));
  if (link == nullptr) return fail(Code::kRefused, "a caller names an unknown link");
  std::unique_ptr<Connection> connection(new Connection(*link, std::move(stream)));
  TRY(connection->greet_caller(ByteView(hello).subspan(16)));
  connection->stream_->set_timeout(std::chrono::milliseconds(0));
  return connection;
}

Result<> Connection::greet_caller(ByteView grant) {
  auto taken = take_over(send_control_, grant, kHelloGrant);
  if (!taken) {
    if (taken.error().code == Code::kRefused) {
      wire::Writer mark;
      mark.u64(link_.send().status().mark.value);
      TRY(send_clear(FrameType::kBehind, mark.bytes()));
    } else {
      TRY(send_clear(FrameType::kSorry, as_bytes(taken.error().message.substr(0, 500))));
    }
    return taken;
  }
  auto reserved = link_.receive().reserve({kHelloGrant}, keypool::Purpose::kControl);
  if (!reserved) {
    TRY(send_clear(FrameType::kSorry, as_bytes(reserved.error().message.substr(0, 500))));
    return std::unexpected(reserved.error());
  }
  const Grant welcome{reserved->begin(), {kHelloGrant}};
  TRY(start_lane(receive_control_, std::move(*reserved), link_.receive()));
  return send_clear(FrameType::kWelcome, encode(welcome));
}

}  // namespace warifu::channel
