// What the driver of the simulated pair does, one drawn step at a time.
#include <algorithm>

#include "testing/two_pools.h"

namespace warifu::sim {

using keypool::Direction;
using keypool::Origin;
using keypool::Pool;
using keypool::Purpose;

End* TwoPools::live(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count && tx_.pool && rx_.pool; ++i) {
    try {
      step();
    } catch (const SimCrash&) {  // dead() below tells whose it was
    } catch (const SimAbort&) {
    }
    if (tx_.disk->dead()) return &tx_;
    if (rx_.disk->dead()) return &rx_;
  }
  return nullptr;
}

void TwoPools::step() {
  const std::uint64_t draw = dice_.below(32);
  if (draw < 4)
    grow();
  else if (draw < 10)
    grant();
  else if (draw < 17)
    deliver();
  else if (draw < 25)
    take();
  else if (draw < 28)
    release();
  else if (draw < 29)
    burn();
  else if (draw < 30)
    (void)repair();
  else
    restart(dice_.one_in(2) ? tx_ : rx_);
  clock_.advance(std::chrono::milliseconds(1));
}

void TwoPools::grow() {
  const SegmentNumber number = std::max(tx_.pool->next_segment(), rx_.pool->next_segment());
  Bytes material(dice_.between(1, rules_.largest_segment));
  dice_.fill(material);
  const bool tx_first = dice_.one_in(2);
  if (!(tx_first ? tx_ : rx_).pool->ingest(number, Origin::kPreshared, material)) return;
  const bool differs = dice_.one_in(16);
  if (differs) material.back() ^= 1;
  if (!(tx_first ? rx_ : tx_).pool->ingest(number, Origin::kPreshared, material)) return;
  sync_pair(number);
}

void TwoPools::sync_pair(SegmentNumber number) {
  const auto here = tx_.pool->read_ingested(number);
  const auto there = rx_.pool->read_ingested(number);
  if (!here || !there) return;
  if (!std::ranges::equal(here->bytes(), there->bytes())) {
    (void)tx_.pool->quarantine(number);
    (void)rx_.pool->quarantine(number);
    return;
  }
  const PadOffset base = tx_.pool->status().synced_end;
  if (rx_.pool->status().synced_end != base) return;
  WARIFU_CHECK(base.value <= stream_.size());
  // A place whose first attempt failed may go to other bytes, unless some of them were taken.
  const auto known = ByteView(stream_).subspan(base.value);
  const bool same =
      known.size() >= here->size() && std::ranges::equal(known.first(here->size()), here->bytes());
  if (!same) {
    if (std::max(tx_.taken.size(), rx_.taken.size()) > base.value) ++violations_.wrong;
    stream_.resize(base.value);
    stream_.insert(stream_.end(), here->bytes().begin(), here->bytes().end());
  }
  if (!tx_.pool->mark_synced(number, base)) return note(tx_);
  note(tx_);
  (void)rx_.pool->mark_synced(number, base);
  note(rx_);
}

void TwoPools::grant() {
  // A third become shares.
  const bool share = dice_.one_in(3);
  const Purpose purpose = share ? Purpose::kShare : Purpose::kControl;
  const ByteCount size{(share ? keypool::kShareHashKeyBytes : 0) + dice_.between(1, 120)};
  const keypool::PoolStatus status = rx_.pool->status();
  if (status.mark + size <= status.synced_end) {
    rx_.asked_mark = std::max(rx_.asked_mark, (status.mark + size).value);
  }
  auto reserved = rx_.pool->reserve(size, purpose);
  note(rx_);
  if (!reserved) return;
  const std::uint64_t id = next_grant_++;
  told_.push_back({id, reserved->begin(), size, purpose});
  rx_.held.push_back({std::move(*reserved), id, purpose});
}

void TwoPools::deliver() {
  if (told_.empty()) return;
  // Mostly one of the last few; sometimes any, which may have been accepted long ago.
  const std::size_t recent =
      dice_.one_in(4) ? told_.size() : std::min<std::size_t>(4, told_.size());
  const Grant grant = told_[told_.size() - 1 - dice_.below(recent)];
  if (rules_.draws_unaccepted && grant.purpose == Purpose::kShare) {
    const bool there = grant.begin.value + grant.size.value <= stream_.size();
    if (there && accepted_.insert(grant.id).second) {
      record(tx_, grant.begin, ByteView(stream_).subspan(grant.begin.value, grant.size.value));
    }
    return;
  }
  tx_.asked_mark = std::max(tx_.asked_mark, (grant.begin + grant.size).value);
  auto accepted = tx_.pool->accept(grant.begin, grant.size, grant.purpose);
  note(tx_);
  if (!accepted) {
    if (accepted.error().code == Code::kRefused) ++refusals_;
    return;
  }
  accepted_.insert(grant.id);
  tx_.held.push_back({std::move(*accepted), grant.id, grant.purpose});
}

void TwoPools::take() {
  End& end = dice_.one_in(2) ? tx_ : rx_;
  if (end.held.empty()) return;
  End::Held& held = end.held[dice_.below(end.held.size())];
  const std::uint64_t rest = held.reservation.remaining();
  if (rest == 0) return;
  if (!rules_.takes_unaccepted && !accepted_.contains(held.grant)) return;
  take_from(end, held.reservation, dice_.one_in(2) ? rest : dice_.between(1, rest), held.purpose);
}

void TwoPools::quiet(End& end, const std::function<void()>& action) {
  {
    const SimDisk::Quiet quiet(*end.disk);
    action();
  }
  if (end.disk->dead()) throw SimCrash{};
}

void TwoPools::release() {
  End& end = dice_.one_in(2) ? tx_ : rx_;
  if (end.held.empty()) return;
  const std::size_t at = dice_.below(end.held.size());
  quiet(end, [&] {
    std::swap(end.held[at], end.held.back());
    end.held.pop_back();
  });
}

void TwoPools::burn() {
  if (dice_.one_in(2)) return catch_up(tx_, rx_);
  if (dice_.one_in(2)) return catch_up(rx_, tx_);
  End& end = dice_.one_in(2) ? tx_ : rx_;
  end.pool->record_use({.payload = 2, .tag = 1});
  (void)end.pool->flush_account();
}

void TwoPools::restart(End& end) {
  quiet(end, [&] {
    end.held.clear();
    end.pool.reset();
  });
  auto pool = Pool::open(system(end), folder(end), root_key(), {.control_floor_bytes = 0});
  if (!pool) {
    if (end.disk->faults_met() == 0) ++violations_.refused;
    return;
  }
  end.pool = std::move(*pool);
  if (end.pool->status().mark.value < end.told_mark) ++violations_.mark_back;
  note(end);
  (void)repair();
}

}  // namespace warifu::sim
