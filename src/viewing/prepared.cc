// A short list.
#include "viewing/prepared.h"

#include <algorithm>

namespace warifu::viewing {

template <typename Match>
void Prepared::erase(const Match& match) {
  std::erase_if(kept_, [&](const Kept& one) {
    if (!match(one)) return false;
    bytes_ -= one.answer->file.bytes().size();
    return true;
  });
}

void Prepared::keep(const ViewId& view, const htsget::Request& request, Answer answer,
                    std::chrono::nanoseconds now) {
  const std::uint64_t size = answer->file.bytes().size();
  if (size > most_) return;
  const std::lock_guard lock(mutex_);
  erase([&](const Kept& one) { return one.view == view && one.request == request; });
  while (bytes_ + size > most_) {
    bytes_ -= kept_.front().answer->file.bytes().size();
    kept_.pop_front();
  }
  bytes_ += size;
  kept_.push_back({view, request, std::move(answer), now});
}

Prepared::Answer Prepared::take(const ViewId& view, const htsget::Request& request) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(
      kept_, [&](const Kept& one) { return one.view == view && one.request == request; });
  if (found == kept_.end()) return nullptr;
  Answer answer = std::move(found->answer);
  bytes_ -= answer->file.bytes().size();
  kept_.erase(found);
  return answer;
}

void Prepared::forget(const ViewId& view) {
  const std::lock_guard lock(mutex_);
  erase([&](const Kept& one) { return one.view == view; });
}

void Prepared::forget_old(std::chrono::nanoseconds now) {
  const std::lock_guard lock(mutex_);
  erase([&](const Kept& one) { return now - one.since > kPreparedLife; });
}

void Prepared::clear() {
  const std::lock_guard lock(mutex_);
  kept_.clear();
  bytes_ = 0;
}

}  // namespace warifu::viewing
