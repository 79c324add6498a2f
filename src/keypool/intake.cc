// Intake: segments come in as INGESTED, become SYNCED when both ends hold equal bytes, or end
// QUARANTINED. The index is replaced atomically at each step, after the segment's bytes are
// durable; memory follows the file, so a step whose index could not be written has not happened.
#include <algorithm>
#include <array>

#include "base/limits.h"
#include "keypool/pool.h"
#include "keypool/segment.h"

namespace warifu::keypool {
namespace {
constexpr std::chrono::seconds kGapLife(60);
constexpr std::uint32_t kKeyDomain = 0x4B474553;  // "SEGK"
}  // namespace

Result<> Pool::ingest(SegmentNumber number, Origin origin, ByteView material, std::uint16_t parts) {
  WARIFU_CHECK(!material.empty() && material.size() <= limits::kSegmentBytes);
  const std::lock_guard one_at_a_time(intake_mutex_);  // two of one number would share a file
  {
    const std::lock_guard lock(mutex_);
    if (number.value < index_.next_number) {
      return fail(Code::kAlreadyExists,
                  "segment " + std::to_string(number.value) + " was taken in before");
    }
  }
  secret::Buffer key(crypto::kSealKeyBytes);
  system_.random.fill(key.bytes());
  SegmentEntry entry{.number = number,
                     .base = {},
                     .length = static_cast<std::uint32_t>(material.size()),
                     .state = SegmentState::kIngested,
                     .origin = origin,
                     .parts = static_cast<std::uint16_t>(parts | origin_bit(origin)),
                     .created = system_.clock.now(),
                     .wrapped_key = Bytes(kWrappedKeyBytes)};
  std::array<Byte, 8> place{};
  system_.random.fill(place);
  std::memcpy(&entry.wrap_index, place.data(), place.size());
  crypto::seal(pool_key_.bytes(), kKeyDomain, entry.wrap_index, key.bytes(), entry.wrapped_key);
  TRY(write_segment(system_.files, segment_path(number), key.bytes(), material));
  const std::lock_guard lock(mutex_);
  Index next = index_;
  next.entries.push_back(std::move(entry));
  origins_.insert(origin);
  next.next_number = number.value + 1;
  return write_index(std::move(next));
}

Result<secret::Buffer> Pool::unwrap_key(const SegmentEntry& entry) const {
  secret::Buffer key(crypto::kSealKeyBytes);
  if (auto opened = crypto::open_sealed(pool_key_.bytes(), kKeyDomain, entry.wrap_index,
                                        entry.wrapped_key, key.bytes());
      !opened) {
    return fail_in("pool '" + dir_ + "', key of segment " + std::to_string(entry.number.value),
                   opened.error());
  }
  return key;
}

Result<secret::Buffer> Pool::read_ingested(SegmentNumber number) {
  std::unique_ptr<SegmentReader> reader;
  {
    const std::lock_guard lock(mutex_);
    const SegmentEntry* entry = find(index_, number);
    if (entry == nullptr || entry->state != SegmentState::kIngested) {
      return fail(Code::kNotFound,
                  "segment " + std::to_string(number.value) + " is not waiting for confirmation");
    }
    TRY_ASSIGN(secret::Buffer key, unwrap_key(*entry));
    TRY_ASSIGN(auto file, system_.files.open(segment_path(number), os::OpenMode::kRead));
    reader = std::make_unique<SegmentReader>(std::move(file), std::move(key), entry->length);
  }
  secret::Buffer material(reader->length());
  Bytes sealed;
  for (std::uint32_t at = 0; at < reader->length(); at += limits::kSealBlockBytes) {
    const std::uint32_t block = at / limits::kSealBlockBytes;
    TRY(reader->read_block(block, sealed,
                           material.bytes().subspan(at, reader->block_length(block))));
  }
  return material;
}

Result<> Pool::mark_synced(SegmentNumber number, PadOffset base) {
  const std::lock_guard lock(mutex_);
  Index next = index_;
  SegmentEntry* entry = find(next, number);
  if (entry == nullptr) {
    // Used up and forgotten already: a repeated confirmation changes nothing. What is not used up
    // is other key: one end was restored, and the place has been given away in the meantime.
    const bool other = std::ranges::any_of(next.entries, [&](const SegmentEntry& there) {
      return there.state == SegmentState::kSynced && there.base <= base && base < there.end();
    });
    if (number.value < index_.next_number && base < mark_.mark && !other) return {};
    return fail(Code::kNotFound,
                "segment " + std::to_string(number.value) +
                    " is not here; was a backup restored? `warifu keys reconcile`");
  }
  if (entry->state == SegmentState::kSynced) {
    if (entry->base == base) return {};
    return fail(Code::kCorrupt,
                "the two ends give segment " + std::to_string(number.value) + " different places");
  }
  if (entry->state != SegmentState::kIngested || base != index_.stream_end) {
    return fail(Code::kCorrupt, "segment " + std::to_string(number.value) +
                                    " does not continue the stream of this pool; was a backup "
                                    "restored? `warifu keys reconcile`");
  }
  entry->state = SegmentState::kSynced;
  entry->base = base;
  next.stream_end = entry->end();
  TRY(write_index(std::move(next)));
  changed_.notify_all();
  return {};
}

Result<> Pool::quarantine(SegmentNumber number) {
  const std::lock_guard lock(mutex_);
  Index next = index_;
  SegmentEntry* entry = find(next, number);
  if (entry == nullptr || entry->state == SegmentState::kSynced) {
    return fail(Code::kNotFound,
                "segment " + std::to_string(number.value) + " is not waiting for confirmation");
  }
  entry->state = SegmentState::kQuarantined;
  return write_index(std::move(next));
}

Result<> Pool::discard(SegmentNumber number) {
  const std::lock_guard lock(mutex_);
  Index next = index_;
  const SegmentEntry* entry = find(next, number);
  if (entry == nullptr) return {};
  if (entry->state == SegmentState::kSynced) {
    return fail(Code::kRefused, "a synced segment cannot be discarded");
  }
  std::erase_if(next.entries, [&](const SegmentEntry& e) { return e.number == number; });
  TRY(write_index(std::move(next)));
  return system_.files.remove(segment_path(number));
}

Result<> Pool::align(const Alignment& to) {
  WARIFU_CHECK(to.mark <= to.end);
  const std::lock_guard one_at_a_time(intake_mutex_);
  const std::lock_guard lock(mutex_);
  if (to.end > index_.stream_end) {
    return fail(Code::kRefused, "pool '" + dir_ + "' ends at " +
                                    std::to_string(index_.stream_end.value) +
                                    ", the far end has used key up to " +
                                    std::to_string(to.end.value) + "; make new pools");
  }
  const auto goes = [&](const SegmentEntry& entry) {
    return entry.state == SegmentState::kSynced && entry.end() > to.end;
  };
  const bool held = std::ranges::any_of(live_, [&](const auto& live) {
    return std::ranges::any_of(index_.entries, [&](const SegmentEntry& entry) {
      return goes(entry) && live.second.begin < entry.end() && entry.base < live.second.end;
    });
  });
  if (held || mark_.mark > to.end) {
    return fail(Code::kBusy, "pool '" + dir_ + "': key beyond " + std::to_string(to.end.value) +
                                 " is in use; try again");
  }
  // The mark first: it never lies beyond the stream's end, on the disk neither.
  if (to.mark > mark_.mark) {
    const PadOffset old_mark = mark_.mark;
    TRY(write_mark(to.mark));
    tell(old_mark, to.mark, TrailUse::kBurnt, {});
  }
  Index next = index_;
  for (SegmentEntry& entry : next.entries) {
    if (!goes(entry)) continue;
    entry.state = SegmentState::kQuarantined;
    open_segments_.erase(entry.number.value);
  }
  next.stream_end = to.end;
  next.next_number = std::max(next.next_number, to.next.value);
  TRY(write_index(std::move(next)));
  // A grant that is still on its way is refused from here on; its connection starts anew.
  std::erase_if(gaps_, [&](const Gap& gap) { return gap.end <= to.mark; });
  return forget_used();
}

Result<> Pool::write_index(Index next) {
  WARIFU_CHECK(process_ == this_process());
  TRY(os::replace_file(system_.files, dir_ + "/index", encode(next)));
  index_ = std::move(next);
  return {};
}

Result<> Pool::forget_used() {
  // A gap that nobody came for in a minute belongs to a greeting that was never finished.
  const auto now = system_.clock.monotonic();
  std::erase_if(gaps_, [&](const Gap& gap) { return now - gap.noted > kGapLife; });
  const auto is_used = [&](const SegmentEntry& entry) {
    const auto meets = [&](PadOffset begin, PadOffset end) {
      return begin < entry.end() && entry.base < end;
    };
    return entry.state == SegmentState::kSynced && entry.end() <= mark_.mark &&
           std::ranges::none_of(
               live_, [&](const auto& l) { return meets(l.second.begin, l.second.end); }) &&
           std::ranges::none_of(gaps_, [&](const Gap& gap) { return meets(gap.begin, gap.end); });
  };
  std::vector<SegmentNumber> forgotten;
  for (const SegmentEntry& entry : index_.entries) {
    if (is_used(entry)) forgotten.push_back(entry.number);
  }
  if (forgotten.empty()) return {};
  Index next = index_;
  std::erase_if(next.entries, is_used);
  TRY(write_index(std::move(next)));  // the keys are gone from here on
  for (const SegmentNumber number : forgotten) {
    open_segments_.erase(number.value);
    TRY(sweeper_.take(segment_path(number)));
  }
  return {};
}

}  // namespace warifu::keypool
