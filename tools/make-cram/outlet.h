// Outlet: the way from htslib to a file. htslib 1.16 with threads encodes a container twice, and
// crashes, when a write fails (a full disk). So it writes into a pipe that never fails, and a
// thread of this class carries the bytes to the file and keeps the error, which the producer asks
// for. After an error the thread goes on reading, so that the producer can always close its end.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace warifu::make_cram {

class Outlet {
 public:
  explicit Outlet(std::string path);
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  // Waits for the end of the pipe: whoever took the write end must have closed it.
  ~Outlet();

  // The caller owns the descriptor from now on. Only once.
  int take_write_end();

  // The errno of the first failed write, or 0. May be asked at any time.
  [[nodiscard]] int error() const { return error_.load(std::memory_order_relaxed); }

  // Waits for the end of the pipe and returns the errno of the first failure, or 0.
  int finish();

 private:
  void carry();

  std::string path_;
  int file_ = -1;
  int read_end_ = -1;
  int write_end_ = -1;
  std::atomic<int> error_{0};
  std::thread carrier_;
};

}  // namespace warifu::make_cram
