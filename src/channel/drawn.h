// One window of a drawn stream: a range of the link's key that becomes share bytes at both ends,
// with nothing sent but a report (docs/formats/otp-channel.md, "Key as share").
//
//   report := begin:u64 size:u64 first_frame:u64 frames:u32 count:u32
//             piece{count} hash:16
//   piece  := segment:u64 offset:u64 length:u64        segment 0 when it is preshared
//   hash   := H_k(content), k the first 16 bytes of the range; `size` above fixes its length
//
// Invariants: the content is the raw key, never derived from it; both ends make the report from
// what their own pools say, and the frames count only when the reports are equal. Thread rule: one
// thread at a time.
#pragma once

#include <set>

#include "keypool/pool.h"
#include "mac/mac.h"

namespace warifu::channel {

class DrawnWindow {
 public:
  // Takes over a range for shares. Errors: kCorrupt, kIo; kRefused when the key lies in too many
  // pieces to be named.
  [[nodiscard]] static Result<DrawnWindow> start(keypool::Pool& pool, keypool::Reservation range);

  // Fills the next frame. Every frame but the last must be a multiple of 16 bytes. Errors:
  // kCorrupt, kIo.
  [[nodiscard]] Result<> draw(MutableBytes frame);
  // Once the whole range is drawn.
  [[nodiscard]] Bytes report(std::uint64_t first_frame, std::uint32_t frames) const;
  [[nodiscard]] PadOffset begin() const { return begin_; }
  [[nodiscard]] const std::set<keypool::Origin>& origins() const { return origins_; }

 private:
  DrawnWindow(keypool::Pool& pool, keypool::Reservation range);

  keypool::Pool* pool_;
  keypool::Reservation range_;
  PadOffset begin_;
  std::uint64_t size_;
  std::vector<keypool::KeyPiece> pieces_;
  std::set<keypool::Origin> origins_;
  std::unique_ptr<const mac::Key> key_;
  std::unique_ptr<mac::Hasher> hasher_;  // over the content
};

}  // namespace warifu::channel
