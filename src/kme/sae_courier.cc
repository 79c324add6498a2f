// Leading a batch: cutting, drawing, telling.
#include "kme/sae_courier.h"

#include <algorithm>

#include "base/limits.h"
#include "base/log.h"

namespace warifu::kme {
namespace {

constexpr std::uint64_t kLeastBlock = 64 << 10;
constexpr std::uint64_t kLargestBlock = limits::kMaxFramePayload;
// Blocks double when they last shorter than this, so that a quiet link loses little at a crash.
constexpr std::chrono::seconds kBlockShouldLast(2);
constexpr std::size_t kMaxBatchOrders = 512;
constexpr std::uint64_t kMaxBatchBytes = 1 << 20;
// Pad that a draw takes beyond its bytes, with some for the messages around it.
constexpr std::uint64_t kDrawOverhead = 1024;

std::uint64_t whole_tags(std::uint64_t bytes) {
  return (bytes + 15) / 16 * 16;
}

}  // namespace

Error trouble_of_sites(Error error) {
  if (error.code != Code::kOutOfKey) error.code = Code::kUnavailable;
  return error;
}

SaeCourier::SaeCourier(os::System system, Link& link, SaeCarrier& carrier)
    : system_(system),
      link_(link),
      carrier_(carrier),
      incarnation_(os::random_id<OrderId>(system.random)),
      job_(os::random_id<JobId>(system.random)),
      block_bytes_(kLeastBlock) {}

Result<secret::Buffer> SaeCourier::place(Order order) {
  Waiting mine{.order = std::move(order), .keys = {}, .result = {}};
  std::unique_lock lock(mutex_);
  queue_.push_back(&mine);
  while (!mine.done) {
    if (leading_) {
      changed_.wait(lock);
      continue;
    }
    leading_ = true;
    const std::vector<Waiting*> batch = next_batch();
    lock.unlock();
    serve(batch);
    lock.lock();
    for (Waiting* waiting : batch) waiting->done = true;
    rests_ = shelf_.rests();
    leading_ = false;
    changed_.notify_all();
  }
  if (!mine.result) return std::unexpected(trouble_of_sites(mine.result.error()));
  return std::move(mine.keys);
}

std::vector<SaeCourier::Waiting*> SaeCourier::next_batch() {
  std::vector<Waiting*> batch;
  std::uint64_t bytes = 0;
  while (!queue_.empty() && batch.size() < kMaxBatchOrders) {
    bytes += queue_.front()->order.bytes();
    if (!batch.empty() && bytes > kMaxBatchBytes) break;
    batch.push_back(queue_.front());
    queue_.pop_front();
  }
  return batch;
}

void SaeCourier::serve(const std::vector<Waiting*>& batch) {
  Result<> told;
  // Twice: a far end that was restarted does not know our blocks any more.
  for (int attempt = 0; attempt < 2; ++attempt) {
    told = try_batch(batch);
    if (told || told.error().code != Code::kNotFound) break;
    log_info("link to " + link_.peer().text() + ": new blocks of key for applications");
    shelf_.clear();
  }
  if (told) return;
  for (Waiting* waiting : batch) {
    waiting->keys = secret::Buffer();
    if (waiting->result) waiting->result = told;
  }
}

Result<> SaeCourier::try_batch(const std::vector<Waiting*>& batch) {
  Assignment assignment{.batch = os::random_id<OrderId>(system_.random), .orders = {}};
  for (Waiting* waiting : batch) {
    waiting->result = cut(*waiting);
    if (waiting->result) assignment.orders.push_back(waiting->order);
  }
  if (assignment.orders.empty()) return {};
  return carrier_.tell(link_.peer(), SaeMethod::kAssign, encode(assignment), {});
}

Result<> SaeCourier::cut(Waiting& waiting) {
  Order& order = waiting.order;
  order.pieces.clear();
  for (;;) {
    const std::uint64_t keys = shelf_.keys_left(order.key_bytes);
    if (keys >= order.keys) break;
    TRY(draw((order.keys - keys) * order.key_bytes));
  }
  waiting.keys = secret::Buffer(order.bytes());
  order.pieces = shelf_.cut(order.key_bytes, waiting.keys.bytes());
  return {};
}

// Draws a block, of `needed` bytes at least unless that is more than one block.
Result<> SaeCourier::draw(std::uint64_t needed) {
  const auto now = system_.clock.monotonic();
  const bool quick = last_draw_.count() != 0 && now - last_draw_ < kBlockShouldLast;
  block_bytes_ = quick ? std::min(block_bytes_ * 2, kLargestBlock) : kLeastBlock;
  last_draw_ = now;
  const std::uint64_t there = drawable();
  if (there < needed) {
    return fail(Code::kOutOfKey, "the link to " + link_.peer().text() + " has " +
                                     std::to_string(there) + " bytes of key for applications");
  }
  const std::uint64_t least = whole_tags(std::min(needed, kLargestBlock));
  const std::uint64_t wanted = std::max(least, std::min(whole_tags(block_bytes_), there / 16 * 16));
  const BlockHead head{incarnation_, os::random_id<BlockId>(system_.random)};
  auto bytes = carrier_.draw(link_.peer(), head, wanted);
  if (!bytes && bytes.error().code == Code::kOutOfKey && wanted > least) {
    bytes = carrier_.draw(link_.peer(), head, least);  // the far end may count less than we do
  }
  if (!bytes) return std::unexpected(bytes.error());
  shelf_.put(head.block, std::move(*bytes));
  return {};
}

std::uint64_t SaeCourier::drawable() const {
  const std::uint64_t there = link_.drawable(job_);
  return there > kDrawOverhead ? there - kDrawOverhead : 0;
}

std::uint64_t SaeCourier::available() const {
  return keys_available(1);
}

std::uint64_t SaeCourier::keys_available(std::uint64_t key_bytes) const {
  std::uint64_t keys = drawable() / key_bytes;
  const std::lock_guard lock(mutex_);
  for (const std::uint64_t rest : rests_) keys += rest / key_bytes;
  return keys;
}

}  // namespace warifu::kme
