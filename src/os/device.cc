// Reads that never wait: the descriptor does not block, and every wait is a poll() with an end.
#include "os/device.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

namespace warifu::os {
namespace {

using Steady = std::chrono::steady_clock;
using Ms = std::chrono::milliseconds;

class RealByteDevice final : public ByteDevice {
 public:
  RealByteDevice(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~RealByteDevice() override { ::close(fd_); }
  RealByteDevice(const RealByteDevice&) = delete;
  RealByteDevice& operator=(const RealByteDevice&) = delete;

  Result<std::size_t> read_some(MutableBytes out, Ms limit) override {
    const Steady::time_point end = Steady::now() + limit;
    for (;;) {
      const ssize_t got = ::read(fd_, out.data(), out.size());
      if (got > 0) return static_cast<std::size_t>(got);
      if (got == 0) return fail(Code::kUnavailable, "'" + path_ + "' gives no more bytes");
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return system_error(Code::kUnavailable, "read");
      TRY(wait(end));
    }
  }

 private:
  // Drivers without poll() are always ready: a short pause keeps them from taking the processor.
  Result<> wait(Steady::time_point end) {
    const auto left = std::chrono::duration_cast<Ms>(end - Steady::now());
    if (left.count() <= 0) return fail(Code::kTimeout, "'" + path_ + "' gave no byte in time");
    pollfd entry{fd_, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return system_error(Code::kIo, "wait for");
    if (ready > 0) std::this_thread::sleep_for(std::min(left, Ms(2)));
    return {};
  }

  std::unexpected<Error> system_error(Code code, const char* what) const {
    return fail(code, std::string("cannot ") + what + " '" + path_ + "': " + std::strerror(errno));
  }

  int fd_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<ByteDevice>> open_byte_device(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    const Code code = errno == ENOENT ? Code::kNotFound : Code::kIo;
    return fail(code, "cannot open '" + path + "': " + std::strerror(errno));
  }
  auto device = std::make_unique<RealByteDevice>(fd, path);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || (!S_ISCHR(info.st_mode) && !S_ISFIFO(info.st_mode))) {
    return fail(Code::kInvalidArgument,
                "'" + path + "' is neither a character device nor a FIFO");
  }
  // /dev/random and /dev/urandom, under whatever name.
  if (S_ISCHR(info.st_mode) && major(info.st_rdev) == 1 &&
      (minor(info.st_rdev) == 8 || minor(info.st_rdev) == 9)) {
    return fail(Code::kInvalidArgument,
                "'" + path + "' is the kernel's generator and no device of its own");
  }
  return device;
}

}  // namespace warifu::os
