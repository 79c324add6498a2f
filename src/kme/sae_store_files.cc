// Journal files of the store: reading them back, and moving what lives into the next one.
#include <algorithm>

#include "base/log.h"
#include "kme/sae_records.h"
#include "kme/sae_store.h"
#include "os/folders.h"

namespace warifu::kme {
Result<std::unique_ptr<SaeStore>> SaeStore::open(os::System system, const std::string& dir,
                                                 ByteView root_key, SaeStoreOptions options) {
  std::unique_ptr<SaeStore> store(new SaeStore(system, dir, options));
  store->root_key_ = secret::Buffer::copy_of(root_key);
  TRY(os::make_folder(system.files, dir));
  TRY_ASSIGN(store->folder_lock_, system.files.lock_directory(dir));
  const std::lock_guard lock(store->mutex_);
  TRY(store->recover());
  return store;
}

// The newest file, and the one before while its keys have not all moved; then all of it into the
// next.
Result<> SaeStore::recover() {
  TRY_ASSIGN(const auto numbers, SaeJournal::numbers(system_.files, dir_));
  const std::uint64_t newest = numbers.empty() ? 0 : numbers.back();
  if (!numbers.empty()) {
    TRY_ASSIGN(const bool complete, is_complete(newest));
    if (!complete && numbers.size() < 2) {
      return fail(Code::kCorrupt, "the journal in '" + dir_ + "' lacks the file before number " +
                                      std::to_string(newest));
    }
    if (!complete) TRY(load(numbers[numbers.size() - 2]));
    TRY(load(newest));
  }
  for (const auto& [id, entry] : entries_) expiries_.emplace(entry.expires, id);
  expire();
  open_->gone.clear();  // the next file does not have them at all
  return begin_with_all(newest + 1);
}

Result<bool> SaeStore::is_complete(std::uint64_t number) {
  bool complete = false;
  RecordVisitor visitor{.owners = [](auto&&...) {},
                        .key = [](auto&&...) {},
                        .taken = [](auto&&...) {},
                        .gone = [](auto&&...) {},
                        .counts = [](auto&&...) {},
                        .complete = [&] { complete = true; }};
  TRY_ASSIGN(const auto journal, SaeJournal::load(system_, dir_, number, root_key_.bytes(),
                                                  [&](ByteView payload, std::uint64_t) -> Result<> {
                                                    // What makes no sense is told when it is
                                                    // loaded.
                                                    (void)read_records(payload, visitor);
                                                    return {};
                                                  }));
  return complete || journal->is_first_version();
}

Result<> SaeStore::load(std::uint64_t number) {
  read_numbers_.clear();
  TRY_ASSIGN(files_[number], SaeJournal::load(system_, dir_, number, root_key_.bytes(),
                                              [&](ByteView payload, std::uint64_t at) {
                                                return replay(number, payload, at);
                                              }));
  return {};
}

Result<> SaeStore::replay(std::uint64_t file, ByteView payload, std::uint64_t at) {
  bool sane = true;
  RecordVisitor visitor;
  visitor.owners = [&](std::uint32_t number, std::string master, std::vector<std::string> slaves) {
    read_numbers_[number] = owners_number({std::move(master), std::move(slaves)});
  };
  visitor.key = [&](const KeyRecord& record, std::uint64_t place, std::uint32_t size) {
    const auto owners = read_numbers_.find(record.owners);
    if (owners == read_numbers_.end()) {
      sane = false;
      return;
    }
    const Entry entry{.at = at + place,
                      .index = record.index,
                      .size = size,
                      .owners = owners->second,
                      .pending = record.pending,
                      .expires = record.expires,
                      .file = static_cast<std::uint32_t>(file)};
    // One that is there already has moved here.
    if (entries_.insert_or_assign(record.id, entry).second) live_bytes_ += record_bytes(size);
  };
  visitor.taken = [&](const KeyId& id, std::uint8_t slave) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const Owners& owners = owners_[found->second.owners];
    if (slave >= owners.slaves.size()) {
      sane = false;
      return;
    }
    found->second.pending &= ~(1U << slave);
    counts_[{owners.master, owners.slaves[slave]}].delivered += 1;
    if (found->second.pending == 0) forget(found);
  };
  visitor.gone = [&](const KeyId& id, std::uint8_t reason) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    count_gone(found->second, reason == 2 ? Reason::kVoided : Reason::kExpired);
    forget(found);
  };
  visitor.counts = [&](std::string master, std::string slave, std::uint64_t delivered,
                       std::uint64_t expired, std::uint64_t voided) {
    counts_[{std::move(master), std::move(slave)}] = {delivered, expired, voided};
  };
  visitor.complete = [] {};  // what moved here stands here
  const auto read = read_records(payload, visitor);
  if (read && sane) return {};
  return fail(Code::kCorrupt, "the journal in '" + dir_ + "' has a frame that makes no sense" +
                                  (read ? "" : ": " + read.error().message));
}

Result<secret::Buffer> SaeStore::read(const Entry& entry) const {
  return files_.at(entry.file)->open_key(entry.at, entry.index, entry.size);
}

bool SaeStore::is_new_file_due() const {
  const std::uint64_t bytes = files_.at(number_)->bytes();
  const std::uint64_t forgotten = bytes > live_bytes_ ? bytes - live_bytes_ : 0;
  if (forgotten > options_.forgotten_bytes && forgotten > live_bytes_) return true;
  return dead_bytes_ > 0 && system_.clock.monotonic() - file_begun_ > options_.forget_after;
}

void SaeStore::note_owners(RecordWriter& records) const {
  for (std::uint32_t i = 0; i < owners_.size(); ++i) {
    records.owners(i, owners_[i].master, owners_[i].slaves);
  }
}

void SaeStore::note_complete(RecordWriter& records) const {
  for (const auto& [pair, count] : counts_) {
    records.counts(pair.first, pair.second, count.delivered, count.expired, count.voided);
  }
  records.complete();
}

// At the start, when nobody else is here: the file has its name only when it has everything.
Result<> SaeStore::begin_with_all(std::uint64_t number) {
  TRY_ASSIGN(auto fresh, SaeJournal::create(system_, dir_, number, root_key_.bytes()));
  RecordWriter first;
  note_owners(first);
  if (!first.bytes().empty()) TRY(fresh->append(first.bytes()));
  move_ = Move{number, {}, 0};
  for (const auto& [id, entry] : entries_) move_->keys.push_back(id);
  while (move_->next < move_->keys.size()) {
    Moving moving = next_to_move();
    RecordWriter records;
    copy(*fresh, moving, records);
    if (records.bytes().empty()) continue;
    TRY_ASSIGN(const std::uint64_t at, fresh->append(records.bytes()));
    moved(moving, at);
  }
  RecordWriter last;
  note_complete(last);
  TRY(fresh->append(last.bytes()));
  TRY(fresh->publish());
  files_[number] = std::move(fresh);
  number_ = number;
  dead_bytes_ = 0;
  file_begun_ = system_.clock.monotonic();
  return end_move();
}

// While others go on: the next file takes all that is new from now on, and the keys that live move
// into it step by step. Called by who has the right to write.
Result<> SaeStore::begin_new_file(Lock& lock) {
  file_begun_ = system_.clock.monotonic();  // also when it fails: not again at once
  RecordWriter first;
  note_owners(first);
  Move move{number_ + 1, {}, 0};
  move.keys.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) move.keys.push_back(id);
  lock.unlock();
  const auto make = [&]() -> Result<std::unique_ptr<SaeJournal>> {
    TRY_ASSIGN(auto fresh, SaeJournal::create(system_, dir_, move.number, root_key_.bytes()));
    TRY(fresh->append(first.bytes()));
    TRY(fresh->publish());
    return fresh;
  };
  auto fresh = make();
  lock.lock();
  if (!fresh) return std::unexpected(fresh.error());
  files_[move.number] = std::move(*fresh);
  number_ = move.number;
  dead_bytes_ = 0;
  move_ = std::move(move);
  return {};
}

// The next keys that have not moved and live still, some hundred kilobytes.
SaeStore::Moving SaeStore::next_to_move() {
  Moving moving;
  std::uint64_t bytes = 0;
  while (move_->next < move_->keys.size() && bytes < options_.step_bytes) {
    const auto found = entries_.find(move_->keys[move_->next++]);
    if (found == entries_.end() || found->second.file == move_->number) continue;
    moving.places.emplace_back(found->first, found->second);
    bytes += record_bytes(found->second.size);
  }
  return moving;
}

// Seals them for the new file; their places are then counted from the frame. One that cannot be
// read any more is given up: it must not hold up all others.
void SaeStore::copy(SaeJournal& to, Moving& moving, RecordWriter& records) const {
  std::erase_if(moving.places, [&](auto& place) {
    auto& [id, entry] = place;
    const auto key = read(entry);
    if (!key) {
      log_warning("key " + uuid_of(id) + " of an application is lost: " + key.error().message);
      records.gone(id, static_cast<std::uint8_t>(Reason::kVoided));
      moving.lost.push_back(id);
      return true;
    }
    const auto sealed = to.seal(key->bytes());
    entry.index = sealed.index;
    entry.file = static_cast<std::uint32_t>(to.number());
    entry.at =
        records.key({id, entry.owners, entry.pending, entry.expires, entry.index}, sealed.bytes);
    return false;
  });
}

void SaeStore::moved(const Moving& moving, std::uint64_t at) {
  for (const auto& [id, entry] : moving.places) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    found->second.at = entry.at + at;
    found->second.index = entry.index;
    found->second.file = entry.file;
  }
  for (const KeyId& id : moving.lost) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    count_gone(found->second, Reason::kVoided);
    forget(found);
  }
}

// When all have moved: makes the file before superfluous, durably, and removes it.
Result<> SaeStore::complete_move(Lock& lock) {
  RecordWriter last;
  note_complete(last);
  SaeJournal& journal = *files_.at(number_);
  lock.unlock();
  const auto told = journal.append(last.bytes());
  if (told) journal.sync();
  lock.lock();
  if (!told) return std::unexpected(told.error());
  return end_move();
}

Result<> SaeStore::end_move() {
  while (files_.size() > 1) files_.erase(files_.begin());
  move_.reset();
  return SaeJournal::remove_older(system_.files, dir_, number_);
}

}  // namespace warifu::kme
