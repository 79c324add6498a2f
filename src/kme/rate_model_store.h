// The keys of one stand-in device: what its own SAE may take, what it may claim by id, and what is
// on its way to the other device. All key bytes stand in locked slots.
//
// Invariants: a key is at the taking end only when the other end holds its copy; it leaves either
// end once; the number of copies waiting to be claimed never exceeds the limit, at either end.
// Sequence: keys travel in order, so "received up to n" says everything about a broken connection.
// Not thread-safe: RateModel locks it. Slots' bytes may be used outside the lock by who took them.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>

#include "kme/rate_model_config.h"

namespace warifu::kme {

// Equal pieces of locked memory, many of them in one block.
class SlotArena {
 public:
  using Slot = std::uint32_t;
  explicit SlotArena(std::size_t slot_bytes);

  [[nodiscard]] Slot take();
  // Wipes the slot.
  void give_back(Slot slot);
  [[nodiscard]] MutableBytes bytes(Slot slot);

 private:
  std::size_t slot_bytes_;
  std::size_t slots_per_block_;
  std::deque<secret::Buffer> blocks_;
  std::vector<Slot> free_;
};

// Who is master of a key, seen from alice.
enum class KeyDirection : std::uint8_t { kFromAlice = 1, kFromBob = 2 };

struct StoredKey {
  std::string id;
  SlotArena::Slot slot = 0;
};

struct KeyInFlight {
  std::uint64_t sequence = 0;
  KeyDirection direction = KeyDirection::kFromAlice;
  StoredKey key;
};

class RateModelStore {
 public:
  explicit RateModelStore(const RateModelConfig& config);

  // --- the device's own SAE ---
  [[nodiscard]] std::size_t available() const { return ready_.size(); }
  [[nodiscard]] std::size_t unclaimed() const { return waiting_.size(); }
  // The oldest keys; the caller gives the slots back. `number` must not exceed available().
  [[nodiscard]] std::vector<StoredKey> take(std::size_t number);
  [[nodiscard]] bool holds(const std::string& id) const { return waiting_.contains(id); }
  // All or none.
  [[nodiscard]] std::optional<std::vector<StoredKey>> claim(const std::vector<std::string>& ids);

  // --- alice makes keys ---
  // The direction whose turn it is; none when both are full or too much is on its way.
  [[nodiscard]] std::optional<KeyDirection> next_direction();
  [[nodiscard]] bool window_full() const { return in_flight_.size() >= window_; }
  // A new key whose bytes are in its slot already.
  void add_made(KeyDirection direction, StoredKey key);
  // The next key to send, if there is one. Its slot stays as it is until it is acknowledged.
  [[nodiscard]] std::optional<KeyInFlight> next_to_send();
  [[nodiscard]] bool has_to_send() const { return sent_ < in_flight_.size(); }
  void acknowledged(std::uint64_t sequence);

  // --- bob receives them ---
  // False when the sequence is not the next one.
  [[nodiscard]] bool add_received(std::uint64_t sequence, KeyDirection direction, StoredKey key);
  [[nodiscard]] std::uint64_t last_received() const { return last_received_; }

  // --- both: what happened to the copies ---
  // Ids that the own SAE took and the other device has not heard of: from number taken_base().
  [[nodiscard]] const std::deque<std::string>& taken_log() const { return taken_log_; }
  [[nodiscard]] std::uint64_t taken_base() const { return taken_base_; }
  void taken_heard(std::uint64_t total);
  // The other device's SAE took these: their copies here begin to expire. `first` numbers them.
  void peer_took(std::uint64_t first, const std::vector<std::string>& ids,
                 std::chrono::nanoseconds now);
  [[nodiscard]] std::uint64_t peer_taken() const { return peer_taken_; }
  // Drops copies that nobody claimed in time; returns how many.
  std::size_t expire(std::chrono::nanoseconds now);
  [[nodiscard]] std::uint64_t released() const { return released_; }
  void peer_released(std::uint64_t total) { peer_released_ = std::max(peer_released_, total); }

  // The other device lost its memory: everything here is worthless. Returns keys dropped.
  std::size_t reset();
  // The same two devices are connected again.
  void resume(std::uint64_t peer_received);

  [[nodiscard]] SlotArena& arena() { return arena_; }

 private:
  void add_waiting(StoredKey key);

  RateModelRole role_;
  std::size_t most_;
  std::size_t window_;
  std::chrono::nanoseconds unclaimed_;
  SlotArena arena_;

  std::deque<StoredKey> ready_;
  std::unordered_map<std::string, SlotArena::Slot> waiting_;
  std::deque<std::pair<std::chrono::nanoseconds, std::string>> expiries_;

  std::deque<KeyInFlight> in_flight_;
  std::size_t sent_ = 0;  // of in_flight_, on this connection
  std::uint64_t last_made_ = 0;
  std::uint64_t made_from_alice_ = 0;
  KeyDirection turn_ = KeyDirection::kFromAlice;
  std::uint64_t last_received_ = 0;

  std::deque<std::string> taken_log_;
  std::uint64_t taken_base_ = 0;
  std::uint64_t peer_taken_ = 0;
  std::uint64_t released_ = 0;
  std::uint64_t peer_released_ = 0;
};

}  // namespace warifu::kme
