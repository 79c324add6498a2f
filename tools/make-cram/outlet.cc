// The carrier thread between htslib and the file.
#include "outlet.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "error.h"

namespace warifu::make_cram {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 20U;

// 0, or the errno of the failure.
int write_all(int file, const char* data, std::size_t length) {
  while (length > 0) {
    const ssize_t written = ::write(file, data, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    data += written;
    length -= static_cast<std::size_t>(written);
  }
  return 0;
}

void close_if_open(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

Outlet::Outlet(std::string path) : path_(std::move(path)) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe: {}", describe_errno(errno));
  read_end_ = ends[0];
  write_end_ = ends[1];
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const int code = errno;
  if (file_ < 0) {
    close_if_open(read_end_);
    close_if_open(write_end_);
    fail("output {}: cannot create it: {}", path_, describe_errno(code));
  }
  ::fcntl(write_end_, F_SETPIPE_SZ, static_cast<int>(kBuffer));  // only faster, may be refused
  carrier_ = std::thread([this] { carry(); });
}

Outlet::~Outlet() {
  finish();
}

int Outlet::take_write_end() {
  return std::exchange(write_end_, -1);
}

int Outlet::finish() {
  close_if_open(write_end_);
  if (carrier_.joinable()) carrier_.join();
  close_if_open(read_end_);
  if (file_ >= 0 && ::close(std::exchange(file_, -1)) != 0 && error() == 0) error_ = errno;
  return error();
}

void Outlet::carry() {
  std::vector<char> buffer(kBuffer);
  while (true) {
    const ssize_t length = ::read(read_end_, buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && error() == 0) error_ = errno;
    if (length <= 0) return;
    if (error() == 0) error_ = write_all(file_, buffer.data(), static_cast<std::size_t>(length));
  }
}

}  // namespace warifu::make_cram
