// Held, or waited for.
#include "control/chunk_window.h"

#include <algorithm>

#include "base/limits.h"

namespace warifu::control {

ChunkWindow::ChunkWindow(Fetch fetch, std::uint64_t first, ByteView head)
    : first_(first), head_(head), queue_(kAhead), thread_([this, run = std::move(fetch)] {
        fetched_ = run([this](std::uint64_t chunk, ByteView plain) -> Result<> {
          if (queue_.push({chunk, secret::Buffer::copy_of(plain)})) return {};
          return fail(Code::kCancelled, "nobody reads these chunks any more");
        });
        queue_.close();
      }) {}

ChunkWindow::~ChunkWindow() {
  queue_.abandon();
  if (thread_.joinable()) thread_.join();
}

Result<ByteView> ChunkWindow::find(std::uint64_t chunk) {
  for (const Piece& piece : held_) {
    if (piece.chunk == chunk) return piece.plain.bytes();
  }
  for (;;) {
    auto piece = queue_.pop();
    if (!piece) {
      TRY(finish());
      return fail(Code::kCorrupt, "the index points beside the chunks of the consent");
    }
    held_.push_back(std::move(*piece));
    if (held_.size() > kHeldBehind + 1) held_.pop_front();
    if (held_.back().chunk == chunk) return held_.back().plain.bytes();
  }
}

Result<> ChunkWindow::read(std::uint64_t offset, MutableBytes out) {
  while (!out.empty()) {
    if (offset < head_.size()) {
      const std::size_t part = std::min<std::size_t>(out.size(), head_.size() - offset);
      copy_bytes(out, head_.subspan(offset, part));
      out = out.subspan(part);
      offset += part;
      continue;
    }
    TRY_ASSIGN(const ByteView plain, find(first_ + offset / limits::kChunkBytes));
    const std::size_t within = offset % limits::kChunkBytes;
    if (within >= plain.size()) {
      return fail(Code::kCorrupt, "the index points behind the end of the file");
    }
    const std::size_t part = std::min(out.size(), plain.size() - within);
    copy_bytes(out, plain.subspan(within, part));
    out = out.subspan(part);
    offset += part;
  }
  return {};
}

Result<> ChunkWindow::finish() {
  while (queue_.pop()) {
  }
  if (thread_.joinable()) thread_.join();
  return fetched_;
}

}  // namespace warifu::control
