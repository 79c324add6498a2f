// Adding, giving, dropping, and the shared syncs. Reading back is in sae_store_files.cc.
#include "kme/sae_store.h"

#include <algorithm>

#include "base/log.h"
#include "kme/sae_records.h"

namespace warifu::kme {

SaeStore::~SaeStore() = default;

std::uint32_t SaeStore::owners_number(Owners owners) {
  const auto known = owner_numbers_.find(owners);
  if (known != owner_numbers_.end()) return known->second;
  const auto number = static_cast<std::uint32_t>(owners_.size());
  owners_.push_back(owners);
  owner_numbers_.emplace(std::move(owners), number);
  return number;
}

Result<> SaeStore::add(std::vector<NewKeys> orders) {
  Lock lock(mutex_);
  expire();
  std::erase_if(orders, [&](const NewKeys& order) { return entries_.contains(order.ids.front()); });
  if (orders.empty()) return {};
  std::uint64_t keys = 0;
  for (const NewKeys& order : orders) keys += order.ids.size();
  if (entries_.size() + open_->added_keys + keys > options_.max_waiting) {
    return fail(Code::kBusy, std::to_string(entries_.size()) +
                                 " keys wait for applications already, which is the limit");
  }
  const std::int64_t expires = system_.clock.now().value + options_.life.count();
  const std::shared_ptr<Batch> mine = open_;
  for (NewKeys& order : orders) {
    WARIFU_CHECK(!order.ids.empty() && order.bytes.size() % order.ids.size() == 0);
    WARIFU_CHECK(!order.slaves.empty() && order.slaves.size() <= 32);
    const std::uint32_t owners = owners_number({order.master, order.slaves});
    mine->added.push_back({owners, expires, std::move(order)});
  }
  mine->added_keys += keys;
  return commit(lock, mine);
}

Result<std::vector<DeviceKey>> SaeStore::take(const std::string& master, const std::string& slave,
                                              const std::vector<KeyId>& ids) {
  Lock lock(mutex_);
  expire();
  const auto slave_of = [&](const Entry& entry) {
    const auto& slaves = owners_[entry.owners].slaves;
    return static_cast<std::size_t>(std::ranges::find(slaves, slave) - slaves.begin());
  };
  // Who has nothing to do with one of the keys is told so, whatever else is wrong.
  for (const KeyId& id : ids) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    const Owners& owners = owners_[found->second.owners];
    if (owners.master != master || slave_of(found->second) == owners.slaves.size()) {
      return fail(Code::kRefused, "Unauthorized: key " + uuid_of(id) + " is not between " + master +
                                      " and " + slave);
    }
  }
  std::vector<DeviceKey> keys;
  std::vector<Taken> taken;
  for (const KeyId& id : ids) {
    const auto found = entries_.find(id);
    if (found == entries_.end() || (found->second.pending >> slave_of(found->second) & 1U) == 0) {
      return fail(Code::kNotFound, "key " + uuid_of(id) + " is unknown, used or expired");
    }
    TRY_ASSIGN(secret::Buffer bytes, read(found->second));
    keys.push_back({uuid_of(id), std::move(bytes)});
    taken.push_back({id, found->second.owners, static_cast<std::uint8_t>(slave_of(found->second))});
  }
  // From here on nobody else gets them, though nobody may read them before the sync.
  for (const Taken& one : taken) entries_.find(one.id)->second.pending &= ~(1U << one.slave);
  const std::shared_ptr<Batch> mine = open_;
  mine->taken.insert(mine->taken.end(), taken.begin(), taken.end());
  const auto burnt = commit(lock, mine);
  if (burnt) return keys;
  for (const Taken& one : taken) {
    const auto found = entries_.find(one.id);
    if (found != entries_.end()) found->second.pending |= 1U << one.slave;
  }
  return std::unexpected(burnt.error());
}

Result<> SaeStore::drop(const std::vector<KeyId>& ids, const IsMaster& is_master) {
  Lock lock(mutex_);
  const std::shared_ptr<Batch> mine = open_;
  for (const KeyId& id : ids) {
    const auto found = entries_.find(id);
    if (found == entries_.end() || !is_master(owners_[found->second.owners].master)) continue;
    count_gone(found->second, Reason::kVoided);
    forget(found);
    mine->gone.push_back({id, Reason::kVoided});
  }
  return mine->gone.empty() ? Result<>{} : commit(lock, mine);
}

Result<> SaeStore::sweep() {
  Lock lock(mutex_);
  expire();
  // Who writes has the file to itself, and looks at what is due behind the write.
  const bool is_due = !writing_ && is_new_file_due();
  if (open_->empty() && !move_ && !is_due) return {};
  TRY(commit(lock, open_));
  // What moves is moved to its end, a step at a time, so that nobody waits for all of it.
  while (move_) {
    TRY(commit(lock, open_));
    TRY(progress_);
  }
  return progress_;
}

// Drops what has expired; the journal hears of it with the next sync.
void SaeStore::expire() {
  const std::int64_t now = system_.clock.now().value;
  while (!expiries_.empty() && expiries_.top().first <= now) {
    const auto found = entries_.find(expiries_.top().second);
    if (found != entries_.end()) {
      open_->gone.push_back({found->first, Reason::kExpired});
      count_gone(found->second, Reason::kExpired);
      forget(found);
    }
    expiries_.pop();
  }
}

void SaeStore::count_gone(const Entry& entry, Reason reason) {
  const Owners& owners = owners_[entry.owners];
  for (std::size_t i = 0; i < owners.slaves.size(); ++i) {
    if ((entry.pending >> i & 1U) == 0) continue;
    Count& count = counts_[{owners.master, owners.slaves[i]}];
    (reason == Reason::kExpired ? count.expired : count.voided) += 1;
  }
}

void SaeStore::forget(std::unordered_map<KeyId, Entry, IdHash>::iterator entry) {
  live_bytes_ -= record_bytes(entry->second.size);
  dead_bytes_ += record_bytes(entry->second.size);
  entries_.erase(entry);
}

// The first who finds nobody writing writes the open batch, for all who are in it.
Result<> SaeStore::commit(Lock& lock, std::shared_ptr<Batch> mine) {
  while (!mine->done) {
    if (writing_) {
      changed_.wait(lock);
      continue;
    }
    writing_ = true;
    const std::shared_ptr<Batch> batch = std::exchange(open_, std::make_shared<Batch>());
    const std::size_t before = move_ ? move_->next : 0;
    Moving moving = move_ ? next_to_move() : Moving{};
    Result<Places> written;
    if (!batch->empty() || !moving.places.empty()) {
      lock.unlock();
      written = write(*batch, moving);
      lock.lock();
    }
    if (written) {
      apply(*batch, *written);
      progress_ = go_on(lock);
    } else {
      batch->result = std::unexpected(written.error());
      progress_ = batch->result;
      if (move_) move_->next = before;
    }
    batch->done = true;
    writing_ = false;
    changed_.notify_all();
  }
  return mine->result;
}

// What is due for the files, after a write.
Result<> SaeStore::go_on(Lock& lock) {
  if (!move_) return is_new_file_due() ? begin_new_file(lock) : Result<>{};
  return move_->next < move_->keys.size() ? Result<>{} : complete_move(lock);
}

Result<SaeStore::Places> SaeStore::write(const Batch& batch, Moving& moving) {
  SaeJournal& journal = *files_.at(number_);
  RecordWriter records;
  Places places;
  copy(journal, moving, records);
  for (const Added& added : batch.added) {
    const NewKeys& keys = added.keys;
    records.owners(added.owners, keys.master, keys.slaves);
    const auto all = static_cast<std::uint32_t>((std::uint64_t{1} << keys.slaves.size()) - 1);
    const std::size_t size = keys.key_bytes();
    for (std::size_t i = 0; i < keys.ids.size(); ++i) {
      const auto sealed = journal.seal(keys.bytes.bytes().subspan(i * size, size));
      Entry entry{.index = sealed.index,
                  .size = static_cast<std::uint32_t>(size),
                  .owners = added.owners,
                  .pending = all,
                  .expires = added.expires,
                  .file = static_cast<std::uint32_t>(journal.number())};
      entry.at =
          records.key({keys.ids[i], added.owners, all, added.expires, sealed.index}, sealed.bytes);
      places.emplace_back(keys.ids[i], entry);
    }
  }
  for (const Taken& taken : batch.taken) records.taken(taken.id, taken.slave);
  for (const Gone& gone : batch.gone) records.gone(gone.id, static_cast<std::uint8_t>(gone.reason));
  TRY_ASSIGN(const std::uint64_t at, journal.append(records.bytes()));
  journal.sync();
  for (auto& [id, entry] : places) entry.at += at;
  const Lock lock(mutex_);
  moved(moving, at);
  return places;
}

void SaeStore::apply(Batch& batch, const Places& places) {
  for (const auto& [id, entry] : places) {
    if (!entries_.emplace(id, entry).second) continue;
    live_bytes_ += record_bytes(entry.size);
    expiries_.emplace(entry.expires, id);
  }
  batch.added.clear();  // the bytes are wiped now, not when the last waiter has gone
  for (const Taken& taken : batch.taken) {
    const Owners& owners = owners_[taken.owners];
    counts_[{owners.master, owners.slaves[taken.slave]}].delivered += 1;
    const auto found = entries_.find(taken.id);
    if (found != entries_.end() && found->second.pending == 0) forget(found);
  }
}

std::vector<SaePairCounts> SaeStore::counts() const {
  const std::lock_guard lock(mutex_);
  std::map<std::pair<std::string, std::string>, std::uint64_t> waiting;
  for (const auto& [id, entry] : entries_) {
    const Owners& owners = owners_[entry.owners];
    for (std::size_t i = 0; i < owners.slaves.size(); ++i) {
      if ((entry.pending >> i & 1U) != 0) ++waiting[{owners.master, owners.slaves[i]}];
    }
  }
  std::vector<SaePairCounts> all;
  for (const auto& [pair, number] : waiting) {
    if (!counts_.contains(pair)) all.push_back({pair.first, pair.second, number, 0, 0, 0});
  }
  for (const auto& [pair, count] : counts_) {
    all.push_back(
        {pair.first, pair.second, waiting[pair], count.delivered, count.expired, count.voided});
  }
  return all;
}

std::uint64_t SaeStore::waiting() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace warifu::kme
