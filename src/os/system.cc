// Real clock and kernel randomness.
#include "os/system.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <thread>

namespace warifu::os {
namespace {

class RealClock final : public Clock {
 public:
  UnixMs now() override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
  }
  std::chrono::nanoseconds monotonic() override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
  void sleep(std::chrono::milliseconds duration) override { std::this_thread::sleep_for(duration); }
};

class KernelRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const std::size_t want = std::min<std::size_t>(out.size() - done, 1U << 20);
      const ssize_t got = ::getrandom(out.data() + done, want, 0);
      if (got < 0 && errno == EINTR) continue;
      WARIFU_CHECK(got > 0);
      done += static_cast<std::size_t>(got);
    }
  }
};

}  // namespace

std::string utc_text(UnixMs time) {
  const std::time_t seconds = static_cast<std::time_t>(time.value / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  (void)std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Clock& real_clock() {
  static RealClock instance;
  return instance;
}

Random& kernel_random() {
  static KernelRandom instance;
  return instance;
}

System real_system() {
  return {real_files(), real_clock(), kernel_random()};
}

}  // namespace warifu::os
