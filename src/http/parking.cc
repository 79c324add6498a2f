// One epoll, and an eventfd that wakes it.
#include "http/parking.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/result.h"

namespace warifu::http {
namespace {
constexpr std::uint64_t kWakeToken = UINT64_MAX;
}

Parking::Parking()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeToken}};
  WARIFU_CHECK(epoll_ >= 0 && wake_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
}

Parking::~Parking() {
  ::close(wake_);
  ::close(epoll_);
}

bool Parking::watch(int descriptor, std::uint64_t token) {
  epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data = {.u64 = token}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) == 0) return true;
  return errno == ENOENT && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

std::vector<std::uint64_t> Parking::wait(std::chrono::milliseconds limit) {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(limit.count()));
  std::vector<std::uint64_t> tokens;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t token = events.at(static_cast<std::size_t>(i)).data.u64;
    if (token != kWakeToken) {
      tokens.push_back(token);
      continue;
    }
    std::uint64_t rung = 0;
    // Empty when another wake was already taken: no error either way.
    [[maybe_unused]] const ssize_t got = ::read(wake_, &rung, sizeof rung);
  }
  return tokens;
}

void Parking::wake() {
  const std::uint64_t one = 1;
  WARIFU_CHECK(::write(wake_, &one, sizeof one) == sizeof one);
}

}  // namespace warifu::http
