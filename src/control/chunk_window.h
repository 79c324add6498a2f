// Verified chunks of a restore, for somebody who reads bytes of the file at ascending places: a few
// chunks are held at a time, in locked memory, while others are fetched in a thread of their own.
//
// Ownership: the window runs `fetch` until it is destroyed. Thread rule: read() belongs to one
// thread.
#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "base/bounded_queue.h"
#include "control/restore_desk.h"

namespace warifu::control {

class ChunkWindow {
 public:
  // Hands every chunk of the object to the sink, ascending.
  using Fetch = std::function<Result<>(const ChunkSink& sink)>;
  // The file begins at chunk `first` of the object; `head` are its first bytes as far as they are
  // known already, and must outlive the window.
  ChunkWindow(Fetch fetch, std::uint64_t first, ByteView head);
  ~ChunkWindow();
  ChunkWindow(const ChunkWindow&) = delete;
  ChunkWindow& operator=(const ChunkWindow&) = delete;

  // All of `out` at this place of the file; never more than kHeldBehind chunks before what was read
  // last. Errors: those of the fetching; kCorrupt for bytes that are not among the chunks.
  [[nodiscard]] Result<> read(std::uint64_t offset, MutableBytes out);
  // Waits until everything has been fetched. Errors: those of the fetching.
  [[nodiscard]] Result<> finish();

 private:
  static constexpr std::size_t kHeldBehind = 2;
  static constexpr std::size_t kAhead = 4;
  struct Piece {
    std::uint64_t chunk = 0;
    secret::Buffer plain;
  };
  // The chunk, held already or to come.
  Result<ByteView> find(std::uint64_t chunk);

  std::uint64_t first_;
  ByteView head_;
  std::deque<Piece> held_;
  BoundedQueue<Piece> queue_;
  Result<> fetched_;  // belongs to thread_ until the queue is closed
  std::thread thread_;
};

}  // namespace warifu::control
