// Threads that take turns: one runs, the others stand, and a seed says who is next. So code that
// blocks on a stream runs deterministically, several conversations at once.
//
// A task gives its turn away only inside wait() and pass(); it must not hold a lock there that
// another task wants.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "testing/sim_random.h"

namespace warifu::sim {

class Turns {
 public:
  explicit Turns(Dice& dice) : dice_(dice) {}

  // Runs all tasks to their ends. Not from inside a task.
  void run(const std::vector<std::function<void()>>& tasks);
  // Gives the turn away until `ready`. False when nobody can go on and this one waits in vain.
  [[nodiscard]] bool wait(std::function<bool()> ready);
  // Gives the turn to anybody, perhaps to itself.
  void pass() {
    (void)wait([] { return true; });
  }
  // The task whose turn it is, by its place in run().
  [[nodiscard]] std::size_t current() const { return current_; }

 private:
  struct Task {
    std::function<bool()> ready;  // empty: it has ended
    bool in_vain = false;
  };
  void choose();

  Dice& dice_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  std::size_t current_ = 0;
};

}  // namespace warifu::sim
