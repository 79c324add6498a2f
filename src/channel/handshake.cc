// Opening of a connection: each side grants the other a first small range of pad in a clear frame.
//
//   caller:  hello   = link:16 nonce:16 mark:u64         mark of the caller's sending pool
//   callee:  welcome = nonce:16 mark:u64 grant proof     proof over the caller's nonce
//   caller:  open    = grant proof                proof over the callee's nonce
//   grant    = begin:u64 size:u64
//   proof    = H_k(nonce, grant) XOR pad          k and pad: the first 32 bytes of the range
//
// The proofs make a grant worthless for any other connection: without them, an old welcome replayed
// to a sender that was restored from a backup would make it encrypt with used pad. The marks let
// a restored *receiver* catch up before it proves anything with pad it used before; they are not
// authenticated, so a liar in the line can hide them from such an end. An attacker can
// make either side burn such a range by calling, or by lying about a mark; hence the small size,
// the bound on unauthenticated catching up, and the pause after failures in the server.
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

constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kMarkBytes = 8;
constexpr std::size_t kGrantBytes = 16;
constexpr std::size_t kProofBytes = mac::kBlockBytes;

using ConnectionNonce = std::array<Byte, kNonceBytes>;

ConnectionNonce fresh_nonce() {
  ConnectionNonce nonce{};
  os::kernel_random().fill(nonce);
  return nonce;
}

// A far end that was behind has been told; that passes, it is no refusal.
std::unexpected<Error> told_behind(const Error& error) {
  if (error.code != Code::kRefused) return std::unexpected(error);
  return fail(Code::kUnavailable, "the far end was behind and has been told: " + error.message);
}

// H_k(nonce, grant) masked by fresh pad of the granted range itself.
mac::Tag proof_of(const mac::Key& key, ByteView nonce, ByteView grant, ByteView mask) {
  Bytes message(nonce.begin(), nonce.end());
  message.insert(message.end(), grant.begin(), grant.end());
  return mac::one_time_tag(key, message, mask);
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

// The other side could not take our grant: it is ahead of what it told before.
Result<> Connection::catch_up(ByteView behind) {
  wire::Reader reader(behind, "behind frame");
  const PadOffset mark{reader.u64()};
  TRY(reader.finish());
  TRY(catch_up_to(mark));
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

// Both directions' state before any pad is touched: the far end may have used more than we know.
Result<> Connection::catch_up_to(PadOffset mark) {
  const PadOffset here = link_.receive().status().mark;
  if (mark <= here) return {};
  if ((mark - here).value > kMaxCatchUp && !link_.may_catch_up()) {
    return fail(Code::kRefused,
                "link to " + link_.peer().text() + ": the far end has used pad up to " +
                    std::to_string(mark.value) + ", this end knows of " +
                    std::to_string(here.value) +
                    "; was a backup restored? `warifu keys reconcile` burns what lies between");
  }
  log_warning("link to " + link_.peer().text() + ": the far end is ahead, catching up to " +
              std::to_string(mark.value));
  return link_.receive().burn_to(mark);
}

Result<Bytes> Connection::first_grant(ByteView their_nonce) {
  TRY_ASSIGN(auto reserved, link_.receive().reserve({kHelloGrant}, keypool::Purpose::kControl));
  Bytes message = encode(Grant{reserved.begin(), {kHelloGrant}});
  TRY(start_lane(receive_control_, std::move(reserved), link_.receive()));
  TRY_ASSIGN(const secret::Pad mask, receive_control_.pad.take(kProofBytes));
  link_.receive().record_use({.tag = kProofBytes});
  const mac::Tag proof = proof_of(*receive_control_.key, their_nonce, message, mask.bytes());
  message.insert(message.end(), proof.begin(), proof.end());
  return message;
}

Result<> Connection::take_first_grant(ByteView grant_and_proof, ByteView own_nonce) {
  if (grant_and_proof.size() != kGrantBytes + kProofBytes) {
    return fail(Code::kProtocol, "a greeting has a wrong length");
  }
  const ByteView grant = grant_and_proof.first(kGrantBytes);
  TRY(take_over(keypool::Purpose::kControl, grant, kHelloGrant));
  TRY_ASSIGN(const secret::Pad mask, send_control_.pad.take(kProofBytes));
  link_.send().record_use({.tag = kProofBytes});
  const mac::Tag expected = proof_of(*send_control_.key, own_nonce, grant, mask.bytes());
  if (!secret::equal(expected, grant_and_proof.subspan(kGrantBytes))) {
    return fail(Code::kProtocol, "link to " + link_.peer().text() +
                                     ": a greeting does not prove itself; its pad is burnt");
  }
  return {};
}

Result<> Connection::tell_behind(const Error& error) {
  if (error.code == Code::kRefused) {
    wire::Writer mark;
    mark.u64(link_.send().status().mark.value);
    return send_clear(FrameType::kBehind, mark.bytes());
  }
  return send_clear(FrameType::kSorry, as_bytes(error.message.substr(0, 500)));
}

Result<> Connection::greet_callee() {
  const ConnectionNonce nonce = fresh_nonce();
  wire::Writer hello;
  hello.id(link_.id());
  hello.raw(nonce);
  hello.u64(link_.send().status().mark.value);
  TRY(send_clear(FrameType::kHello, hello.bytes()));
  TRY_ASSIGN(Frame answer, receive_clear());
  if (answer.type == FrameType::kSorry) {
    return fail(Code::kUnavailable, link_.peer().text() + " refuses the connection: " +
                                        std::string(as_text(answer.payload.bytes())));
  }
  if (answer.type != FrameType::kWelcome || answer.payload.size() < kNonceBytes + kMarkBytes) {
    return fail(Code::kProtocol, link_.peer().text() + " answers a greeting with something else");
  }
  const ByteView welcome = answer.payload.bytes();
  wire::Reader reader(welcome.subspan(kNonceBytes, kMarkBytes), "welcome");
  TRY(catch_up_to({reader.u64()}));
  if (auto taken = take_first_grant(welcome.subspan(kNonceBytes + kMarkBytes), nonce); !taken) {
    TRY(tell_behind(taken.error()));
    return told_behind(taken.error());
  }
  TRY_ASSIGN(const Bytes open, first_grant(welcome.first(kNonceBytes)));
  TRY(send_clear(FrameType::kOpen, open));
  // The callee checks our grant now; its word comes at once when it cannot take it.
  TRY_ASSIGN(const Frame ready, receive_clear());
  if (ready.type == FrameType::kBehind) return catch_up(ready.payload.bytes());
  if (ready.type != FrameType::kOpen || ready.payload.size() != 0) {
    return fail(Code::kUnavailable, link_.peer().text() + " refuses the connection: " +
                                        std::string(as_text(ready.payload.bytes())));
  }
  return {};
}

Result<std::unique_ptr<Connection>> Connection::answer(kme::KeyManager& keys,
                                                       std::unique_ptr<os::ByteStream> stream) {
  return answer([&](const LinkId& id) { return keys.link_by_id(id); }, std::move(stream));
}

Result<std::unique_ptr<Connection>> Connection::answer(const FindLink& find_link,
                                                       std::unique_ptr<os::ByteStream> stream) {
  stream->set_timeout(kHandshakeTimeout);
  HeaderBytes header_bytes{};
  TRY(stream->read_exact(header_bytes));
  TRY_ASSIGN(const FrameHeader header, decode_header(header_bytes));
  constexpr std::uint32_t kHelloBytes = 16 + kNonceBytes + kMarkBytes;
  if (header.type != FrameType::kHello || header.length != kHelloBytes) {
    return fail(Code::kProtocol, "a caller does not greet");
  }
  Bytes hello(kHelloBytes);
  TRY(stream->read_exact(hello));
  kme::Link* link = find_link(LinkId::from_view(ByteView(hello).first(16)));
  if (link == nullptr) return fail(Code::kRefused, "a caller names an unknown link");
  std::unique_ptr<Connection> connection(new Connection(*link, std::move(stream)));
  wire::Reader reader(ByteView(hello).last(kMarkBytes), "hello");
  if (auto level = connection->catch_up_to({reader.u64()}); !level) {
    TRY(connection->send_clear(FrameType::kSorry, as_bytes(level.error().message)));
    return std::unexpected(level.error());
  }
  TRY(connection->greet_caller(ByteView(hello).subspan(16, kNonceBytes)));
  connection->stream_->set_timeout(std::chrono::milliseconds(0));
  return connection;
}

Result<> Connection::greet_caller(ByteView caller_nonce) {
  auto granted = first_grant(caller_nonce);
  if (!granted) {
    TRY(tell_behind({Code::kOutOfKey, granted.error().message}));
    return std::unexpected(granted.error());
  }
  const ConnectionNonce nonce = fresh_nonce();
  wire::Writer head;
  head.raw(nonce);
  head.u64(link_.send().status().mark.value);
  Bytes welcome = head.take();
  welcome.insert(welcome.end(), granted->begin(), granted->end());
  TRY(send_clear(FrameType::kWelcome, welcome));
  TRY_ASSIGN(const Frame open, receive_clear());
  if (open.type == FrameType::kBehind) return catch_up(open.payload.bytes());
  if (open.type != FrameType::kOpen) {
    return fail(Code::kProtocol,
                "link to " + link_.peer().text() + ": the caller gave up greeting");
  }
  if (auto taken = take_first_grant(open.payload.bytes(), nonce); !taken) {
    TRY(tell_behind(taken.error()));
    return told_behind(taken.error());
  }
  return send_clear(FrameType::kOpen, {});
}

}  // namespace warifu::channel
