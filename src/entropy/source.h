// The plug-in: anything that gives raw random bytes, and the ones that are built in.
//
// A source only reads; whether its bytes are good enough is for the tests (feed.h). Each byte is
// given once. Thread rule: one thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "keypool/format.h"
#include "os/system.h"

namespace warifu::entropy {

class Source {
 public:
  virtual ~Source() = default;
  // 1 to out.size() fresh raw bytes; returns within seconds. Errors, naming what failed: kTimeout,
  // kUnavailable, kNotFound, kIo; kOutOfKey when nothing will come any more. A later call may
  // succeed.
  [[nodiscard]] virtual Result<std::size_t> read(MutableBytes out) = 0;
};

// The kernel's generator (getrandom).
[[nodiscard]] std::unique_ptr<Source> kernel_source(os::Random& random);

// RDSEED of this processor, which is asked for it at the first read: kUnavailable without it.
[[nodiscard]] std::unique_ptr<Source> cpu_source();
[[nodiscard]] bool cpu_has_rdseed();

// A character device or FIFO, opened when it is read, and again after an error.
inline constexpr std::chrono::seconds kDevicePatience(2);
[[nodiscard]] std::unique_ptr<Source> device_source(std::string path);

// A file of random bytes, front to back. How far it was read is kept in `position`, durably
// *before* the bytes are given, so a crash costs bytes but never gives one twice. The position
// belongs to the path and size of the file: another file under the same name and size must have
// another `position`. Empty `position`: from the start, nothing is kept; for tests of a file only.
// Errors of read(): kOutOfKey at the end, kRefused when the position is of another file.
[[nodiscard]] std::unique_ptr<Source> file_source(os::System system, std::string path,
                                                  std::string position);

}  // namespace warifu::entropy
