// Reserving, accepting and taking pad: the mark is durable before the first byte is read.
#include <algorithm>

#include "base/limits.h"
#include "keypool/pool.h"
#include "keypool/segment.h"

namespace warifu::keypool {
namespace {
// More out-of-order grants than this at once means that the peer is confused; the oldest is burnt.
constexpr std::size_t kMaxGaps = 64;
}  // namespace

Result<> Pool::write_mark(PadOffset mark) {
  WARIFU_CHECK(mark >= mark_.mark);
  Mark next = mark_;
  next.mark = mark;
  next.sequence += 1;
  // Slots in turn: a torn write leaves the other one, which nobody has gone beyond.
  TRY(mark_file_->write_at((next.sequence % 2) * kMarkSlotBytes, encode(next)));
  mark_file_->sync();
  mark_ = next;
  return {};
}

Result<Reservation> Pool::reserve(ByteCount size, Purpose purpose) {
  const std::lock_guard lock(mutex_);
  WARIFU_CHECK(direction() == Direction::kReceive);
  const std::uint64_t available = index_.stream_end.value - mark_.mark.value;
  const std::uint64_t floor = purpose == Purpose::kBulk ? limits::kControlFloorBytes : 0;
  if (available < floor || available - floor < size.value) {
    return fail(Code::kOutOfKey, "pool '" + dir_ + "' has " + std::to_string(available) +
                                     " bytes, wanted " + std::to_string(size.value) +
                                     " above a floor of " + std::to_string(floor));
  }
  const PadOffset begin = mark_.mark;
  TRY(write_mark(begin + size));
  return make_reservation(begin, begin + size);
}

Result<Reservation> Pool::accept(PadOffset begin, ByteCount size) {
  const std::lock_guard lock(mutex_);
  WARIFU_CHECK(direction() == Direction::kSend);
  const PadOffset end = begin + size;
  if (end < begin || end > index_.stream_end) {
    return fail(Code::kOutOfKey, "pool '" + dir_ + "' ends at " +
                                     std::to_string(index_.stream_end.value) +
                                     ", the peer granted up to " + std::to_string(end.value));
  }
  if (begin >= mark_.mark) {
    const PadOffset old_mark = mark_.mark;
    TRY(write_mark(end));
    // Only now is the gap below the mark: noted before a write that fails, it would be given twice.
    if (begin > old_mark) {
      if (gaps_.size() == kMaxGaps) gaps_.erase(gaps_.begin());
      gaps_.push_back({old_mark, begin, system_.clock.monotonic()});
    }
    return make_reservation(begin, end);
  }
  // Granted earlier, arrived later: the mark already covers it at both ends, and the gap list of
  // this process says that nobody here has used it.
  const auto gap =
      std::ranges::find_if(gaps_, [&](const Gap& g) { return g.begin <= begin && end <= g.end; });
  if (gap == gaps_.end()) {
    return fail(Code::kRefused, "the peer granted pad at " + std::to_string(begin.value) +
                                    ", below this end's mark " + std::to_string(mark_.mark.value));
  }
  const Gap old = *gap;
  gaps_.erase(gap);
  if (old.begin < begin) gaps_.push_back({old.begin, begin, old.noted});
  if (end < old.end) gaps_.push_back({end, old.end, old.noted});
  return make_reservation(begin, end);
}

Result<> Pool::burn_to(PadOffset mark) {
  const std::lock_guard lock(mutex_);
  if (mark <= mark_.mark) return {};
  if (mark > index_.stream_end) {
    return fail(Code::kOutOfKey, "pool '" + dir_ + "' ends before " + std::to_string(mark.value));
  }
  TRY(write_mark(mark));
  return forget_used();
}

void Pool::record_use(const Use& use) {
  const std::lock_guard lock(mutex_);
  mark_.payload_bytes += use.payload;
  mark_.tag_bytes += use.tag;
  mark_.hash_key_bytes += use.hash_key;
  mark_.bulk_bytes += use.bulk;
}

Result<> Pool::flush_account() {
  const std::lock_guard lock(mutex_);
  return write_mark(mark_.mark);
}

bool Pool::wait_available(std::uint64_t size, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit,
                           [&] { return index_.stream_end.value - mark_.mark.value >= size; });
}

Reservation Pool::make_reservation(PadOffset begin, PadOffset end) {
  Reservation reservation(this, begin, end);
  reservation.token_ = next_token_++;
  live_.emplace(reservation.token_, Range{begin, end});
  return reservation;
}

void Pool::release(std::uint64_t token) {
  const std::lock_guard lock(mutex_);
  live_.erase(token);
  if (const auto forgotten = forget_used(); !forgotten) {
    // The bytes are marked used all the same; forgetting is tried again with the next release.
    return;
  }
}

Result<Pool::Block> Pool::read_block(PadOffset offset) {
  std::shared_ptr<SegmentReader> segment;
  PadOffset base;
  {
    const std::lock_guard lock(mutex_);
    const auto entry = std::ranges::find_if(index_.entries, [&](const SegmentEntry& e) {
      return e.state == SegmentState::kSynced && e.base <= offset && offset < e.end();
    });
    WARIFU_CHECK(entry != index_.entries.end());  // reservations lie inside synced segments
    base = entry->base;
    auto& slot = open_segments_[entry->number.value];
    if (slot == nullptr) {
      TRY_ASSIGN(secret::Buffer key, unwrap_key(*entry));
      TRY_ASSIGN(auto file, system_.files.open(segment_path(entry->number), os::OpenMode::kRead));
      slot = std::make_shared<SegmentReader>(std::move(file), std::move(key), entry->length);
    }
    segment = slot;
  }
  const auto block =
      static_cast<std::uint32_t>((offset.value - base.value) / limits::kSealBlockBytes);
  TRY_ASSIGN(secret::Buffer bytes, segment->read_block(block));
  return Block{std::move(bytes),
               base + ByteCount{static_cast<std::uint64_t>(block) * limits::kSealBlockBytes}};
}

Reservation::Reservation(Reservation&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      at_(other.at_),
      end_(std::exchange(other.end_, other.at_)),
      token_(other.token_),
      block_(std::move(other.block_)),
      block_begin_(other.block_begin_) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  at_ = other.at_;
  end_ = std::exchange(other.end_, other.at_);
  token_ = other.token_;
  block_ = std::move(other.block_);
  block_begin_ = other.block_begin_;
  return *this;
}

Reservation::~Reservation() {
  release();
}

void Reservation::release() {
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->release(token_);
}

Result<secret::Pad> Reservation::take(std::size_t size) {
  WARIFU_CHECK(pool_ != nullptr && size <= remaining());
  secret::Buffer out(size);
  const PadOffset start = at_;
  std::size_t done = 0;
  while (done < size) {
    const bool cached =
        !block_.empty() && block_begin_ <= at_ && at_.value < block_begin_.value + block_.size();
    if (!cached) {
      TRY_ASSIGN(Pool::Block block, pool_->read_block(at_));
      block_ = std::move(block.bytes);
      block_begin_ = block.begin;
    }
    const ByteView rest = block_.bytes().subspan(at_.value - block_begin_.value);
    const std::size_t part = std::min(rest.size(), size - done);
    copy_bytes(out.bytes().subspan(done), rest.first(part));
    done += part;
    at_ = at_ + ByteCount{part};
  }
  if (at_ == end_) {  // its segments may be forgotten now, however long the holder lives
    block_ = secret::Buffer();
    release();
  }
  return secret::Pad(std::move(out), start);
}

}  // namespace warifu::keypool
