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
constexpr std::chrono::seconds kWorkingInterval(15);       // a peer hears from who waits for key
constexpr std::chrono::milliseconds kAskingInterval(500);  // an order to stop waiting is heard
constexpr std::chrono::milliseconds kNoWait(0);
constexpr std::chrono::milliseconds kLongestDeniedPause(20'000);

// Pad for data frames: their payload, their tags, and the range's hash key.
std::uint64_t bulk_range(std::uint64_t payload, std::uint64_t frames) {
  return payload + frames * otp::kTagBytes + mac::kBlockBytes;
}

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
  lane.key = std::make_unique<const mac::Key>(key.bytes());
  pool.record_use({.hash_key = mac::kBlockBytes});
  // Small ranges may serve an idle connection for days; their segments must not wait for that.
  if (lane.pad.remaining() <= limits::kSealBlockBytes) return lane.pad.keep_in_memory();
  return {};
}

std::unexpected<Error> Connection::break_off(std::string why) {
  is_broken_ = true;
  close();
  return fail(Code::kProtocol, "link to " + link_.peer().text() + ": " + std::move(why));
}

Result<> Connection::check_intact() {
  if (is_broken_) return break_off("a frame failed its check and the connection is at end");
  return {};
}

Result<> Connection::send_sealed(Lane& lane, FrameType type, MutableBytes payload) {
  WARIFU_CHECK(payload.size() <= limits::kMaxFramePayload);
  TRY(check_intact());
  const std::size_t needed = otp::pad_needed(payload.size());
  if (lane.key == nullptr || lane.pad.remaining() < needed) {
    return fail(Code::kOutOfKey, "link to " + link_.peer().text() + ": the granted pad is used up");
  }
  const HeaderBytes header = encode(FrameHeader{type, static_cast<std::uint32_t>(payload.size()),
                                                lane.pad.begin(), send_sequence_++});
  TRY_ASSIGN(secret::Pad pad, lane.pad.take(needed));
  link_.send().record_use({.payload = payload.size(),
                           .tag = otp::kTagBytes,
                           .bulk = type == FrameType::kData ? payload.size() : 0});
  const mac::Tag tag = otp::seal(std::move(pad), *lane.key, header, payload);
  const std::array<ByteView, 3> pieces{header, payload, tag};
  return stream_->write_pieces(pieces);
}

Result<Frame> Connection::receive_sealed() {
  TRY(check_intact());
  HeaderBytes header_bytes{};
  TRY(stream_->read_exact(header_bytes));
  const auto header = decode_header(header_bytes);
  if (!header) return break_off(header.error().message);
  if (is_clear(header->type)) return break_off("a clear frame came inside a sealed conversation");
  const bool data = header->type == FrameType::kData;
  if (data && receive_bulk_next_ && header->pad_offset == receive_bulk_next_->pad.begin()) {
    receive_bulk_ = std::move(*std::exchange(receive_bulk_next_, std::nullopt));
  }
  Lane& lane = data ? receive_bulk_ : receive_control_;
  const std::size_t needed = otp::pad_needed(header->length);
  if (lane.key == nullptr || header->pad_offset != lane.pad.begin() ||
      lane.pad.remaining() < needed || header->sequence != receive_sequence_) {
    return break_off("a frame is out of order or outside the granted pad");
  }
  secret::Buffer body(header->length + otp::kTagBytes);  // one read for both
  TRY(stream_->read_exact(body.bytes()));
  mac::Tag tag{};
  copy_bytes(tag, body.bytes().subspan(header->length));
  body.shrink(header->length);
  TRY_ASSIGN(secret::Pad pad, lane.pad.take(needed));
  ++receive_sequence_;
  link_.receive().record_use(
      {.payload = header->length, .tag = otp::kTagBytes, .bulk = data ? header->length : 0});
  const auto opened = otp::open(std::move(pad), *lane.key, header_bytes, body.bytes(), tag);
  if (!opened) return break_off(opened.error().message);
  return Frame{header->type, std::move(body)};
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

Result<> Connection::send_grant_request(keypool::Purpose purpose, std::uint64_t size) {
  wire::Writer request;
  request.u8(static_cast<std::uint8_t>(purpose));
  request.u64(size);
  Bytes payload = request.take();
  return send_sealed(send_control_, FrameType::kGrantRequest, payload);
}

// The next grant or denial; the far end's own requests are answered on the way.
Result<Frame> Connection::await_grant_answer() {
  for (;;) {
    TRY_ASSIGN(Frame frame, receive_sealed());
    switch (frame.type) {
      case FrameType::kGrant:
      case FrameType::kGrantDenied: return frame;
      case FrameType::kGrantRequest: TRY(answer_grant_request(frame.payload.bytes())); break;
      case FrameType::kWorking: break;
      default:
        return fail(Code::kProtocol, "link to " + link_.peer().text() +
                                         ": something else came where a grant was due");
    }
  }
}

Result<> Connection::request_grant(keypool::Purpose purpose, std::uint64_t size) {
  TRY(send_grant_request(purpose, size));
  for (;;) {
    TRY_ASSIGN(const Frame frame, await_grant_answer());
    if (answers_ahead(frame.type)) {  // answers come in the order of their requests
      TRY(take_answer_ahead(frame));
      continue;
    }
    if (frame.type == FrameType::kGrant) return take_over(purpose, frame.payload.bytes(), size);
    return fail(Code::kOutOfKey, "link to " + link_.peer().text() + " has no " +
                                     std::to_string(size) + " bytes of key left at the far end");
  }
}

Result<keypool::Reservation> Connection::accept(keypool::Purpose purpose, ByteView grant_bytes,
                                                std::uint64_t size) {
  TRY_ASSIGN(const Grant grant, decode_grant(grant_bytes));
  if (grant.size.value != size) {
    return fail(Code::kProtocol, "a grant has a wrong size");
  }
  return link_.send().accept(grant.begin, grant.size, purpose, job_);
}

Result<> Connection::take_over(keypool::Purpose purpose, ByteView grant, std::uint64_t size) {
  TRY_ASSIGN(auto range, accept(purpose, grant, size));
  if (keypool::is_drawn(purpose)) {
    send_share_ = std::move(range);
    return {};
  }
  Lane& lane = purpose == keypool::Purpose::kBulk ? send_bulk_ : send_control_;
  return start_lane(lane, std::move(range), link_.send());
}

bool Connection::answers_ahead(FrameType type) const {
  const bool answer = type == FrameType::kGrant || type == FrameType::kGrantDenied;
  return answer && ahead_ && !ahead_->range;
}

Result<> Connection::take_answer_ahead(const Frame& answer) {
  if (answer.type == FrameType::kGrantDenied) {
    ahead_.reset();  // grant_bulk() asks again, and waits
    return {};
  }
  TRY_ASSIGN(ahead_->range, accept(keypool::Purpose::kBulk, answer.payload.bytes(), ahead_->size));
  link_.draw(ahead_->job, {ahead_->size});
  return {};
}

Result<bool> Connection::use_ahead(const JobId& job, std::uint64_t size) {
  while (ahead_ && !ahead_->range) {
    TRY_ASSIGN(const Frame answer, await_grant_answer());
    TRY(take_answer_ahead(answer));
  }
  auto ahead = std::exchange(ahead_, std::nullopt);
  if (!ahead || ahead->job != job || ahead->size != size) return false;  // a rest of it is burnt
  TRY(start_lane(send_bulk_, std::move(*ahead->range), link_.send()));
  return true;
}

Result<> Connection::answer_grant_request(ByteView payload) {
  wire::Reader reader(payload, "grant request");
  const std::uint8_t purpose_number = reader.u8();
  const std::uint64_t size = reader.u64();
  if (purpose_number < 1 || purpose_number > 5 || purpose_number == 4) {
    reader.reject("unknown purpose");
  }
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
  auto reserved = link_.receive().reserve({size}, purpose, job_);
  if (!reserved) {
    if (reserved.error().code != Code::kOutOfKey) return std::unexpected(reserved.error());
    return send_sealed(send_control_, FrameType::kGrantDenied, {});
  }
  Bytes grant = encode(Grant{reserved->begin(), {size}});
  TRY(start_receiving(purpose, std::move(*reserved)));
  return send_sealed(send_control_, FrameType::kGrant, grant);
}

Result<> Connection::start_receiving(keypool::Purpose purpose, keypool::Reservation range) {
  if (purpose == keypool::Purpose::kShare || purpose == keypool::Purpose::kApplication) {
    receive_share_ = std::move(range);
    return {};
  }
  Lane* lane = &receive_control_;
  if (purpose == keypool::Purpose::kBulk) {
    // Frames of the present range may still be on their way.
    const bool in_use = receive_bulk_.pad.remaining() > 0;
    lane = in_use ? &receive_bulk_next_.emplace() : &receive_bulk_;
  }
  return start_lane(*lane, std::move(range), link_.receive());
}

Result<> Connection::grant_bulk(const JobId& job, std::uint64_t size, std::uint64_t frames,
                                const std::function<bool()>& keep_waiting) {
  const std::uint64_t needed = bulk_range(size, frames);
  TRY_ASSIGN(const bool was_asked, use_ahead(job, needed));
  if (was_asked) return {};
  return acquire(keypool::Purpose::kBulk, job, needed, keep_waiting);
}

Result<> Connection::ask_bulk_ahead(const JobId& job, std::uint64_t size, std::uint64_t frames) {
  WARIFU_CHECK(!ahead_);
  const std::uint64_t needed = bulk_range(size, frames);
  if (link_.drawable(job, urgency_) < needed) return {};
  TRY(ensure_control(64));
  TRY(send_grant_request(keypool::Purpose::kBulk, needed));
  ahead_ = Ahead{job, needed, std::nullopt};
  return {};
}

Result<keypool::Reservation> Connection::grant_drawn(keypool::Purpose purpose, const JobId& job,
                                                     std::uint64_t size,
                                                     const std::function<bool()>& keep_waiting) {
  WARIFU_CHECK(keypool::is_drawn(purpose));
  TRY(acquire(purpose, job, size + keypool::kShareHashKeyBytes, keep_waiting));
  return std::move(send_share_);
}

Result<> Connection::await_key(const JobId& job, std::uint64_t needed,
                               const std::function<bool()>& keep_waiting) {
  auto told = std::chrono::steady_clock::now();
  // Who will not wait is told at once; who waits may change his mind at every step.
  bool waits = keep_waiting();
  while (!link_.wait_drawable(job, {needed}, waits ? kAskingInterval : kNoWait, urgency_)) {
    waits = waits && keep_waiting();
    if (!waits) return fail(Code::kOutOfKey, "link to " + link_.peer().text() + " waits for key");
    if (std::chrono::steady_clock::now() - told < kWorkingInterval) continue;
    told = std::chrono::steady_clock::now();
    wire::Writer progress;
    progress.u64(0);
    progress.u64(0);
    Bytes payload = progress.take();
    TRY(send(FrameType::kWorking, payload));
  }
  return {};
}

Result<> Connection::acquire(keypool::Purpose purpose, const JobId& job, std::uint64_t needed,
                             const std::function<bool()>& keep_waiting) {
  std::chrono::milliseconds denied_pause(100);
  for (;;) {
    TRY(await_key(job, needed, keep_waiting));
    TRY(ensure_control(64));
    const auto granted = request_grant(purpose, needed);
    if (granted) {
      link_.draw(job, {needed});
      return {};
    }
    // The far end may still be confirming what this end already counts.
    if (granted.error().code != Code::kOutOfKey) return granted;
    for (auto left = denied_pause; left.count() > 0; left -= kAskingInterval) {
      if (!keep_waiting()) return granted;
      (void)link_.send().wait_available(UINT64_MAX, std::min(left, kAskingInterval));
    }
    denied_pause = std::min(denied_pause * 2, kLongestDeniedPause);
  }
}

Result<Frame> Connection::receive() {
  for (;;) {
    TRY_ASSIGN(Frame frame, receive_sealed());
    if (frame.type == FrameType::kGrantRequest) {
      TRY(answer_grant_request(frame.payload.bytes()));
    } else if (answers_ahead(frame.type)) {
      TRY(take_answer_ahead(frame));
    } else {
      return frame;
    }
  }
}

}  // namespace warifu::channel
