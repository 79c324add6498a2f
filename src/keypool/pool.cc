// Creation, recovery and status of a pool.
#include "keypool/pool.h"

#include <algorithm>

#include "keypool/segment.h"
#include "os/folders.h"

namespace warifu::keypool {

Result<> Pool::create(os::System system, const std::string& dir, LinkId link, Direction direction,
                      ByteView root_key) {
  TRY(os::make_folder(system.files, dir));
  if (system.files.exists(dir + "/identity")) {
    return fail(Code::kAlreadyExists, "'" + dir + "' already holds a pool");
  }
  Identity identity{.link = link, .direction = direction, .created = system.clock.now()};
  secret::Buffer pool_key(crypto::kSealKeyBytes);
  system.random.fill(pool_key.bytes());
  std::array<Byte, 12> nonce{};
  system.random.fill(nonce);
  std::memcpy(&identity.wrap_domain, nonce.data(), 4);
  std::memcpy(&identity.wrap_index, nonce.data() + 4, 8);
  identity.wrapped_pool_key.resize(kWrappedKeyBytes);
  crypto::seal(root_key, identity.wrap_domain, identity.wrap_index, pool_key.bytes(),
               identity.wrapped_pool_key);

  // The identity comes last: a pool without it does not exist yet.
  Bytes slots = encode(Mark{});
  slots.resize(2 * kMarkSlotBytes);
  TRY(os::replace_file(system.files, dir + "/mark", slots));
  TRY(os::replace_file(system.files, dir + "/index", encode(Index{})));
  TRY(os::replace_file(system.files, dir + "/identity", encode(identity)));
  return {};
}

Result<std::unique_ptr<Pool>> Pool::open(os::System system, const std::string& dir,
                                         ByteView root_key, PoolOptions options) {
  if (!system.files.exists(dir + "/identity")) {
    return fail(Code::kNotFound, "'" + dir + "' holds no pool");
  }
  std::unique_ptr<Pool> pool(new Pool(system, dir, options));
  TRY_ASSIGN(pool->lock_, system.files.lock_directory(dir));
  TRY(pool->recover(root_key));
  if (options.trail_bytes > 0) {
    pool->trail_ = std::make_unique<Trail>(system.files, dir, options.trail_bytes);
    pool->trail_->start(pool->mark_.mark, system.clock.now());
  }
  return pool;
}

Pool::~Pool() {
  const std::lock_guard lock(mutex_);
  WARIFU_CHECK(live_.empty());
}

Result<> Pool::recover(ByteView root_key) {
  const std::string identity_path = dir_ + "/identity";
  TRY_ASSIGN(const Bytes identity, os::read_file(system_.files, identity_path, 4096));
  TRY_ASSIGN(identity_, decode_identity(identity, identity_path));
  pool_key_ = secret::Buffer(crypto::kSealKeyBytes);
  if (auto opened = crypto::open_sealed(root_key, identity_.wrap_domain, identity_.wrap_index,
                                        identity_.wrapped_pool_key, pool_key_.bytes());
      !opened) {
    return fail_in("pool '" + dir_ + "' does not open with this site's root key", opened.error());
  }
  const std::string index_path = dir_ + "/index";
  TRY_ASSIGN(const Bytes index, os::read_file(system_.files, index_path, 1ULL << 30));
  TRY_ASSIGN(index_, decode_index(index, index_path));
  for (const SegmentEntry& entry : index_.entries) origins_.insert(entry.origin);
  TRY(load_marks());
  TRY(renew_marks());

  // What was below the mark may have been used before the crash: forget it. Files of segments
  // that never reached the index are leftovers of an unfinished intake.
  TRY(forget_used());
  TRY_ASSIGN(const auto names, system_.files.list(dir_));
  for (const std::string& name : names) {
    if (!name.starts_with("seg-")) continue;
    const std::string path = dir_ + "/" + name;
    const bool known = std::ranges::any_of(index_.entries, [&](const SegmentEntry& entry) {
      return segment_path(entry.number) == path;
    });
    if (known) continue;
    // A number that may be given again must be free before that.
    const bool gone_for_good = path < segment_path({index_.next_number});
    TRY(gone_for_good ? sweeper_.take(path) : system_.files.remove(path));
  }
  return {};
}

Result<> Pool::load_marks() {
  const std::string path = dir_ + "/mark";
  TRY_ASSIGN(const auto file, system_.files.open(path, os::OpenMode::kRead));
  Bytes slots(2 * kMarkSlotBytes);
  TRY(file->read_exact_at(0, slots));
  std::optional<Mark> best;
  std::optional<Error> old;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto slot =
        decode_mark(ByteView(slots).subspan(i * kMarkSlotBytes, kMarkSlotBytes), path);
    // A torn slot is the write that the crash interrupted: nobody acted on it. It may hold any
    // bytes, so one that looks like another version's counts only when no slot can be read.
    if (!slot && slot.error().code == Code::kRefused) old = slot.error();
    if (slot && (!best || slot->sequence > best->sequence)) best = *slot;
  }
  if (!best && old) return std::unexpected(*old);
  if (!best) return fail(Code::kCorrupt, "pool file '" + path + "' has no readable mark");
  mark_ = *best;
  // What lies below the mark may be forgotten already; nothing above it, and it stays in the
  // stream.
  PadOffset kept = index_.stream_end;
  for (const SegmentEntry& entry : index_.entries) {
    if (entry.state == SegmentState::kSynced) kept = std::min(kept, entry.base);
  }
  if (mark_.mark < kept || mark_.mark > index_.stream_end) {
    return fail(Code::kCorrupt, "pool '" + dir_ + "' is not of one time: its mark is " +
                                    std::to_string(mark_.mark.value) + ", its index holds " +
                                    std::to_string(kept.value) + " to " +
                                    std::to_string(index_.stream_end.value));
  }
  return {};
}

// The process before this one may have died between a write and its sync, or of a failed sync: then
// what was read just now stands in the page cache and not on the disk, and no sync would bring it
// there. To overwrite the other slot now would risk the last mark that is. So both slots go to a
// new file, and the old one stays untouched until that is durable; the names in the folder become
// durable with it.
Result<> Pool::renew_marks() {
  const std::string path = dir_ + "/mark";
  mark_.sequence = mark_.sequence / 2 * 2 + 2;  // even: the first slot
  Bytes slots = encode(mark_);
  mark_.sequence += 1;
  const Bytes second = encode(mark_);
  slots.insert(slots.end(), second.begin(), second.end());
  TRY(os::replace_file(system_.files, path, slots));
  TRY_ASSIGN(mark_file_, system_.files.open(path, os::OpenMode::kReadWrite));
  return {};
}

PoolStatus Pool::status() const {
  const std::lock_guard lock(mutex_);
  PoolStatus status{.mark = mark_.mark,
                    .synced_end = index_.stream_end,
                    .payload_bytes = mark_.payload_bytes,
                    .tag_bytes = mark_.tag_bytes,
                    .hash_key_bytes = mark_.hash_key_bytes,
                    .bulk_bytes = mark_.bulk_bytes,
                    .share_bytes = mark_.share_bytes,
                    .application_bytes = mark_.application_bytes};
  PadOffset oldest{UINT64_MAX};
  for (const SegmentEntry& entry : index_.entries) {
    switch (entry.state) {
      case SegmentState::kIngested: status.ingested_bytes += entry.length; break;
      case SegmentState::kQuarantined: status.quarantined_bytes += entry.length; break;
      case SegmentState::kSynced:
        if (entry.end() > mark_.mark) {
          status.available_bytes +=
              entry.end().value - std::max(entry.base.value, mark_.mark.value);
          if (entry.base < oldest) {
            oldest = entry.base;
            status.oldest_unused = entry.created;
          }
        }
        break;
    }
  }
  for (const auto& [token, range] : live_) {
    status.reserved_bytes += (range.end - range.begin).value;
  }
  status.origins = origins_;
  const std::uint64_t used = status.payload_bytes + status.tag_bytes + status.hash_key_bytes +
                             status.share_bytes + status.application_bytes;
  status.discarded_bytes = mark_.mark.value > used ? mark_.mark.value - used : 0;
  return status;
}

std::vector<SegmentEntry> Pool::segments() const {
  const std::lock_guard lock(mutex_);
  return index_.entries;
}

SegmentNumber Pool::next_segment() const {
  const std::lock_guard lock(mutex_);
  return {index_.next_number};
}

SegmentEntry* Pool::find(Index& index, SegmentNumber number) {
  const auto it = std::ranges::find(index.entries, number, &SegmentEntry::number);
  return it == index.entries.end() ? nullptr : &*it;
}

std::string Pool::segment_path(SegmentNumber number) const {
  std::string digits = std::to_string(number.value);
  digits.insert(0, digits.size() < 12 ? 12 - digits.size() : 0, '0');
  return dir_ + "/seg-" + digits;
}

}  // namespace warifu::keypool
