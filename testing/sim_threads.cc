// Who has the turn, and the functions of the C library that hand it on.
#include "testing/sim_threads.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace warifu::sim {
namespace {

using Time = Schedule::Time;
constexpr std::int64_t kCalendarStart = 1'800'000'000'000'000'000;  // nanoseconds since 1970
constexpr std::int64_t kUptimeStart = 1'000'000'000'000;            // nanoseconds since the boot
constexpr Time kLook = std::chrono::microseconds(1);

// A thread of the schedule.
struct Strand {
  std::uint64_t number = 0;
  pthread_t thread{};
  sem_t turn{};
  void* (*start)(void*) = nullptr;
  void* argument = nullptr;
  bool able = true;  // could go on
  bool low = false;  // has yielded: only when nobody else can
  bool over = false;
  bool woken = false;
  const void* key = nullptr;  // waits for that
  std::optional<Time> until;  // or for that time
  const char* what = "";
};

thread_local Strand* self = nullptr;

class World {
 public:
  World(std::uint64_t seed, const Schedule::Bounds& bounds)
      : dice_(seed), random_(seed ^ 0x5DEECE66DULL), bounds_(bounds) {}

  Strand& add() {
    strands_.push_back(std::make_unique<Strand>());
    Strand& strand = *strands_.back();
    strand.number = next_number_++;
    ::sem_init(&strand.turn, 0, 0);
    return strand;
  }
  void drop(Strand* strand) {
    ::sem_destroy(&strand->turn);
    std::erase_if(strands_, [&](const auto& one) { return one.get() == strand; });
  }
  Strand* find(pthread_t thread) {
    for (const auto& strand : strands_) {
      if (::pthread_equal(strand->thread, thread) != 0) return strand.get();
    }
    return nullptr;
  }
  [[nodiscard]] std::size_t size() const { return strands_.size(); }

  // Gives the turn away; returns when it comes back. `self` says in its fields what it waits for.
  void pass() {
    Strand* const here = self;
    Strand& next = choose();
    if (&next == here) return;
    ::sem_post(&next.turn);
    await(*here);
  }
  // The same, for good.
  void leave() { ::sem_post(&choose().turn); }
  static void await(Strand& strand) {
    while (::sem_wait(&strand.turn) != 0) {
    }
  }

  bool wait(const void* key, std::optional<Time> until, const char* what) {
    Strand& here = *self;
    here.able = here.woken = false;
    here.key = key;
    here.until = until;
    here.what = what;
    pass();
    here.key = nullptr;
    here.until.reset();
    return here.woken;
  }
  void unlocked(const void* mutex) {
    if (waiting_for_mutexes_ > 0) wake(mutex, false);
  }
  void wait_for_mutex(const void* mutex) {
    ++waiting_for_mutexes_;
    (void)wait(mutex, std::nullopt, "waits for a mutex");
    --waiting_for_mutexes_;
  }
  void wake(const void* key, bool all) {
    if (all) {
      for (const auto& strand : strands_) {
        if (strand->key == key) set_able(*strand);
      }
      return;
    }
    std::vector<Strand*> waiting;
    for (const auto& strand : strands_) {
      if (strand->key == key && !strand->able) waiting.push_back(strand.get());
    }
    if (!waiting.empty()) set_able(*pick(waiting));
  }
  void yield(bool low) {
    self->low = low;
    pass();
    self->low = false;
  }
  void mix(std::uint64_t value) { trace_ = (trace_ ^ value) * 0x100000001B3ULL ^ (trace_ >> 29); }

  Dice dice_;
  Dice random_;
  Time now_{0};
  std::uint64_t trace_ = 0xCBF29CE484222325ULL;
  std::uint64_t turns_ = 0;
  Schedule::Bounds bounds_;

 private:
  static void set_able(Strand& strand) {
    if (strand.able) return;
    strand.able = strand.woken = true;
  }
  Strand* pick(const std::vector<Strand*>& from) {
    return from[from.size() == 1 ? 0 : dice_.below(from.size())];
  }

  Strand& choose() {
    if (++turns_ > bounds_.most_turns) give_up("the run does not come to an end");
    for (;;) {
      std::vector<Strand*> able, low;
      std::optional<Time> next_time;
      for (const auto& strand : strands_) {
        if (strand->able) {
          (strand->low ? low : able).push_back(strand.get());
        } else if (strand->until && (!next_time || *strand->until < *next_time)) {
          next_time = strand->until;
        }
      }
      if (able.empty()) able = low;
      if (!able.empty()) {
        Strand* next = pick(able);
        mix(next->number);
        return *next;
      }
      if (!next_time) give_up("nobody can go on");
      if (*next_time > bounds_.most_time) give_up("somebody waits for ever");
      now_ = std::max(now_, *next_time);
      mix(static_cast<std::uint64_t>(now_.count()));
      for (const auto& strand : strands_) {
        if (!strand->able && strand->until && *strand->until <= now_) strand->able = true;
      }
    }
  }

  [[noreturn]] void give_up(const char* why) {
    std::fprintf(stderr, "simulation: %s, %llu turns, %lld ms\n", why,
                 static_cast<unsigned long long>(turns_),
                 static_cast<long long>(now_ / std::chrono::milliseconds(1)));
    for (const auto& strand : strands_) {
      std::fprintf(stderr, "  thread %llu: %s\n", static_cast<unsigned long long>(strand->number),
                   strand->over   ? "is over"
                   : strand->able ? "could go on"
                                  : strand->what);
    }
    std::abort();
  }

  std::vector<std::unique_ptr<Strand>> strands_;  // by number
  std::uint64_t next_number_ = 0;
  std::size_t waiting_for_mutexes_ = 0;
};

World* world = nullptr;

// The system's function behind one of those below.
template <typename Function>
Function* system_function(const char* name, const char* version = nullptr) {
  void* found = version != nullptr ? ::dlvsym(RTLD_NEXT, name, version) : nullptr;
  if (found == nullptr) found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

Time time_of(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}
Time start_of(clockid_t clock) {
  return Time(clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? kCalendarStart
                                                                        : kUptimeStart);
}
timespec spec_of(Time time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = seconds.count(), .tv_nsec = (time - seconds).count()};
}

void* run_strand(void* argument) {
  auto* strand = static_cast<Strand*>(argument);
  self = strand;
  World::await(*strand);
  void* const result = strand->start(strand->argument);
  strand->over = true;
  strand->able = false;
  strand->key = nullptr;
  strand->until.reset();
  world->wake(strand, true);
  self = nullptr;
  world->leave();
  return result;
}

int wait_condition(pthread_cond_t* condition, pthread_mutex_t* mutex, std::optional<Time> until) {
  ::pthread_mutex_unlock(mutex);
  const bool woken = world->wait(condition, until, "waits for a condition");
  ::pthread_mutex_lock(mutex);
  return woken ? 0 : ETIMEDOUT;
}

// Whether a call comes from this program or from the C++ library on its behalf. What other
// libraries keep from run to run (caches, generators that seed themselves anew) must not be heard.
bool is_own_call(void* caller) {
  static std::map<void*, bool> known;
  const auto found = known.find(caller);
  if (found != known.end()) return found->second;
  Dl_info here{}, there{};
  const bool told = ::dladdr(caller, &there) != 0 &&
                    ::dladdr(reinterpret_cast<void*>(&wait_condition), &here) != 0;
  const bool own =
      told && (there.dli_fbase == here.dli_fbase ||
               std::string_view(there.dli_fname).find("libstdc++") != std::string_view::npos);
  return known[caller] = own;
}

// Threads come and go by the hundred: the C library keeps small stacks for the next one.
void use_small_stacks() {
  constexpr std::size_t kStackBytes = 1 << 20;
  pthread_attr_t attributes;
  WARIFU_CHECK(::pthread_attr_init(&attributes) == 0);
  WARIFU_CHECK(::pthread_attr_setstacksize(&attributes, kStackBytes) == 0);
  WARIFU_CHECK(::pthread_setattr_default_np(&attributes) == 0);
  ::pthread_attr_destroy(&attributes);
}

}  // namespace

void Schedule::run(std::uint64_t seed, const Bounds& bounds, const std::function<void()>& first) {
  WARIFU_CHECK(world == nullptr);
  use_small_stacks();
  World here(seed, bounds);
  Strand& strand = here.add();
  strand.thread = ::pthread_self();
  world = &here;
  self = &strand;
  first();
  self = nullptr;
  world = nullptr;
  WARIFU_CHECK(here.size() == 1);
}

bool Schedule::is_inside() {
  return self != nullptr;
}
Schedule::Time Schedule::now() {
  return world->now_;
}
Dice& Schedule::dice() {
  return world->dice_;
}
void Schedule::sleep(std::chrono::nanoseconds duration) {
  (void)world->wait(nullptr, world->now_ + duration, "sleeps");
}
bool Schedule::wait(const void* key, std::optional<Time> until, const char* what) {
  return world->wait(key, until, what);
}
void Schedule::wake(const void* key) {
  world->wake(key, true);
}
void Schedule::note(ByteView bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    world->mix(word);
  }
}
std::uint64_t Schedule::trace() {
  return world->trace_;
}
std::uint64_t Schedule::turns() {
  return world->turns_;
}

}  // namespace warifu::sim

// What stands in the place of the C library's functions.
using namespace warifu::sim;  // NOLINT: the functions below have no namespace to stand in

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  static auto* const real = system_function<decltype(pthread_create)>("pthread_create");
  if (self == nullptr) return real(thread, attributes, start, argument);
  Strand& strand = world->add();
  strand.start = start;
  strand.argument = argument;
  const int failed = real(&strand.thread, attributes, run_strand, &strand);
  if (failed != 0) world->drop(&strand);
  if (failed == 0) *thread = strand.thread;
  return failed;
}

int pthread_join(pthread_t thread, void** result) {
  static auto* const real = system_function<decltype(pthread_join)>("pthread_join");
  Strand* const strand = self == nullptr ? nullptr : world->find(thread);
  if (strand == nullptr) return real(thread, result);
  while (!strand->over) (void)world->wait(strand, std::nullopt, "waits for a thread's end");
  const int failed = real(thread, result);
  world->drop(strand);
  return failed;
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static auto* const real = system_function<decltype(pthread_mutex_lock)>("pthread_mutex_lock");
  if (self == nullptr) return real(mutex);
  const std::uint64_t one_in = world->bounds_.preempt_one_in;
  if (one_in != 0 && is_own_call(__builtin_return_address(0)) && world->dice_.one_in(one_in)) {
    world->yield(false);
  }
  for (;;) {
    const int got = ::pthread_mutex_trylock(mutex);
    if (got != EBUSY) return got;
    world->wait_for_mutex(mutex);
  }
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  static auto* const real = system_function<decltype(pthread_mutex_unlock)>("pthread_mutex_unlock");
  const int done = real(mutex);
  if (self != nullptr) world->unlocked(mutex);
  return done;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  static auto* const real =
      system_function<decltype(pthread_cond_wait)>("pthread_cond_wait", "GLIBC_2.3.2");
  if (self == nullptr) return real(condition, mutex);
  return wait_condition(condition, mutex, std::nullopt);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  static auto* const real =
      system_function<decltype(pthread_cond_timedwait)>("pthread_cond_timedwait", "GLIBC_2.3.2");
  if (self == nullptr) return real(condition, mutex, until);
  return wait_condition(condition, mutex, time_of(*until) - start_of(CLOCK_REALTIME));
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  static auto* const real =
      system_function<decltype(pthread_cond_clockwait)>("pthread_cond_clockwait");
  if (self == nullptr) return real(condition, mutex, clock, until);
  return wait_condition(condition, mutex, time_of(*until) - start_of(clock));
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  static auto* const real =
      system_function<decltype(pthread_cond_signal)>("pthread_cond_signal", "GLIBC_2.3.2");
  if (self == nullptr) return real(condition);
  world->wake(condition, false);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  static auto* const real =
      system_function<decltype(pthread_cond_broadcast)>("pthread_cond_broadcast", "GLIBC_2.3.2");
  if (self == nullptr) return real(condition);
  world->wake(condition, true);
  return 0;
}

int nanosleep(const timespec* duration, timespec* left) {
  static auto* const real = system_function<decltype(nanosleep)>("nanosleep");
  if (self == nullptr) return real(duration, left);
  Schedule::sleep(time_of(*duration));
  return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  static auto* const real = system_function<decltype(clock_nanosleep)>("clock_nanosleep");
  if (self == nullptr) return real(clock, flags, time, left);
  Time wanted = time_of(*time);
  if ((flags & TIMER_ABSTIME) != 0) wanted -= start_of(clock) + world->now_;
  if (wanted > Time(0)) Schedule::sleep(wanted);
  return 0;
}

int sched_yield() noexcept {
  static auto* const real = system_function<decltype(sched_yield)>("sched_yield");
  if (self == nullptr) return real();
  world->yield(true);
  return 0;
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static auto* const real = system_function<decltype(clock_gettime)>("clock_gettime");
  if (self == nullptr) return real(clock, now);
  if (is_own_call(__builtin_return_address(0))) world->now_ += kLook;
  *now = spec_of(start_of(clock) + world->now_);
  return 0;
}

ssize_t getrandom(void* out, std::size_t size, unsigned flags) {
  static auto* const real = system_function<decltype(getrandom)>("getrandom");
  if (self == nullptr || !is_own_call(__builtin_return_address(0))) return real(out, size, flags);
  world->random_.fill({static_cast<warifu::Byte*>(out), size});
  return static_cast<ssize_t>(size);
}

}  // extern "C"
