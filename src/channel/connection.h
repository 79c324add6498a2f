// One connection of a link: handshake, pad grants, and sealed frames in strict order.
//
// How pad is agreed: the end that receives a direction reserves the range, durably, and tells it to
// the end that sends; that end takes it over, durably, and only then uses it. So every byte is
// marked used at both ends before its first use. The two first ranges travel in clear frames; every
// later one in a sealed grant. The first 16 bytes of each range are that range's hash key.
//
// Invariants: frames of a direction use the pad of their range in order, sequence numbers count
// from 0; any deviation or a wrong tag ends the connection. Nothing outside sees a pad. What is
// left of a range at the end of a connection is burnt. Half duplex: at any time one side sends and
// the other receives; grant requests are answered by the receiving side inside receive().
//
// Making marks durable takes two syncs, one at each end. So the pad of a stream's next window may
// be asked for while the present one is still being sent (ask_bulk_ahead); each end then holds one
// range more, which begins to serve when the present one ends. Thread rule: one thread at a time,
// except close().
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "channel/frame.h"
#include "kme/key_manager.h"
#include "mac/mac.h"
#include "os/net.h"

namespace warifu::channel {

struct Frame {
  FrameType type = FrameType::kReply;
  secret::Buffer payload;
};

class Connection {
 public:
  // Opens as caller over a fresh stream. Errors: kUnavailable, kOutOfKey, kRefused, kProtocol.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> call(
      kme::Link& link, std::unique_ptr<os::ByteStream> stream);
  // Answers a caller. `log_name` of the caller's address stands in error texts.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> answer(
      kme::KeyManager& keys, std::unique_ptr<os::ByteStream> stream);
  // The same; `find_link` gives the link of an id, or nullptr.
  using FindLink = std::function<kme::Link*(const LinkId& id)>;
  [[nodiscard]] static Result<std::unique_ptr<Connection>> answer(
      const FindLink& find_link, std::unique_ptr<os::ByteStream> stream);
  ~Connection();

  [[nodiscard]] kme::Link& link() { return link_; }
  // For whom pad is granted from here on, as the pools' trails tell it, and how urgently.
  void work_for(const JobId& job, kme::Link::Urgency urgency = kme::Link::Urgency::kUsual) {
    job_ = job;
    urgency_ = urgency;
  }

  // Seals and sends a control frame; asks for more pad first when it runs low. The payload is
  // encrypted in place. Errors: kOutOfKey, kUnavailable, kTimeout, kProtocol.
  [[nodiscard]] Result<> send(FrameType type, MutableBytes payload);
  // Reserves pad for `size` bytes of payload in `frames` data frames on behalf of a job, or takes
  // what was asked ahead. Waits for key as long as `keep_waiting` says so, telling the peer that
  // work goes on.
  [[nodiscard]] Result<> grant_bulk(const JobId& job, std::uint64_t size, std::uint64_t frames,
                                    const std::function<bool()>& keep_waiting);
  // Asks for what the next grant_bulk() with the same arguments will want, and does not wait for
  // the answer; does nothing when the job would have to wait for key. Errors as send().
  [[nodiscard]] Result<> ask_bulk_ahead(const JobId& job, std::uint64_t size, std::uint64_t frames);
  // Reserves `size` bytes of the link's key, and a hash key, to become share bytes or keys of
  // applications (a drawn purpose) at both ends; in the same order as pad and marked like it. Waits
  // and errors as grant_bulk().
  [[nodiscard]] Result<keypool::Reservation> grant_drawn(keypool::Purpose purpose, const JobId& job,
                                                         std::uint64_t size,
                                                         const std::function<bool()>& keep_waiting);
  // The far end's last range of that kind, as reserved here; nothing remains when there is none.
  [[nodiscard]] keypool::Reservation take_share_range() { return std::move(receive_share_); }
  // Ends the connection at a breach of the protocol, for good.
  std::unexpected<Error> break_off(std::string why);
  // Seals and sends a data frame from the bulk grant, which must still hold enough.
  [[nodiscard]] Result<> send_data(MutableBytes payload);
  // The next frame; grant requests are answered on the way. Errors as send().
  [[nodiscard]] Result<Frame> receive();

  // For an idle connection: true when the far end has closed it or speaks out of turn.
  [[nodiscard]] bool is_stale() const { return stream_->has_input(); }
  // Ends the connection from any thread.
  void close() { stream_->shutdown(); }

 private:
  // A range of pad in use for one direction and purpose.
  struct Lane {
    keypool::Reservation pad;
    std::unique_ptr<const mac::Key> key;
  };
  // Bulk pad asked for and not in use yet; `range` is set when the answer came.
  struct Ahead {
    JobId job;
    std::uint64_t size = 0;
    std::optional<keypool::Reservation> range;
  };

  Connection(kme::Link& link, std::unique_ptr<os::ByteStream> stream)
      : link_(link), stream_(std::move(stream)) {}

  static Result<> start_lane(Lane& lane, keypool::Reservation pad, keypool::Pool& pool);
  Result<> send_clear(FrameType type, ByteView payload);
  Result<Frame> receive_clear();
  Result<> send_sealed(Lane& lane, FrameType type, MutableBytes payload);
  Result<Frame> receive_sealed();
  Result<> check_intact();
  Result<> ensure_control(std::size_t payload);
  Result<> send_grant_request(keypool::Purpose purpose, std::uint64_t size);
  Result<> request_grant(keypool::Purpose purpose, std::uint64_t size);
  Result<> answer_grant_request(ByteView payload);
  // Hands out a range that was reserved for the far end.
  Result<> start_receiving(keypool::Purpose purpose, keypool::Reservation range);
  Result<> take_over(keypool::Purpose purpose, ByteView grant, std::uint64_t size);
  Result<keypool::Reservation> accept(keypool::Purpose purpose, ByteView grant, std::uint64_t size);
  // A frame of this type would be the answer to ask_bulk_ahead(), which take_answer_ahead() takes.
  [[nodiscard]] bool answers_ahead(FrameType type) const;
  Result<> take_answer_ahead(const Frame& answer);
  // Takes what was asked ahead into use; false when there is none of this job and size.
  Result<bool> use_ahead(const JobId& job, std::uint64_t size);
  Result<Frame> await_grant_answer();
  // Waits until a job may draw so much; the peer is told now and then that it still waits.
  Result<> await_key(const JobId& job, std::uint64_t size,
                     const std::function<bool()>& keep_waiting);
  Result<> acquire(keypool::Purpose purpose, const JobId& job, std::uint64_t size,
                   const std::function<bool()>& keep_waiting);
  // The first grants: reserve and prove; check and take over.
  Result<Bytes> first_grant(ByteView their_nonce);
  Result<> take_first_grant(ByteView grant_and_proof, ByteView own_nonce);
  Result<> greet_caller(ByteView caller_nonce);
  Result<> greet_callee();
  Result<> tell_behind(const Error& error);
  Result<> catch_up_to(PadOffset mark);
  Result<> catch_up(ByteView behind);

  kme::Link& link_;
  std::unique_ptr<os::ByteStream> stream_;
  JobId job_;
  kme::Link::Urgency urgency_ = kme::Link::Urgency::kUsual;
  Lane send_control_, send_bulk_, receive_control_, receive_bulk_;
  std::optional<Ahead> ahead_;
  std::optional<Lane> receive_bulk_next_;
  keypool::Reservation send_share_, receive_share_;
  std::uint64_t send_sequence_ = 0;
  std::uint64_t receive_sequence_ = 0;
  bool is_broken_ = false;
  bool topping_up_ = false;
};

}  // namespace warifu::channel
