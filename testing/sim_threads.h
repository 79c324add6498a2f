// Threads that take turns, for code that knows nothing of it: exactly one thread of the process
// runs at a time, a seed says who goes on where one blocks, and time passes only when all wait.
//
// A program that links this file gets its own pthread_create, pthread_join, pthread_mutex_*,
// pthread_cond_*, nanosleep, clock_nanosleep, sched_yield, clock_gettime and getrandom. In threads
// that belong to a schedule (the one that called run(), and whatever these start) they take turns,
// read simulated time and draw from the seed; in all other threads they are the system's. So
// std::thread, std::mutex, std::condition_variable, the clocks and the kernel's randomness of
// production code become deterministic without a change to it.
//
// A turn passes where a thread waits (mutex, condition, join, sleep, wait()), where it yields, and
// now and then where it takes a mutex. Each look at a clock costs a microsecond of simulated time,
// so loops that only look at the clock come to an end too. Not covered, and not used by production
// code across turns: rwlocks, semaphores, futexes of atomics, thread cancellation.
//
// When nobody can go on for ever, or a run grows beyond its bound, the process ends with the list
// of who waits for what: a finding, never a hang.
// One schedule in a process at a time. Thread rule: run() from a thread outside, all else inside.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "testing/sim_random.h"

namespace warifu::sim {

class Schedule {
 public:
  using Time = std::chrono::nanoseconds;  // since the beginning of the run

  struct Bounds {
    std::uint64_t preempt_one_in = 250;  // mutexes taken: so many for one more change of turns
    std::uint64_t most_turns = 5'000'000;
    Time most_time = std::chrono::hours(3);
  };

  // Runs `first` and everything that it starts; returns when `first` does, which must have joined
  // all threads. Same seed, same run.
  static void run(std::uint64_t seed, const Bounds& bounds, const std::function<void()>& first);

  // Whether the calling thread belongs to a schedule.
  [[nodiscard]] static bool is_inside();
  [[nodiscard]] static Time now();
  [[nodiscard]] static Dice& dice();
  static void sleep(std::chrono::nanoseconds duration);
  // Until somebody wakes `key`, or the time comes. False: it came. `what` names it in a list.
  static bool wait(const void* key, std::optional<Time> until, const char* what);
  static void wake(const void* key);
  // Enters bytes into the trace.
  static void note(ByteView bytes);
  // Everything that was decided and noted so far, in one number.
  [[nodiscard]] static std::uint64_t trace();
  [[nodiscard]] static std::uint64_t turns();
};

}  // namespace warifu::sim
