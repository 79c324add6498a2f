// The application's side of a site's key stream socket (kme/stream_frames.h): what `warifu stream`
// uses, and what a consumer in C++ would write. One thread.
#pragma once

#include <memory>

#include "kme/stream_frames.h"
#include "os/net.h"
#include "secret/secret.h"

namespace warifu::apps {

class StreamClient {
 public:
  struct Chunk {
    std::uint32_t index = 0;
    secret::Buffer key;
    std::string metadata;
  };
  // Errors of all: kUnavailable; kProtocol when the site answers nonsense; else the status of the
  // answer as an error with its text.
  [[nodiscard]] static Result<StreamClient> connect(const std::string& socket);
  // Also when the answer's status is 1 (the peer is not there yet); 7 tells what could be met.
  [[nodiscard]] Result<kme::StreamOpenAnswer> open(const kme::StreamOpenRequest& request);
  // In two steps, so that several can be on their way; answers come in the order of the requests.
  [[nodiscard]] Result<> ask(const kme::StreamGetRequest& request);
  [[nodiscard]] Result<Chunk> receive();
  [[nodiscard]] Result<> close(const kme::KeyStreamId& id);

 private:
  explicit StreamClient(std::unique_ptr<os::ByteStream> stream) : stream_(std::move(stream)) {}
  Result<> send(kme::StreamService service, const Bytes& payload);
  Result<std::uint32_t> read_header(kme::StreamService service);
  Result<Bytes> read_answer(kme::StreamService service);
  Result<std::uint32_t> read_number();

  std::unique_ptr<os::ByteStream> stream_;
};

}  // namespace warifu::apps
