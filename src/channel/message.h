// Requests and replies between sites, as bytes inside sealed frames (docs/formats/otp-channel.md).
//
//   request := from:site to:site hops:u8 way:sites passed:sites method:u16 job:16 shape body:blob
//   reply   := shape body:blob
//   shape   := frames:u64 bytes:u64 frame_bytes:u32 drawn:u8
//   error   := code:u8 text      a message, and " (word)" behind it if it has a reason
//   working := done:u64 total:u64
//
// A shape announces the data frames that follow, so that pad can be granted to the byte.
#pragma once

#include "base/ids.h"
#include "base/limits.h"
#include "base/units.h"
#include "channel/frame.h"

namespace warifu::channel {

struct StreamShape {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;        // payload of all frames
  std::uint32_t frame_bytes = 0;  // of every frame but the last
  // Key as share: the frames are key of the link itself, drawn at both ends and not sent. Uploads
  // to direct peers only; frame_bytes is then a multiple of 16.
  bool drawn = false;
  // Of a drawn stream: the key is for applications of both sites and becomes no share.
  bool application = false;
  bool operator==(const StreamShape&) const = default;

  // Payload bytes of frame `index`.
  [[nodiscard]] std::uint64_t frame_length(std::uint64_t index) const;
  // Frames and payload bytes of the window that starts at frame `first`.
  [[nodiscard]] std::uint64_t window_frames(std::uint64_t first) const;
  [[nodiscard]] std::uint64_t window_bytes(std::uint64_t first) const;
};

struct Request {
  SiteName from;
  SiteName to;
  std::uint8_t hops = 0;
  // The sites that the request still passes, `to` last. Empty: each site knows its next hop.
  std::vector<SiteName> way;
  // The sites that it has passed, `from` first: each is noted by the next one, over whose link it
  // came. So whoever was on the way stands here, unless everybody behind it lies.
  std::vector<SiteName> passed;
  std::uint16_t method = 0;
  JobId job;  // whose lease pays for data frames, at every hop
  StreamShape upload;
  Bytes body;
};

struct Reply {
  StreamShape download;
  Bytes body;
};

[[nodiscard]] Bytes encode(const Request& request);
[[nodiscard]] Result<Request> decode_request(ByteView bytes);
[[nodiscard]] Bytes encode(const Reply& reply);
[[nodiscard]] Result<Reply> decode_reply(ByteView bytes);
[[nodiscard]] Bytes encode(const Error& error);
// The error that the peer sent, its text prefixed by the peer's name.
[[nodiscard]] Error decode_error(ByteView bytes, const SiteName& peer);

}  // namespace warifu::channel
