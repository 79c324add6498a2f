// Journal files of the store: reading one back, and beginning the next one with what lives.
#include <algorithm>

#include "base/log.h"
#include "kme/sae_records.h"
#include "kme/sae_store.h"

namespace warifu::kme {
namespace {
constexpr std::size_t kCopyBytes = 1 << 20;  // of a frame that copies living keys
}

Result<std::unique_ptr<SaeStore>> SaeStore::open(os::System system, const std::string& dir,
                                                 ByteView root_key, SaeStoreOptions options) {
  std::unique_ptr<SaeStore> store(new SaeStore(system, dir, options));
  store->root_key_ = secret::Buffer::copy_of(root_key);
  TRY(system.files.make_directories(dir));
  system.files.sync_dir(os::parent_of(dir));
  TRY_ASSIGN(store->folder_lock_, system.files.lock_directory(dir));
  const std::lock_guard lock(store->mutex_);
  TRY(store->recover());
  return store;
}

Result<> SaeStore::recover() {
  TRY_ASSIGN(const auto newest, SaeJournal::newest(system_.files, dir_));
  if (newest) {
    TRY_ASSIGN(journal_, SaeJournal::load(system_, dir_, *newest, root_key_.bytes(),
                                          [this](ByteView payload, std::uint64_t at) {
                                            return replay(payload, at);
                                          }));
  }
  for (const auto& [id, entry] : entries_) expiries_.emplace(entry.expires, id);
  expire();
  open_->gone.clear();  // the next file does not have them at all
  return begin_new_file(newest ? *newest + 1 : 1);
}

Result<> SaeStore::replay(ByteView payload, std::uint64_t at) {
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
                      .expires = record.expires};
    if (entries_.emplace(record.id, entry).second) live_bytes_ += record_bytes(size);
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
  const auto read = read_records(payload, visitor);
  if (read && sane) return {};
  return fail(Code::kCorrupt, "the journal in '" + dir_ + "' has a frame that makes no sense" +
                                  (read ? "" : ": " + read.error().message));
}

Result<secret::Buffer> SaeStore::read(const Entry& entry) {
  return journal_->open_key(entry.at, entry.index, entry.size);
}

bool SaeStore::is_new_file_due() const {
  const std::uint64_t forgotten =
      journal_->bytes() > live_bytes_ ? journal_->bytes() - live_bytes_ : 0;
  if (forgotten > options_.forgotten_bytes && forgotten > live_bytes_) return true;
  return dead_bytes_ > 0 && system_.clock.monotonic() - file_begun_ > options_.forget_after;
}

Result<> SaeStore::begin_new_file(std::uint64_t number) {
  file_begun_ = system_.clock.monotonic();  // also when it fails: not again at once
  TRY_ASSIGN(auto fresh, SaeJournal::create(system_, dir_, number, root_key_.bytes()));
  std::unordered_map<KeyId, Entry, IdHash> moved;
  Places waiting;  // places inside the frame that is being made
  RecordWriter records;
  const auto flush = [&]() -> Result<> {
    if (records.bytes().empty()) return {};
    TRY_ASSIGN(const std::uint64_t at, fresh->append(records.bytes()));
    for (auto& [id, entry] : waiting) {
      entry.at += at;
      moved.emplace(id, entry);
    }
    waiting.clear();
    records = {};
    return {};
  };
  for (std::uint32_t i = 0; i < owners_.size(); ++i) {
    records.owners(i, owners_[i].master, owners_[i].slaves);
  }
  for (const auto& [pair, count] : counts_) {
    records.counts(pair.first, pair.second, count.delivered, count.expired, count.voided);
  }
  for (const auto& [id, old] : entries_) {
    Entry entry = old;
    TRY_ASSIGN(const secret::Buffer key, read(old));
    const auto sealed = fresh->seal(key.bytes());
    entry.index = sealed.index;
    entry.at = records.key({id, entry.owners, entry.pending, entry.expires, entry.index},
                           sealed.bytes);
    waiting.emplace_back(id, entry);
    if (records.bytes().size() >= kCopyBytes) TRY(flush());
  }
  TRY(flush());
  TRY(fresh->publish());
  journal_ = std::move(fresh);
  entries_ = std::move(moved);
  dead_bytes_ = 0;
  return {};
}

}  // namespace warifu::kme
