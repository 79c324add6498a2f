// Sealed frames and pad grants of an open connection.
#include "channel/connection.h"

#include "base/limits.h"
#include "base/log.h"
#include "channel/grant.h"
#include "otp/otp.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {

// Pad kept back in the control range so that grant requests and grants can always be sent.
constexpr std::uint64_t kControlReserve = 256;
constexpr std::uint64_t kControlGrant = 4096;
constexpr std::chrono::seconds kWorkingInterval(15);
constexpr std::chrono::milliseconds kLongestDeniedPause(20'000);

}  // namespace

Connection::~Connection() {
  for (keypool::Pool* pool : {&link_.send(), &link_.receive()}) {
    if (auto flushed = pool->flush_account(); !flushed) {
      log_warning("link to " + link_.peer().text() + ": " + flushed.error().message);
    }
  }
}

Result<> Connection::start_lane(Lane& lane, keypool::Reservation pad, keypool::Pool& pool) {
  lane.pad = std::move(pad);
  TRY_ASSIGN(const secret::Pad key, lane.pad.take(mac::kBlockBytes));
  lane.key.emplace(key.bytes());
  pool.record_use({.hash_key = mac::kBlockBytes});
  return {};
}

Result<> Connection::send_sealed(Lane& lane, FrameType type, MutableBytes payload) {
  const std::size_t needed = otp::pad_needed(payload.size());
  WARIFU_CHECK(payload.size() <= limits::kMaxFramePayload);
  if (!lane.key || lane.pad.remaining() < needed) {
    return fail(Code::kOutOfKey, "link to " + link_.peer().text() + ": the granted pad is used up");
  }
  const FrameHeader header{type, static_cast<std::uint32_t>(payload.size()), lane.pad.begin(),
                           send_sequence_++};
  const HeaderBytes header_bytes = encode(header);
  TRY_ASSIGN(secret::Pad pad, lane.pad.take(needed));
  const mac::Tag tag = otp::seal(std::move(pad), *lane.key, header_bytes, payload);
  link_.send().record_use({.payload = payload.size(),
                           .tag = otp::kTagBytes,
                           .bulk = type == FrameType::kData ? payload.size() : 0});
  constexpr std::size_t kSmall = 2048;
  if (payload.size() <= kSmall) {
    Bytes frame(header_bytes.begin(), header_bytes.end());
    frame.insert(frame.end(), payload.begin(), payload.end());
    frame.insert(frame.end(), tag.begin(), tag.end());
    return stream_->write_all(frame);
  }
  TRY(stream_->write_all(header_bytes));
  TRY(stream_->write_all(payload));
  return stream_->write_all(tag);
}

Result<Frame> Connection::receive_sealed() {
  HeaderBytes header_bytes{};
  TRY(stream_->read_exact(header_bytes));
  TRY_ASSIGN(const FrameHeader header, decode_header(header_bytes));
  if (is_clear(header.type)) {
    return fail(Code::kProtocol, "a clear frame came inside a sealed conversation");
  }
  Lane& lane = header.type == FrameType::kData ? receive_bulk_ : receive_control_;
  const std::size_t needed = otp::pad_needed(header.length);
  if (!lane.key || header.pad_offset != lane.pad.begin() || lane.pad.remaining() < needed ||
      header.sequence != receive_sequence_) {
    return fail(Code::kProtocol, "link to " + link_.peer().text() +
                                     ": a frame is out of order or outside the granted pad");
  }
  Frame frame{header.type, secret::Buffer(header.length)};
  TRY(stream_->read_exact(frame.payload.bytes()));
  mac::Tag tag{};
  TRY(stream_->read_exact(tag));
  TRY_ASSIGN(secret::Pad pad, lane.pad.take(needed));
  if (auto opened = otp::open(std::move(pad), *lane.key, header_bytes, frame.payload.bytes(), tag);
      !opened) {
    return fail_in("link to " + link_.peer().text(), opened.error());
  }
  ++receive_sequence_;
  authenticated_ = true;
  link_.receive().record_use({.payload = header.length,
                              .tag = otp::kTagBytes,
                              .bulk = header.type == FrameType::kData ? header.length : 0});
  return frame;
}

Result<> Connection::send(FrameType type, MutableBytes payload) {
  TRY(ensure_control(payload.size()));
  return send_sealed(send_control_, type, payload);
}

Result<> Connection::send_data(MutableBytes payload) {
  return send_sealed(send_bulk_, FrameType::kData, payload);
}

Result<> Connection::ensure_control(std::size_t payload) {
  const std::uint64_t needed = otp::pad_needed(payload) + kControlReserve;
  if (send_control_.pad.remaining() >= needed) return {};
  return request_grant(keypool::Purpose::kControl,
                       std::max(kControlGrant, needed + mac::kBlockBytes));
}

Result<> Connection::request_grant(keypool::Purpose purpose, std::uint64_t size) {
  wire::Writer request;
  request.u8(static_cast<std::uint8_t>(purpose));
  request.u64(size);
  Bytes payload = request.take();
  TRY(send_sealed(send_control_, FrameType::kGrantRequest, payload));
  for (;;) {
    TRY_ASSIGN(Frame frame, receive_sealed());
    if (frame.type == FrameType::kGrant) {
      Lane& lane = purpose == keypool::Purpose::kBulk ? send_bulk_ : send_control_;
      return take_over(lane, frame.payload.bytes(), size);
    }
    if (frame.type == FrameType::kGrantDenied) {
      return fail(Code::kOutOfKey, "link to " + link_.peer().text() + " has no " +
                                       std::to_string(size) + " bytes of key left at the far end");
    }
    if (frame.type == FrameType::kGrantRequest) {
      TRY(answer_grant_request(frame.payload.bytes()));
      continue;
    }
    if (frame.type == FrameType::kWorking) continue;
    return fail(Code::kProtocol,
                "link to " + link_.peer().text() + ": something else came where a grant was due");
  }
}

Result<> Connection::take_over(Lane& lane, ByteView grant_bytes, std::uint64_t size) {
  TRY_ASSIGN(const Grant grant, decode_grant(grant_bytes));
  if (grant.size.value != size) {
    return fail(Code::kProtocol, "a grant has a wrong size");
  }
  TRY_ASSIGN(auto pad, link_.send().accept(grant.begin, grant.size));
  return start_lane(lane, std::move(pad), link_.send());
}

Result<> Connection::answer_grant_request(ByteView payload) {
  wire::Reader reader(payload, "grant request");
  const std::uint8_t purpose_number = reader.u8();
  const std::uint64_t size = reader.u64();
  if (purpose_number != 1 && purpose_number != 2) reader.reject("unknown purpose");
  if (size < mac::kBlockBytes || size > limits::kSegmentBytes) reader.reject("size out of range");
  TRY(reader.finish());
  const auto purpose = static_cast<keypool::Purpose>(purpose_number);
  // The answers cost pad too, also those that deny; the far end answers our own request meanwhile.
  if (!topping_up_ && send_control_.pad.remaining() < kControlReserve) {
    topping_up_ = true;
    const Result<> topped = ensure_control(0);
    topping_up_ = false;
    TRY(topped);
  }
  auto reserved = link_.receive().reserve({size}, purpose);
  if (!reserved) {
    if (reserved.error().code != Code::kOutOfKey) return std::unexpected(reserved.error());
    return send_sealed(send_control_, FrameType::kGrantDenied, {});
  }
  Bytes grant = encode(Grant{reserved->begin(), {size}});
  Lane& lane = purpose == keypool::Purpose::kBulk ? receive_bulk_ : receive_control_;
  TRY(start_lane(lane, std::move(*reserved), link_.receive()));
  return send_sealed(send_control_, FrameType::kGrant, grant);
}

Result<> Connection::grant_bulk(const JobId& job, std::uint64_t size, std::uint64_t frames,
                                const std::function<bool()>& keep_waiting) {
  const std::uint64_t needed = size + frames * otp::kTagBytes + mac::kBlockBytes;
  std::chrono::milliseconds denied_pause(100);
  for (;;) {
    while (!link_.wait_drawable(job, {needed}, kWorkingInterval)) {
      if (!keep_waiting()) {
        return fail(Code::kOutOfKey, "link to " + link_.peer().text() + " waits for key");
      }
      wire::Writer progress;
      progress.u64(0);
      progress.u64(0);
      Bytes payload = progress.take();
      TRY(send(FrameType::kWorking, payload));
    }
    TRY(ensure_control(64));
    const auto granted = request_grant(keypool::Purpose::kBulk, needed);
    if (granted) {
      link_.draw(job, {needed});
      return {};
    }
    // The far end may still be confirming what this end already counts.
    if (granted.error().code != Code::kOutOfKey) return granted;
    if (!keep_waiting()) return granted;
    (void)link_.send().wait_available(UINT64_MAX, denied_pause);
    denied_pause = std::min(denied_pause * 2, kLongestDeniedPause);
  }
}

Result<Frame> Connection::receive() {
  for (;;) {
    TRY_ASSIGN(Frame frame, receive_sealed());
    if (frame.type != FrameType::kGrantRequest) return frame;
    TRY(answer_grant_request(frame.payload.bytes()));
  }
}

}  // namespace warifu::channel
