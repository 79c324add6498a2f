// Recovery, repair and the ledger of the simulated pair; the drawn steps are in two_pools_steps.cc.
#include "testing/two_pools.h"

#include <algorithm>

namespace warifu::sim {

using keypool::Direction;
using keypool::Pool;
using keypool::Purpose;
using keypool::Reservation;
using keypool::SegmentEntry;
using keypool::SegmentState;

namespace {
constexpr keypool::PoolOptions kNoFloor{.control_floor_bytes = 0};  // these pools are smaller
}

Violations& Violations::operator+=(const Violations& other) {
  overlaps += other.overlaps;
  wrong += other.wrong;
  mark_back += other.mark_back;
  lost += other.lost;
  wasted += other.wasted;
  refused += other.refused;
  return *this;
}

std::string TwoPools::folder(const End& end) {
  return end.direction == Direction::kSend ? "/site/tx" : "/site/rx";
}

ByteView TwoPools::root_key() {
  static const Bytes key(crypto::kSealKeyBytes, 3);
  return key;
}

TwoPools::TwoPools(const Rules& rules) : rules_(rules), dice_(rules.seed), random_(~rules.seed) {
  tx_.direction = Direction::kSend;
  rx_.direction = Direction::kReceive;
  create(tx_);
  create(rx_);
}

TwoPools::TwoPools(const TwoPools& other, std::uint64_t seed)
    : rules_(other.rules_),
      dice_(seed),
      random_(~seed),
      stream_(other.stream_),
      told_(other.told_),
      accepted_(other.accepted_),
      next_grant_(other.next_grant_) {
  for (const auto& [mine, its] : {std::pair{&tx_, &other.tx_}, std::pair{&rx_, &other.rx_}}) {
    mine->disk = its->disk->crash_image(dice_.next());
    mine->direction = its->direction;
    mine->taken = its->taken;
    mine->told_mark = its->told_mark;
    mine->told_end = its->told_end;
    mine->asked_mark = its->asked_mark;
  }
}

TwoPools::~TwoPools() {
  bury(tx_);
  bury(rx_);
}

void TwoPools::create(End& end) {
  end.disk = std::make_unique<SimDisk>();
  WARIFU_CHECK(end.disk->make_directories("/site").has_value());
  end.disk->sync_dir("/");
  WARIFU_CHECK(Pool::create({*end.disk, clock_, random_}, folder(end),
                            LinkId::from_view(Bytes(16, 9)), end.direction, root_key())
                   .has_value());
  end.disk->sync_dir("/site");
  end.disk->lie(rules_.lies);
  if (rules_.bends.any()) end.bent = bent_files(*end.disk, rules_.bends);
  auto pool = Pool::open(system(end), folder(end), root_key(), kNoFloor);
  WARIFU_CHECK(pool.has_value());
  end.pool = std::move(*pool);
}

void TwoPools::bury(End& end) {
  if (end.disk) end.disk->power_off();
  end.held.clear();
  end.pool.reset();
  end.bent.reset();
}

bool TwoPools::recover(End& end, std::unique_ptr<SimDisk> image, int nested,
                       std::uint64_t first_at) {
  for (;; --nested) {
    ++states_;
    bury(end);
    end.disk = std::move(image);
    if (rules_.bends.any()) end.bent = bent_files(*end.disk, rules_.bends);
    const std::uint64_t at = std::exchange(first_at, 0);
    if (nested > 0) end.disk->crash_at(at > 0 ? at : dice_.between(1, 8));
    try {
      auto pool = Pool::open(system(end), folder(end), root_key(), kNoFloor);
      end.disk->clear_faults();
      if (!pool) {
        ++violations_.refused;
        return false;
      }
      end.pool = std::move(*pool);
    } catch (const SimCrash&) {
      image = end.disk->crash_image(dice_.next());
      continue;
    }
    const keypool::PoolStatus status = end.pool->status();
    if (status.mark.value < end.told_mark) ++violations_.mark_back;
    if (status.mark.value > end.asked_mark) ++violations_.wasted;
    if (status.synced_end.value < end.told_end) ++violations_.lost;
    note(end);
    return true;
  }
}

void TwoPools::note(End& end) {
  const keypool::PoolStatus status = end.pool->status();
  end.told_mark = std::max(end.told_mark, status.mark.value);
  end.told_end = std::max(end.told_end, status.synced_end.value);
}

void TwoPools::record(End& end, PadOffset begin, ByteView bytes) {
  const std::uint64_t last = begin.value + bytes.size();
  if (end.taken.size() < last) end.taken.resize(last);
  bool again = false;
  for (std::uint64_t at = begin.value; at < last; ++at) {
    again = again || end.taken[at];
    end.taken[at] = true;
  }
  if (again) ++violations_.overlaps;
  if (last > stream_.size() ||
      !std::ranges::equal(ByteView(stream_).subspan(begin.value, bytes.size()), bytes)) {
    ++violations_.wrong;
  }
  bytes_taken_ += bytes.size();
}

// Pads in one take; shares as hash key and rest.
void TwoPools::take_from(End& end, Reservation& reservation, std::size_t size, Purpose purpose) {
  const PadOffset begin = reservation.begin();
  Bytes bytes(size);
  Result<> taken;
  if (purpose == Purpose::kShare && !reservation.is_at_start()) {
    taken = reservation.draw(bytes);
  } else {
    if (purpose == Purpose::kShare) bytes.resize(keypool::kShareHashKeyBytes);
    auto pad = reservation.take(bytes.size());
    if (pad) {
      copy_bytes(bytes, pad->bytes());
    } else {
      taken = std::unexpected(pad.error());
    }
  }
  if (taken) {
    record(end, begin, bytes);
    return;
  }
  if (end.disk->faults_met() == 0 && !end.disk->dead()) ++violations_.lost;
  // A window whose hash key could not be read is given up, as channel/drawn.cc does.
  if (purpose == Purpose::kShare) reservation = Reservation();
}

// --- after a crash ------------------------------------------------------------------------------

bool TwoPools::repair() {
  Pool& tx = *tx_.pool;
  Pool& rx = *rx_.pool;
  const auto entry_of = [](const Pool& pool, SegmentNumber number) {
    for (SegmentEntry& entry : pool.segments()) {
      if (entry.number == number) return std::optional(std::move(entry));
    }
    return std::optional<SegmentEntry>();
  };
  for (Pool* ahead : {&tx, &rx}) {  // what one end has confirmed, the other confirms too
    Pool& behind = ahead == &tx ? rx : tx;
    for (const SegmentEntry& entry : ahead->segments()) {
      const auto there = entry_of(behind, entry.number);
      if (entry.state != SegmentState::kSynced || !there) continue;
      if (there->state == SegmentState::kIngested)
        (void)behind.mark_synced(entry.number, entry.base);
    }
  }
  for (Pool* pool : {&tx, &rx}) {
    Pool& peer = pool == &tx ? rx : tx;
    for (const SegmentEntry& entry : pool->segments()) {
      if (entry.state == SegmentState::kSynced) continue;
      const auto there = entry_of(peer, entry.number);
      if (entry.state == SegmentState::kQuarantined || !there) {
        (void)pool->discard(entry.number);
      } else if (there->state == SegmentState::kIngested) {
        sync_pair(entry.number);
      }
    }
  }
  note(tx_);
  note(rx_);
  return tx.status().synced_end == rx.status().synced_end;
}

void TwoPools::catch_up(End& behind, const End& ahead) {
  const PadOffset mark = ahead.pool->status().mark;
  behind.asked_mark = std::max(behind.asked_mark, mark.value);
  (void)behind.pool->burn_to(mark);
  note(behind);
}

void TwoPools::drain() {
  if (!tx_.pool || !rx_.pool || !repair()) return;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const keypool::PoolStatus status = rx_.pool->status();
    const ByteCount rest = status.synced_end - status.mark;
    if (rest.value == 0) return;
    rx_.asked_mark = std::max(rx_.asked_mark, status.synced_end.value);
    auto reserved = rx_.pool->reserve(rest, Purpose::kControl);
    if (!reserved) {
      ++violations_.lost;
      return;
    }
    tx_.asked_mark = std::max(tx_.asked_mark, status.synced_end.value);
    auto accepted = tx_.pool->accept(reserved->begin(), rest);
    if (accepted) {
      take_from(tx_, *accepted, rest.value, Purpose::kControl);
      take_from(rx_, *reserved, rest.value, Purpose::kControl);
      return;
    }
    ++refusals_;
    catch_up(rx_, tx_);
  }
}

void TwoPools::drain_alone(End& end) {
  const keypool::PoolStatus status = end.pool->status();
  if (status.synced_end > status.mark) {
    const ByteCount rest = status.synced_end - status.mark;
    auto got = end.direction == Direction::kReceive ? end.pool->reserve(rest, Purpose::kControl)
                                                    : end.pool->accept(status.mark, rest);
    if (got) {
      take_from(end, *got, rest.value, Purpose::kControl);
    } else {
      ++violations_.lost;
    }
    end.disk->power_off();  // nothing after this is of interest
  }
  bury(end);
}

void TwoPools::check_image(const End& end, std::unique_ptr<SimDisk> image, int nested,
                           std::uint64_t first_at) {
  End probe;
  probe.direction = end.direction;
  probe.taken = end.taken;
  probe.told_mark = end.told_mark;
  probe.told_end = end.told_end;
  probe.asked_mark = end.asked_mark;
  if (recover(probe, std::move(image), nested, first_at)) drain_alone(probe);
}

}  // namespace warifu::sim
