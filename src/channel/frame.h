// Frames of the one-time-pad channel (docs/formats/otp-channel.md), version 2.
//
//   frame  := header ciphertext tag
//   header := "WF" version:u8 type:u8 length:u32 pad_offset:u64 sequence:u64 zeros:8     (32 bytes)
//   tag    := 16 bytes: H_k(header, ciphertext) XOR pad      (absent from clear frames)
//
// Clear frames (types 1..15) open a connection; they hold link id and pad ranges, no names and
// nothing secret. Every other frame is sealed: pad [pad_offset, +length) covers the payload
// and the next 16 bytes mask the tag. Header fields are in clear but under the tag.
#pragma once

#include <array>

#include "base/bytes.h"
#include "base/units.h"

namespace warifu::channel {

enum class FrameType : std::uint8_t {
  kHello = 1,    // clear: link id and the caller's nonce
  kWelcome = 2,  // clear: the callee's nonce, a grant of pad for the caller, its proof
  kOpen = 5,     // clear: a grant of pad for the callee, its proof
  kBehind = 3,   // clear: "your grant lies below my mark, which is ..."
  kSorry = 4,    // clear: reason in words; the connection ends
  kGrantRequest = 16,
  kGrant = 17,
  kGrantDenied = 18,
  kRequest = 32,
  kReply = 33,
  kError = 34,
  kData = 35,     // from the bulk grant
  kAck = 36,      // an earlier window, or at the end everything, is durable
  kWorking = 37,  // still at it: progress of a long handler, or waiting for key
  kDrawn = 38,    // a window of key became share bytes at both ends: which, and its hash
};

struct FrameHeader {
  FrameType type = FrameType::kHello;
  std::uint32_t length = 0;
  PadOffset pad_offset;
  std::uint64_t sequence = 0;
};

inline constexpr std::size_t kHeaderBytes = 32;
using HeaderBytes = std::array<Byte, kHeaderBytes>;

[[nodiscard]] HeaderBytes encode(const FrameHeader& header);
// Errors: kProtocol naming the flaw (magic, version, type, length, reserved bytes).
[[nodiscard]] Result<FrameHeader> decode_header(ByteView bytes);
[[nodiscard]] constexpr bool is_clear(FrameType type) {
  return static_cast<std::uint8_t>(type) < 16;
}

}  // namespace warifu::channel
