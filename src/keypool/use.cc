// Reserving, accepting and taking pad: the mark is durable before the first byte is read.
#include <unistd.h>

#include <algorithm>

#include "base/limits.h"
#include "keypool/pool.h"
#include "keypool/segment.h"

namespace warifu::keypool {
namespace {
// More out-of-order grants than this at once means that the peer is confused; the oldest is burnt.
constexpr std::size_t kMaxGaps = 64;
}  // namespace

int Pool::this_process() {
  return ::getpid();
}

Result<> Pool::write_mark(PadOffset mark) {
  WARIFU_CHECK(process_ == this_process());
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

void Pool::tell(PadOffset begin, PadOffset end, TrailUse use, const JobId& job) {
  if (trail_ == nullptr || begin == end) return;
  trail_->add({system_.clock.now(), begin, end - begin, job, use});
}

Result<Reservation> Pool::reserve(ByteCount size, Purpose purpose, const JobId& job) {
  const std::lock_guard lock(mutex_);
  const bool local = direction() == Direction::kLocal;
  WARIFU_CHECK(local == (purpose == Purpose::kRandom) && direction() != Direction::kSend);
  const std::uint64_t available = index_.stream_end.value - mark_.mark.value;
  const std::uint64_t floor = purpose == Purpose::kControl ? 0 : options_.control_floor_bytes;
  if (available < floor || available - floor < size.value) {
    return fail(Code::kOutOfKey, "pool '" + dir_ + "' has " + std::to_string(available) +
                                     " bytes, wanted " + std::to_string(size.value) +
                                     " above a floor of " + std::to_string(floor));
  }
  const PadOffset begin = mark_.mark;
  TRY(write_mark(begin + size));
  tell(begin, begin + size, static_cast<TrailUse>(purpose), job);
  return make_reservation(begin, begin + size, purpose);
}

Result<Reservation> Pool::accept(PadOffset begin, ByteCount size, Purpose purpose,
                                 const JobId& job) {
  const std::lock_guard lock(mutex_);
  WARIFU_CHECK(direction() == Direction::kSend && process_ == this_process());
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
    tell(begin, end, static_cast<TrailUse>(purpose), job);
    return make_reservation(begin, end, purpose);
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
  tell(begin, end, static_cast<TrailUse>(purpose), job);
  return make_reservation(begin, end, purpose);
}

Result<> Pool::burn_to(PadOffset mark) {
  const std::lock_guard lock(mutex_);
  if (mark <= mark_.mark) return {};
  if (mark > index_.stream_end) {
    return fail(Code::kOutOfKey, "pool '" + dir_ + "' ends before " + std::to_string(mark.value));
  }
  const PadOffset old_mark = mark_.mark;
  TRY(write_mark(mark));
  tell(old_mark, mark, TrailUse::kBurnt, {});
  return forget_used();
}

void Pool::record_use(const Use& use) {
  const std::lock_guard lock(mutex_);
  mark_.payload_bytes += use.payload;
  mark_.tag_bytes += use.tag;
  mark_.hash_key_bytes += use.hash_key;
  mark_.bulk_bytes += use.bulk;
  mark_.share_bytes += use.share;
  mark_.application_bytes += use.application;
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

Reservation Pool::make_reservation(PadOffset begin, PadOffset end, Purpose purpose) {
  Reservation reservation(this, begin, end, purpose);
  reservation.token_ = next_token_++;
  reservation.watcher_ = options_.watcher;
  reservation.process_ = process_;
  live_.emplace(reservation.token_, Range{begin, end});
  return reservation;
}

void Pool::release(std::uint64_t token) {
  if (process_ != this_process()) return;  // a child that ends: the files are the parent's
  const std::lock_guard lock(mutex_);
  live_.erase(token);
  if (const auto forgotten = forget_used(); !forgotten) {
    // The bytes are marked used all the same; forgetting is tried again with the next release.
    return;
  }
}

Result<Pool::Block> Pool::find_block(PadOffset offset) {
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
  const std::size_t length = segment->block_length(block);
  return Block{std::move(segment), block,
               base + ByteCount{static_cast<std::uint64_t>(block) * limits::kSealBlockBytes},
               length};
}

Reservation::Reservation(Reservation&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      first_(other.first_),
      at_(other.at_),
      end_(std::exchange(other.end_, other.at_)),
      purpose_(other.purpose_),
      token_(other.token_),
      watcher_(other.watcher_),
      process_(other.process_),
      block_(std::move(other.block_)),
      block_begin_(other.block_begin_),
      sealed_(std::move(other.sealed_)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  first_ = other.first_;
  at_ = other.at_;
  end_ = std::exchange(other.end_, other.at_);
  purpose_ = other.purpose_;
  token_ = other.token_;
  watcher_ = other.watcher_;
  process_ = other.process_;
  block_ = std::move(other.block_);
  block_begin_ = other.block_begin_;
  sealed_ = std::move(other.sealed_);
  return *this;
}

Reservation::~Reservation() {
  release();
}

void Reservation::release() {
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->release(token_);
}

// A byte that was copied, or whose block could not be opened half-way, is behind at_ for ever.
Result<> Reservation::copy_next(MutableBytes out) {
  WARIFU_CHECK(process_ == Pool::this_process());  // the parent takes the same bytes
  while (!out.empty()) {
    const bool cached =
        !block_.empty() && block_begin_ <= at_ && at_.value < block_begin_.value + block_.size();
    if (!cached) {
      TRY_ASSIGN(const Pool::Block block, pool_->find_block(at_));
      if (block.begin == at_ && block.length <= out.size()) {
        TRY(block.segment->read_block(block.number, sealed_, out.first(block.length)));
        out = out.subspan(block.length);
        at_ = at_ + ByteCount{block.length};
        continue;
      }
      if (block_.size() != block.length) block_ = secret::Buffer(block.length);
      block_begin_ = {UINT64_MAX};  // nothing, until the block is open
      TRY(block.segment->read_block(block.number, sealed_, block_.bytes()));
      block_begin_ = block.begin;
    }
    const ByteView rest = block_.bytes().subspan(at_.value - block_begin_.value);
    const std::size_t part = std::min(rest.size(), out.size());
    copy_bytes(out, rest.first(part));
    out = out.subspan(part);
    at_ = at_ + ByteCount{part};
  }
  if (at_ == end_) {  // its segments may be forgotten now, however long the holder lives
    block_ = secret::Buffer();
    release();
  }
  return {};
}

std::vector<KeyPiece> Pool::pieces(PadOffset begin, PadOffset end) const {
  const std::lock_guard lock(mutex_);
  std::vector<KeyPiece> pieces;
  for (PadOffset at = begin; at < end;) {
    const auto entry = std::ranges::find_if(index_.entries, [&](const SegmentEntry& e) {
      return e.state == SegmentState::kSynced && e.base <= at && at < e.end();
    });
    WARIFU_CHECK(entry != index_.entries.end());  // a live reservation keeps its segments
    const PadOffset stop = std::min(end, entry->end());
    pieces.push_back({entry->number, at - entry->base, stop - at, entry->origin});
    at = stop;
  }
  return pieces;
}

std::vector<KeyPiece> Reservation::pieces() const {
  WARIFU_CHECK(pool_ != nullptr && remaining() > 0);
  return pool_->pieces(at_, end_);
}

Result<> Reservation::keep_in_memory() {
  WARIFU_CHECK(remaining() <= limits::kSealBlockBytes);
  if (remaining() == 0) return {};
  const PadOffset start = at_;
  secret::Buffer rest(remaining());
  TRY(copy_next(rest.bytes()));  // to the end, so the segments are let go
  at_ = start;
  block_ = std::move(rest);
  block_begin_ = start;
  return {};
}

Result<> Reservation::draw(MutableBytes share) {
  const bool behind_key = is_drawn(purpose_) && at_ >= first_ + ByteCount{kShareHashKeyBytes};
  WARIFU_CHECK(pool_ != nullptr && share.size() <= remaining());
  WARIFU_CHECK(behind_key || purpose_ == Purpose::kRandom);
  const PadOffset start = at_;
  TRY(copy_next(share));
  tell_watcher(start);
  return {};
}

void Reservation::tell_watcher(PadOffset begin) const {
  if (watcher_ != nullptr) watcher_->left(begin, at_ - begin, purpose_);
}

Result<secret::Pad> Reservation::take(std::size_t size) {
  WARIFU_CHECK(size <= remaining());
  // What becomes a share must never be a pad as well: the ciphertext would be the secret.
  WARIFU_CHECK(purpose_ != Purpose::kRandom);
  WARIFU_CHECK(!is_drawn(purpose_) || (at_ == first_ && size == kShareHashKeyBytes));
  secret::Buffer out(size);
  const PadOffset start = at_;
  TRY(copy_next(out.bytes()));
  tell_watcher(start);
  return secret::Pad(std::move(out), start);
}

}  // namespace warifu::keypool
