// Uploads and downloads that fit into memory: sent from one buffer, received into one, and tried
// again when only an old connection was at fault.
//
// Thread rule: as Call and Exchange.
#pragma once

#include "channel/caller.h"
#include "channel/server.h"

namespace warifu::channel {

// The shape of `bytes` (at least one) in frames of at most `frame_bytes`.
[[nodiscard]] StreamShape shape_of_whole(std::size_t bytes, std::size_t frame_bytes);

// Sends the upload that the call has announced with `shape`. Frames are sealed in place, so each is
// a copy and `bytes` stays for another try. Errors: as Call::send().
[[nodiscard]] Result<> send_whole(Call& call, const StreamShape& shape, ByteView bytes);

// The same of a download that the reply has announced. Errors: as Exchange::send().
[[nodiscard]] Result<> send_whole(Exchange& exchange, const StreamShape& shape, ByteView bytes);

// Receives the download of a reply with that shape, which the caller has looked at. Errors: as
// Call::receive().
[[nodiscard]] Result<secret::Buffer> receive_whole(Call& call, const StreamShape& shape);

// Receives an upload, sent or drawn; the caller has looked at its shape. Its acknowledgements
// promise nothing: the reply says what has become of it. Errors: as StreamReceiver::receive().
[[nodiscard]] Result<secret::Buffer> receive_whole(Exchange& exchange);

// What `once` returns, run again at most twice while that is kUnavailable: a cached connection that
// the far end closed shows only then. The far end must bear to hear the same twice.
template <typename Once>
[[nodiscard]] auto try_again(const Once& once) -> decltype(once()) {
  constexpr int kTries = 3;
  for (int attempt = 1;; ++attempt) {
    auto result = once();
    if (result || result.error().code != Code::kUnavailable || attempt == kTries) return result;
  }
}

}  // namespace warifu::channel
