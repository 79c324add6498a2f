// Idle connections wait here, all in one epoll, and cost no thread.
//
// A watched descriptor is reported once and then has to be watched again. Closing a descriptor ends
// its watch. Thread-safe; wait() is called by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace warifu::http {

class Parking {
 public:
  Parking();
  ~Parking();
  Parking(const Parking&) = delete;
  Parking& operator=(const Parking&) = delete;

  // Reports `token` once when `descriptor` is readable or its peer has gone. False when the
  // kernel refuses (no memory); the caller then drops the connection.
  [[nodiscard]] bool watch(int descriptor, std::uint64_t token);
  // Tokens that became ready; empty when the time is over or wake() was called.
  [[nodiscard]] std::vector<std::uint64_t> wait(std::chrono::milliseconds limit);
  void wake();

 private:
  int epoll_;
  int wake_;
};

}  // namespace warifu::http
