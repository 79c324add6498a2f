// The Unix-domain socket where applications of this machine take key streams
// (docs/formats/key-stream.md).
//
// Who is at the other end is what the kernel says (SO_PEERCRED), never what a frame says: a user
// that no application here belongs to is refused before a byte is read. A malformed frame is
// answered with a status and ends its connection; what one connection can make the site hold is one
// short request and one chunk. Ownership: the streams must outlive it. A thread for each
// connection; an application may have several.
#pragma once

#include <list>
#include <thread>

#include "kme/key_streams.h"
#include "os/net.h"

namespace warifu::kme {

class StreamServer {
 public:
  StreamServer(std::unique_ptr<os::Listener> listener, KeyStreams& streams)
      : listener_(std::move(listener)), streams_(streams) {}
  ~StreamServer() { stop(); }
  void start();
  // Ends all connections and waits for their threads.
  void stop();

 private:
  struct Session {
    std::unique_ptr<os::ByteStream> stream;
    std::uint32_t user = 0;
    std::thread thread;
    std::atomic<bool> over = false;
  };

  void accept_loop();
  void serve(Session& session);
  Result<> serve_frame(Session& session);
  Result<> answer_open(Session& session, ByteView payload);
  Result<> answer_get(Session& session, ByteView payload);
  Result<> answer_close(Session& session, ByteView payload);
  void reap();

  std::unique_ptr<os::Listener> listener_;
  KeyStreams& streams_;
  std::thread acceptor_;
  std::mutex mutex_;
  std::list<Session> sessions_;
  bool stopping_ = false;
};

}  // namespace warifu::kme
