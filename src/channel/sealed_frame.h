// One frame between arriving and being opened, and one between being prepared and being sent: the
// pieces that a fused pass (pad, tag and shares in one walk over memory) needs from a connection.
//
// Invariants: a SealedFrame ends in exactly one verdict: open(), accept() or reject(); dropped
// without one it counts as rejected, and then its connection ends. Its bytes must not be used, or
// promised to anybody, before it is verified.
// Ownership: both own their pad and share the hash key with the connection, so they may outlive the
// range they came from. Thread rule: one thread at a time each, any thread.
#pragma once

#include <atomic>
#include <memory>

#include "channel/frame.h"
#include "mac/mac.h"
#include "secret/pad.h"

namespace warifu::channel {

// What became of the frames that a connection handed out unopened.
struct Verdicts {
  std::atomic<std::uint64_t> open = 0;  // frames without a verdict
  std::atomic<bool> failed = false;     // a tag was wrong, or a frame was dropped unverified
};

// The place of the next data frame of a direction. Whoever holds it makes
//   ciphertext = payload XOR pad[0, n),  tag = H_key(header, ciphertext) XOR pad[n, n+16)
// and gives header, ciphertext and tag to send_prepared(). The header is 32 bytes.
struct DataSlot {
  HeaderBytes header{};
  secret::Pad pad;  // n + 16 bytes
  std::shared_ptr<const mac::Key> key;
};

// A frame as it came, unverified.
class SealedFrame {
 public:
  SealedFrame(const FrameHeader& header, const HeaderBytes& header_bytes, secret::Buffer ciphertext,
              mac::Tag tag, secret::Pad pad, std::shared_ptr<const mac::Key> key,
              std::shared_ptr<Verdicts> verdicts);
  SealedFrame(SealedFrame&&) noexcept = default;
  SealedFrame& operator=(SealedFrame&& other) noexcept;
  ~SealedFrame() { decide(false); }

  // Verifies, then decrypts; the frame is empty afterwards. Errors: kProtocol for a wrong tag.
  [[nodiscard]] Result<secret::Buffer> open();

  // For a pass that verifies by itself; formulas at DataSlot.
  [[nodiscard]] FrameType type() const { return type_; }
  [[nodiscard]] std::size_t size() const { return data_.size(); }
  [[nodiscard]] const HeaderBytes& header() const { return header_; }
  [[nodiscard]] MutableBytes ciphertext() { return data_.bytes(); }
  [[nodiscard]] const mac::Tag& tag() const { return tag_; }
  [[nodiscard]] ByteView pad() const { return pad_.bytes(); }  // size() + 16 bytes
  [[nodiscard]] const mac::Key& key() const { return *key_; }
  // The pass has found the tag right; returns the buffer as the pass left it.
  [[nodiscard]] secret::Buffer accept();
  // The pass has found the tag wrong: the connection ends.
  void reject() { decide(false); }

 private:
  void decide(bool good);

  FrameType type_;
  HeaderBytes header_;
  secret::Buffer data_;
  mac::Tag tag_;
  secret::Pad pad_;
  std::shared_ptr<const mac::Key> key_;
  std::shared_ptr<Verdicts> verdicts_;  // empty once decided, or moved from
};

}  // namespace warifu::channel
