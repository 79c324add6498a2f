// Connections that have become feeds: one thread writes for all of them and waits for none.
#include <array>
#include <cstdio>

#include "http/server.h"

namespace warifu::http {
namespace {

constexpr std::size_t kPiece = 64 * 1024;           // of one write
constexpr std::size_t kUnsent = 64 * 1024;          // in the socket, above which a client is slow
constexpr std::size_t kSocketBuffer = 256 * 1024;   // so that a piece fits besides
constexpr std::chrono::milliseconds kWrite(500);    // never reached while a piece fits
constexpr std::chrono::milliseconds kRetry(100);    // until a slow client is looked at again
constexpr std::chrono::milliseconds kRest(10'000);  // with nothing to write

std::string as_chunk(std::string_view text) {
  std::array<char, 24> size{};
  const int digits = std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  std::string chunk(size.data(), static_cast<std::size_t>(digits));
  chunk += text;
  return chunk += "\r\n";
}

}  // namespace

bool Server::has_room_for_feed() const {
  const std::lock_guard lock(mutex_);
  return feeds_ < options_.max_feeds;
}

// Hands a connection that this thread holds to the feeds, or closes it.
void Server::keep_feed(Connection& connection, std::shared_ptr<Feed> feed) {
  connection.reader->release_memory();
  os::widen_send_buffer(*connection.stream, kSocketBuffer);
  connection.fed_at = std::chrono::steady_clock::now();
  connection.feed = feed;
  const std::lock_guard lock(mutex_);
  --served_;
  idle_.notify_all();
  connection.place = Place::kFed;
  // What the client may say now is only that he goes.
  if (stopping_ || !parking_.watch(connection.stream->descriptor(), connection.id)) {
    feed->abandon();
    const std::uint64_t id = connection.id;
    connections_.erase(id);
    return;
  }
  ++feeds_;
  feed->attach(bell_);
}

// Writes what waits, as far as the client takes it. False: the connection is over.
bool Server::write_feed(Connection& connection, bool& slow) {
  Feed& feed = *connection.feed;
  const auto now = std::chrono::steady_clock::now();
  const bool ends = feed.closed();  // asked first: what was said before that is written below
  while (!feed.drained()) {
    const auto unsent = os::unsent_bytes(*connection.stream);
    if (!unsent) return false;
    if (*unsent > kUnsent) {
      slow = true;
      return now - connection.fed_at < kFeedPatience;
    }
    const std::string piece = feed.take(kPiece);
    if (piece.empty()) break;
    connection.stream->set_timeout(kWrite);
    if (!connection.stream->write_all(as_bytes(as_chunk(piece)))) return false;
    connection.fed_at = now;
  }
  connection.fed_at = now;
  if (!ends) return true;
  (void)connection.stream->write_all(as_bytes("0\r\n\r\n"));
  return false;
}

void Server::feed_loop() {
  bool slow = false;
  while (!stopping_) {
    (void)bell_->wait(slow ? kRetry : kRest);
    slow = false;
    std::vector<Connection*> fed;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, connection] : connections_) {
        if (connection->place == Place::kFed) fed.push_back(connection.get());
      }
    }
    for (Connection* connection : fed) {
      if (write_feed(*connection, slow)) continue;
      connection->feed->abandon();
      std::unique_ptr<Connection> gone;  // its farewell happens outside the lock: destroyed last
      const std::lock_guard lock(mutex_);
      gone = std::move(connections_.at(connection->id));
      connections_.erase(connection->id);
      --feeds_;
    }
  }
}

// At the end of the server, after feed_loop().
void Server::end_feeds() {
  for (const auto& [id, connection] : connections_) {
    if (connection->feed != nullptr) connection->feed->abandon();
  }
}

}  // namespace warifu::http
