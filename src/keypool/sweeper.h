// Removes the files of forgotten segments once their pool is quiet.
//
// A segment is forgotten when the index no longer holds its key; the file that is left is noise,
// and only its space matters. Freeing the blocks of a large file can hold up every sync on the same
// disk (a file system that trims does so inside its commits), so it waits until no more segments
// are being used up, or until the disk is getting short.
//
// Lives inside the lock of the pool's folder; the destructor drops what is still waiting, and the
// next opening of the pool removes it. Thread-safe; a thread of its own removes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "os/files.h"

namespace warifu::keypool {

// What sites use for `quiet`.
inline constexpr std::chrono::seconds kSweepAfter(2);

class Sweeper {
 public:
  // Starts no thread before the first file. `quiet` 0: files are removed at once by take().
  Sweeper(os::FileSystem& files, std::chrono::milliseconds quiet) : files_(files), quiet_(quiet) {}
  ~Sweeper();
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  // Takes over a file that nobody will open again. Errors only when `quiet` is 0: kIo.
  [[nodiscard]] Result<> take(std::string path);

 private:
  void run();
  // Whether the disk is too short to wait.
  bool is_short(const std::string& path);

  os::FileSystem& files_;
  const std::chrono::milliseconds quiet_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace warifu::keypool
