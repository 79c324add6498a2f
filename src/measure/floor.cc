// Disk, loopback and memory by two threads at once.
#include "measure/floor.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "os/net.h"
#include "os/system.h"

namespace warifu::measure {
namespace {

constexpr std::uint64_t kPiece = 1U << 20;
constexpr std::uint64_t kWindow = 8U << 20;  // 32 chunks

// Synced after every `sync_every` bytes and at the end.
Result<> write_part(const std::string& path, std::uint64_t bytes, std::uint64_t sync_every) {
  TRY(os::real_files().remove(path));
  TRY_ASSIGN(const auto file, os::real_files().open(path, os::OpenMode::kCreate));
  Bytes piece(kPiece, 0x5a);
  for (std::uint64_t at = 0; at < bytes; at += kPiece) {
    TRY(file->write_at(at, piece));
    if ((at + kPiece) % sync_every == 0) file->sync();
  }
  file->sync();
  return {};
}

Result<> read_part(const std::string& path, std::uint64_t bytes) {
  TRY_ASSIGN(const auto file, os::real_files().open(path, os::OpenMode::kRead));
  Bytes piece(kPiece);
  for (std::uint64_t at = 0; at < bytes; at += kPiece) TRY(file->read_exact_at(at, piece));
  return os::real_files().remove(path);
}

Result<> loopback_part(std::uint64_t bytes) {
  TRY_ASSIGN(const auto listener, os::listen_tcp({"127.0.0.1", 0}));
  Result<> sent;
  std::jthread sender([&, port = listener->port()] {
    sent = [&]() -> Result<> {
      TRY_ASSIGN(const auto stream, os::connect_tcp({"127.0.0.1", port}, std::chrono::seconds(10)));
      const Bytes piece(kPiece, 0x5a);
      for (std::uint64_t at = 0; at < bytes; at += kPiece) TRY(stream->write_all(piece));
      return {};
    }();
  });
  TRY_ASSIGN(const auto stream, listener->accept());
  Bytes piece(kPiece);
  for (std::uint64_t at = 0; at < bytes; at += kPiece) TRY(stream->read_exact(piece));
  sender.join();
  return sent;
}

Result<> memory_part(std::uint64_t bytes) {
  constexpr std::size_t kStream = 32U << 20;  // larger than the caches
  const Bytes from(kStream, 0x5a);
  Bytes to(kStream);
  for (std::uint64_t at = 0; at < bytes; at += kStream) {
    std::memcpy(to.data(), from.data(), kStream);
    asm volatile("" : : "r"(to.data()) : "memory");
  }
  return {};
}

// Seconds until two threads have both done `part`.
template <typename Part>
Result<double> by_two(const Part& part) {
  Result<> results[2];
  const double start = seconds_now();
  {
    std::jthread second([&] { results[1] = part(1); });
    results[0] = part(0);
  }
  for (const Result<>& result : results) TRY(result);
  return seconds_now() - start;
}

}  // namespace

Result<Floor> measure_floor(const Settings& settings, const std::string& dir, std::uint64_t bytes,
                            std::uint64_t sample) {
  settings.tell("the floor: the same bytes over disk, loopback and memory");
  const std::uint64_t half = sample / 2 / kPiece * kPiece;
  const double scale = as_double(bytes) / as_double(2 * half);
  const auto path = [&](int i) { return dir + "/floor-" + std::to_string(i); };
  // Whichever way this disk likes better: in windows, as a store must, or all at once.
  double write = 0;
  for (const std::uint64_t sync_every : {kWindow, half}) {
    TRY_ASSIGN(const double seconds,
               by_two([&](int i) { return write_part(path(i), half, sync_every); }));
    write = write == 0 ? seconds : std::min(write, seconds);
  }
  TRY_ASSIGN(const double read, by_two([&](int i) { return read_part(path(i), half); }));
  if (stopped(settings)) return fail(Code::kCancelled, "stopped");
  TRY_ASSIGN(const double loopback, by_two([&](int) { return loopback_part(half); }));
  TRY_ASSIGN(const double memory, by_two([&](int) { return memory_part(half); }));
  return Floor{write * scale, read * scale, loopback * scale, memory * scale};
}

}  // namespace warifu::measure
