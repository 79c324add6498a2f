// Bookkeeping of keys between two devices; no clock, no thread and no socket of its own.
#include "kme/rate_model_store.h"

#include <algorithm>

namespace warifu::kme {
namespace {
constexpr std::size_t kBlockBytes = 1024 * 1024;
constexpr std::size_t kWindowBytes = 8 * 1024 * 1024;
constexpr std::size_t kLeastWindow = 4;
constexpr std::size_t kMostWindow = 1024;
}  // namespace

SlotArena::SlotArena(std::size_t slot_bytes)
    : slot_bytes_(slot_bytes),
      slots_per_block_(std::max<std::size_t>(1, kBlockBytes / slot_bytes)) {}

SlotArena::Slot SlotArena::take() {
  if (free_.empty()) {
    const std::size_t first = blocks_.size() * slots_per_block_;
    blocks_.emplace_back(slots_per_block_ * slot_bytes_);
    for (std::size_t i = slots_per_block_; i-- > 0;) {
      free_.push_back(static_cast<Slot>(first + i));
    }
  }
  const Slot slot = free_.back();
  free_.pop_back();
  return slot;
}

void SlotArena::give_back(Slot slot) {
  secret::wipe(bytes(slot));
  free_.push_back(slot);
}

MutableBytes SlotArena::bytes(Slot slot) {
  return blocks_.at(slot / slots_per_block_)
      .bytes()
      .subspan(slot % slots_per_block_ * slot_bytes_, slot_bytes_);
}

RateModelStore::RateModelStore(const RateModelConfig& config)
    : role_(config.role),
      most_(config.max_key_count),
      window_(std::clamp(kWindowBytes / config.key_bytes(), kLeastWindow, kMostWindow)),
      unclaimed_(config.unclaimed),
      arena_(config.key_bytes()) {}

std::vector<StoredKey> RateModelStore::take(std::size_t number) {
  WARIFU_CHECK(number <= ready_.size());
  std::vector<StoredKey> keys;
  for (std::size_t i = 0; i < number; ++i) {
    taken_log_.push_back(ready_.front().id);
    keys.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  return keys;
}

std::optional<std::vector<StoredKey>> RateModelStore::claim(const std::vector<std::string>& ids) {
  if (!std::ranges::all_of(ids, [this](const auto& id) { return holds(id); })) return std::nullopt;
  std::vector<StoredKey> keys;
  for (const std::string& id : ids) {
    const auto found = waiting_.find(id);
    keys.push_back({id, found->second});
    waiting_.erase(found);
  }
  released_ += keys.size();
  return keys;
}

std::optional<KeyDirection> RateModelStore::next_direction() {
  WARIFU_CHECK(role_ == RateModelRole::kAlice);
  if (window_full()) return std::nullopt;
  const auto room = [this](KeyDirection direction) {
    return direction == KeyDirection::kFromAlice ? made_from_alice_ - peer_released_ < most_
                                                 : waiting_.size() < most_;
  };
  const auto other = [](KeyDirection direction) {
    return direction == KeyDirection::kFromAlice ? KeyDirection::kFromBob
                                                 : KeyDirection::kFromAlice;
  };
  KeyDirection chosen = turn_;
  if (!room(chosen)) chosen = other(chosen);
  if (!room(chosen)) return std::nullopt;
  turn_ = other(chosen);
  return chosen;
}

void RateModelStore::add_waiting(StoredKey key) {
  WARIFU_CHECK(waiting_.emplace(std::move(key.id), key.slot).second);
}

void RateModelStore::add_made(KeyDirection direction, StoredKey key) {
  if (direction == KeyDirection::kFromAlice) {
    ++made_from_alice_;
  } else {
    // Bob's SAE may take it as soon as bob has it, and alice's claim it at once; the slot is read
    // for sending only before that.
    add_waiting(key);
  }
  in_flight_.push_back({++last_made_, direction, std::move(key)});
}

std::optional<KeyInFlight> RateModelStore::next_to_send() {
  if (!has_to_send()) return std::nullopt;
  return in_flight_.at(sent_++);
}

void RateModelStore::acknowledged(std::uint64_t sequence) {
  // Only what was sent can have arrived, whatever the peer says.
  while (sent_ > 0 && in_flight_.front().sequence <= sequence) {
    KeyInFlight& arrived = in_flight_.front();
    if (arrived.direction == KeyDirection::kFromAlice) ready_.push_back(std::move(arrived.key));
    in_flight_.pop_front();
    --sent_;
  }
}

bool RateModelStore::add_received(std::uint64_t sequence, KeyDirection direction, StoredKey key) {
  const bool known = waiting_.contains(key.id);
  if (sequence != last_received_ + 1 || known || ready_.size() >= most_ * 2) return false;
  last_received_ = sequence;
  if (direction == KeyDirection::kFromAlice) {
    add_waiting(std::move(key));
  } else {
    ready_.push_back(std::move(key));
  }
  return true;
}

void RateModelStore::taken_heard(std::uint64_t total) {
  while (taken_base_ < total && !taken_log_.empty()) {
    taken_log_.pop_front();
    ++taken_base_;
  }
}

void RateModelStore::peer_took(std::uint64_t first, const std::vector<std::string>& ids,
                               std::chrono::nanoseconds now) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (first + i < peer_taken_) continue;  // told twice, around a broken connection
    peer_taken_ = first + i + 1;
    expiries_.emplace_back(now + unclaimed_, ids[i]);
  }
}

std::size_t RateModelStore::expire(std::chrono::nanoseconds now) {
  std::size_t dropped = 0;
  while (!expiries_.empty() && expiries_.front().first <= now) {
    const auto found = waiting_.find(expiries_.front().second);
    if (found != waiting_.end()) {
      arena_.give_back(found->second);
      waiting_.erase(found);
      ++released_;
      ++dropped;
    }
    expiries_.pop_front();
  }
  return dropped;
}

std::size_t RateModelStore::reset() {
  const std::size_t dropped = ready_.size() + waiting_.size();
  for (const KeyInFlight& lost : in_flight_) {
    if (lost.direction == KeyDirection::kFromAlice) arena_.give_back(lost.key.slot);
  }
  for (const StoredKey& key : ready_) arena_.give_back(key.slot);
  for (const auto& [id, slot] : waiting_) arena_.give_back(slot);
  in_flight_.clear();
  ready_.clear();
  waiting_.clear();
  expiries_.clear();
  taken_log_.clear();
  sent_ = 0;
  last_made_ = made_from_alice_ = last_received_ = 0;
  taken_base_ = peer_taken_ = released_ = peer_released_ = 0;
  return dropped;
}

void RateModelStore::resume(std::uint64_t peer_received) {
  acknowledged(peer_received);
  sent_ = 0;
}

}  // namespace warifu::kme
