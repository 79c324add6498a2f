// Messages between the two stand-in devices.
//
//   frame  := type:u8 length:u32 body
//   HELLO  := version:u32 role:u8 key_bytes:u32 max_key_count:u32 rate:u64 instance:16
//             known_instance:16 kme_id:text local_sae:text remote_sae:text received:u64
//   KEY    := sequence:u64 direction:u8 id:text, then key_bytes of key behind the frame
//   ACK    := sequence:u64            all keys up to it are stored
//   TAKEN  := first:u64 count:u32 id:text...   the SAE of the sender took these
//   STATE  := released:u64 taken_heard:u64 discarded_bits:u64   also the heartbeat
#pragma once

#include <array>
#include <string>
#include <variant>
#include <vector>

#include "kme/rate_model_store.h"

namespace warifu::kme::rate_wire {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kFrameHead = 5;
inline constexpr std::size_t kMaxBody = 16 * 1024;
inline constexpr std::size_t kIdsInTaken = 256;

using Instance = std::array<Byte, 16>;

struct Hello {
  RateModelRole role = RateModelRole::kAlice;
  std::uint32_t key_bytes = 0;
  std::uint32_t max_key_count = 0;
  std::uint64_t rate = 0;
  Instance instance{};
  Instance known_instance{};  // of the peer, as remembered; zero when there is none
  std::string kme_id;
  std::string local_sae;
  std::string remote_sae;
  std::uint64_t received = 0;
};
struct KeyHead {
  std::uint64_t sequence = 0;
  KeyDirection direction = KeyDirection::kFromAlice;
  std::string id;
};
struct Ack {
  std::uint64_t sequence = 0;
};
struct Taken {
  std::uint64_t first = 0;
  std::vector<std::string> ids;
};
struct State {
  std::uint64_t released = 0;
  std::uint64_t taken_heard = 0;
  std::uint64_t discarded_bits = 0;
};
using Message = std::variant<Hello, KeyHead, Ack, Taken, State>;

// A whole frame.
[[nodiscard]] Bytes encode(const Message& message);
// Type and length of a frame's head. Errors: kProtocol.
struct FrameHead {
  std::uint8_t type = 0;
  std::size_t length = 0;
};
[[nodiscard]] Result<FrameHead> decode_head(ByteView head);
// Errors: kProtocol.
[[nodiscard]] Result<Message> decode(std::uint8_t type, ByteView body);

}  // namespace warifu::kme::rate_wire
