// A stream of text to one client that goes on until somebody leaves: what server-sent events need.
//
// It costs no thread: the handler that begins it returns at once, the server keeps the connection
// with its parked ones, and one thread of the server writes for all of them. Nothing ever waits for
// a client: what he has not taken waits in a buffer, and who lets it grow beyond its bound, or
// takes nothing for kFeedPatience, is cut off. Whoever produces text holds the feed too and finds
// it closed then. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace warifu::http {

inline constexpr std::size_t kFeedBytes = 1024 * 1024;  // that wait for one client
inline constexpr std::chrono::seconds kFeedPatience{20};

// What wakes the thread that writes; it outlives the server for producers that are late.
struct FeedBell {
  std::mutex mutex;
  std::condition_variable ready;
  bool rung = false;

  void ring();
  // True: it was rung; false: the time is over.
  bool wait(std::chrono::milliseconds limit);
};

class Feed {
 public:
  explicit Feed(std::size_t most = kFeedBytes) : most_(most) {}
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Adds text. False: the client has gone, or has just been given up as too slow.
  bool push(std::string_view text);
  // No more text; what waits is still written.
  void close();
  [[nodiscard]] bool closed() const;

  // For the server: who is to be told of new text.
  void attach(std::shared_ptr<FeedBell> bell);
  // For the server: up to `most` bytes that wait, which are its own from now on.
  [[nodiscard]] std::string take(std::size_t most);
  // For the server: nothing waits.
  [[nodiscard]] bool drained() const;
  // For the server: the client has gone; what waits is dropped.
  void abandon();

 private:
  mutable std::mutex mutex_;
  const std::size_t most_;
  std::string waiting_;
  bool closed_ = false;
  std::shared_ptr<FeedBell> bell_;
};

}  // namespace warifu::http
