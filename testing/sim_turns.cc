// Whose turn it is.
#include "testing/sim_turns.h"

#include <thread>

namespace warifu::sim {

void Turns::run(const std::vector<std::function<void()>>& tasks) {
  tasks_.assign(tasks.size(), {[] { return true; }, false});
  current_ = tasks.size();  // nobody yet
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    threads.emplace_back([this, i, &tasks] {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return current_ == i; });
      }
      tasks[i]();
      const std::lock_guard lock(mutex_);
      tasks_[i].ready = nullptr;
      choose();
    });
  }
  const std::lock_guard lock(mutex_);
  choose();
}

// The caller holds mutex_.
void Turns::choose() {
  std::vector<std::size_t> able, waiting;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (!tasks_[i].ready) continue;
    waiting.push_back(i);
    if (tasks_[i].ready()) able.push_back(i);
  }
  if (waiting.empty()) return;
  if (able.empty()) {
    current_ = waiting.front();
    tasks_[current_].in_vain = true;
  } else {
    current_ = able[able.size() == 1 ? 0 : dice_.below(able.size())];
  }
  changed_.notify_all();
}

bool Turns::wait(std::function<bool()> ready) {
  std::unique_lock lock(mutex_);
  const std::size_t self = current_;
  tasks_[self].ready = std::move(ready);
  tasks_[self].in_vain = false;
  choose();
  changed_.wait(lock, [&] { return current_ == self; });
  return !tasks_[self].in_vain;
}

}  // namespace warifu::sim
