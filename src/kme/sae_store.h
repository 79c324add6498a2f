// Keys that wait at a site for its applications, durably, each given once to each that may have it.
//
// Order of things: add() returns when the keys are durable here, so that the master's site may
// answer; take() makes "given" durable before it returns a byte, so an answer that is lost burns
// that delivery. Callers share syncs: the first one that waits writes for all who have come
// meanwhile.
// Invariants: a key's bytes are sealed on disk and never kept in memory; a key that all have taken,
// that is void or that has expired is dropped, and its bytes are forgotten with the journal file
// they stand in (SaeJournal): when it is time, the next file takes all that is new, the keys that
// live move into it a step with each sync, and the file before goes. So there are two files at
// most, and nobody waits while half a million keys move. Ownership: holds the lock of its folder.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <queue>
#include <unordered_map>

#include "kme/intake.h"
#include "kme/sae_journal.h"
#include "kme/sae_records.h"

namespace warifu::kme {

// The keys of one order, one after the other in `bytes`.
struct NewKeys {
  std::string master;
  std::vector<std::string> slaves;  // that live at this site, at most 32
  std::vector<KeyId> ids;
  secret::Buffer bytes;
  [[nodiscard]] std::size_t key_bytes() const { return bytes.size() / ids.size(); }
};

// What happened between two applications at this end, since the store was made.
struct SaePairCounts {
  std::string master, slave;
  std::uint64_t waiting = 0;
  std::uint64_t delivered = 0;
  std::uint64_t expired = 0;
  std::uint64_t voided = 0;
};

struct SaeStoreOptions {
  std::chrono::milliseconds life{3'600'000};
  std::uint64_t max_waiting = 500'000;
  // A new journal file is begun when this much of the present one is forgotten and it is more than
  // what lives, or when any key is and the file is that old.
  std::uint64_t forgotten_bytes = 16 << 20;
  std::chrono::milliseconds forget_after{60'000};
  std::uint64_t step_bytes = 256 << 10;  // that move into the next file at a time
};

class SaeStore {
 public:
  // Opens and recovers. Errors: kBusy, kCorrupt naming the file, kNoSpace, kIo.
  [[nodiscard]] static Result<std::unique_ptr<SaeStore>> open(os::System system,
                                                              const std::string& dir,
                                                              ByteView root_key,
                                                              SaeStoreOptions options);
  ~SaeStore();

  // All of them, durably; orders that are here already are skipped. Errors: kBusy (too many wait),
  // kNoSpace, kIo; then none is here.
  [[nodiscard]] Result<> add(std::vector<NewKeys> orders);
  // All ids in their order, burnt for `slave`, or an error and nothing is burnt. Errors: kRefused
  // (a key is here that this pair has nothing to do with), kNotFound (unknown, used or expired),
  // kCorrupt, kNoSpace, kIo.
  [[nodiscard]] Result<std::vector<DeviceKey>> take(const std::string& master,
                                                    const std::string& slave,
                                                    const std::vector<KeyId>& ids);
  // Drops keys that nobody was told of; those not here, or of another master, are skipped.
  using IsMaster = std::function<bool(const std::string& master)>;
  [[nodiscard]] Result<> drop(const std::vector<KeyId>& ids, const IsMaster& is_master);
  // Drops what has expired and forgets what is due. To be called now and then.
  [[nodiscard]] Result<> sweep();

  [[nodiscard]] std::vector<SaePairCounts> counts() const;
  [[nodiscard]] std::uint64_t waiting() const;

 private:
  struct IdHash {
    std::size_t operator()(const KeyId& id) const {
      std::uint64_t word = 0;  // ids are random
      std::memcpy(&word, id.bytes.data(), sizeof word);
      return word;
    }
  };
  // Who may have a key. The bits of `pending` and the slaves have the same order.
  struct Owners {
    std::string master;
    std::vector<std::string> slaves;
    auto operator<=>(const Owners&) const = default;
  };
  struct Entry {
    std::uint64_t at = 0;     // of the sealed bytes in the journal file
    std::uint64_t index = 0;  // under which they are sealed
    std::uint32_t size = 0;
    std::uint32_t owners = 0;
    std::uint32_t pending = 0;
    std::int64_t expires = 0;
    std::uint32_t file = 0;  // the number of the journal file
  };
  struct Added {
    std::uint32_t owners = 0;
    std::int64_t expires = 0;
    NewKeys keys;
  };
  struct Taken {
    KeyId id;
    std::uint32_t owners = 0;
    std::uint8_t slave = 0;
  };
  enum class Reason : std::uint8_t { kExpired = 1, kVoided = 2 };
  struct Gone {
    KeyId id;
    Reason reason = Reason::kExpired;
  };
  // What one sync makes durable.
  struct Batch {
    std::vector<Added> added;
    std::vector<Taken> taken;
    std::vector<Gone> gone;
    std::uint64_t added_keys = 0;
    bool done = false;
    Result<> result;
    [[nodiscard]] bool empty() const { return added.empty() && taken.empty() && gone.empty(); }
  };
  struct Count {
    std::uint64_t delivered = 0, expired = 0, voided = 0;
  };
  // The keys of the file before, on their way into the present one.
  struct Move {
    std::uint64_t number = 0;  // of the present file
    std::vector<KeyId> keys;
    std::size_t next = 0;
  };
  using Lock = std::unique_lock<std::mutex>;
  using Places = std::vector<std::pair<KeyId, Entry>>;
  // Some keys of a Move.
  struct Moving {
    Places places;
    std::vector<KeyId> lost;
  };

  SaeStore(os::System system, std::string dir, SaeStoreOptions options)
      : system_(system), dir_(std::move(dir)), options_(options) {}
  Result<> recover();
  Result<bool> is_complete(std::uint64_t number);
  Result<> load(std::uint64_t number);
  Result<> replay(std::uint64_t file, ByteView payload, std::uint64_t at);
  std::uint32_t owners_number(Owners owners);
  Result<> commit(Lock& lock, std::shared_ptr<Batch> mine);  // by value: open_ changes meanwhile
  Result<Places> write(const Batch& batch, Moving& moving);
  void apply(Batch& batch, const Places& places);
  void expire();
  void count_gone(const Entry& entry, Reason reason);
  void forget(std::unordered_map<KeyId, Entry, IdHash>::iterator entry);
  bool is_new_file_due() const;
  void note_owners(RecordWriter& records) const;
  void note_complete(RecordWriter& records) const;
  Result<> begin_with_all(std::uint64_t number);
  Result<> begin_new_file(Lock& lock);
  Moving next_to_move();
  void copy(SaeJournal& to, Moving& moving, RecordWriter& records) const;
  void moved(const Moving& moving, std::uint64_t at);
  Result<> go_on(Lock& lock);
  Result<> complete_move(Lock& lock);
  Result<> end_move();
  Result<secret::Buffer> read(const Entry& entry) const;

  os::System system_;
  std::string dir_;
  SaeStoreOptions options_;
  secret::Buffer root_key_;
  std::unique_ptr<os::DirectoryLock> folder_lock_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool writing_ = false;  // somebody writes, and alone changes files_, number_ and move_
  std::map<std::uint64_t, std::unique_ptr<SaeJournal>> files_;
  std::uint64_t number_ = 0;  // of the file that is written
  std::optional<Move> move_;
  Result<> progress_;  // of the last write and what was due after it
  std::shared_ptr<Batch> open_ = std::make_shared<Batch>();
  std::unordered_map<KeyId, Entry, IdHash> entries_;
  using Expiry = std::pair<std::int64_t, KeyId>;
  // The next one on top: the calendar may jump, so they do not come in order.
  std::priority_queue<Expiry, std::vector<Expiry>, std::greater<>> expiries_;
  std::vector<Owners> owners_;
  std::map<Owners, std::uint32_t> owner_numbers_;
  std::map<std::pair<std::string, std::string>, Count> counts_;  // (master, slave)
  std::map<std::uint32_t, std::uint32_t> read_numbers_;          // of the file that is read back
  std::uint64_t live_bytes_ = 0;
  std::uint64_t dead_bytes_ = 0;  // of records in the present files whose keys are gone
  std::chrono::nanoseconds file_begun_{0};
};

}  // namespace warifu::kme
