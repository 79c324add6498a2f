// Taking from the random pool, and falling back to the generator where that is allowed.
#include "kme/random_source.h"

#include <algorithm>

#include "base/limits.h"
#include "base/log.h"

namespace warifu::kme {
namespace {

constexpr std::uint64_t kHeldBytes = 8 << 20;        // reserved at a time: one sync for each
constexpr std::chrono::seconds kSourcePatience(30);  // without a byte from the sources

keypool::Entropy origins_of(const keypool::Reservation& range, std::uint64_t size) {
  keypool::Entropy entropy;
  for (const keypool::KeyPiece& piece : range.pieces()) {
    entropy.origins.insert(piece.origin);
    if (piece.length.value >= size) break;
    size -= piece.length.value;
  }
  return entropy;
}

}  // namespace

Result<RandomFrom> parse_random_from(std::string_view text) {
  if (text == "kernel") return RandomFrom::kKernel;
  if (text == "pool") return RandomFrom::kPool;
  if (text == "pool-or-kernel") return RandomFrom::kPoolOrKernel;
  return fail(Code::kInvalidArgument, "random source '" + std::string(text) +
                                          "' must be \"kernel\", \"pool\" or \"pool-or-kernel\"");
}

std::string_view random_from_name(RandomFrom from) {
  switch (from) {
    case RandomFrom::kKernel: return "kernel";
    case RandomFrom::kPool: return "pool";
    case RandomFrom::kPoolOrKernel: return "pool-or-kernel";
    case RandomFrom::kSources: return "sources";
  }
  return "unknown";
}

std::string_view random_use_name(RandomUse use) {
  switch (use) {
    case RandomUse::kSharing: return "sharing";
    case RandomUse::kApplications: return "applications";
    case RandomUse::kRelaying: return "relaying";
  }
  return "unknown";
}

Result<keypool::Origin> parse_random_origin(std::string_view text) {
  if (text == "hardware") return keypool::Origin::kHardware;
  if (text == "preshared") return keypool::Origin::kPreshared;
  return fail(Code::kInvalidArgument, "origin '" + std::string(text) +
                                          "' must be \"hardware\" (a physical source) or "
                                          "\"preshared\" (a generator made the file)");
}

RandomSource::RandomSource(os::System system, std::string dir, RandomFrom from)
    : system_(system),
      dir_(std::move(dir)),
      from_(from),
      generator_([&random = system.random](MutableBytes out) { random.fill(out); }) {}

RandomSource::~RandomSource() {
  if (pool_ == nullptr) return;
  if (auto flushed = pool_->flush_account(); !flushed) log_warning(flushed.error().message);
}

Result<std::unique_ptr<RandomSource>> RandomSource::open(os::System system, const std::string& dir,
                                                         ByteView root_key, RandomFrom from,
                                                         std::chrono::milliseconds sweep_after) {
  std::unique_ptr<RandomSource> source(new RandomSource(system, dir + "/pools/random", from));
  source->sweep_after_ = sweep_after;
  source->root_key_ = secret::Buffer::copy_of(root_key);
  if (system.files.exists(source->dir_ + "/identity")) TRY(source->open_pool(root_key));
  return source;
}

Result<> RandomSource::open_pool(ByteView root_key) {
  TRY_ASSIGN(pool_, keypool::Pool::open(system_, dir_, root_key,
                                        {.control_floor_bytes = 0, .sweep_after = sweep_after_}));
  if (pool_->direction() != keypool::Direction::kLocal) {
    return fail(Code::kCorrupt, "'" + dir_ + "' holds the pool of a link, not random bytes");
  }
  for (const auto& entry : pool_->segments()) {  // of an import that a crash cut short
    if (entry.state == keypool::SegmentState::kIngested) TRY(pool_->discard(entry.number));
  }
  return {};
}

std::uint64_t RandomSource::available() const {
  return (pool_ == nullptr ? 0 : pool_->status().available_bytes) + held_.remaining();
}

Result<> RandomSource::wait_for_sources(std::uint64_t size, std::unique_lock<std::mutex>& lock) {
  ++waiting_;
  std::uint64_t last = 0;
  Result<> done;
  for (;;) {
    const std::uint64_t now = available();
    if (stopping_) {
      done = fail(Code::kCancelled, "the site stops");
    } else if (supply_ && !*supply_ && (now < size || supply_->error().code == Code::kRefused)) {
      done = fail_in("random numbers", supply_->error());
    } else if (!supply_ || now < size) {
      last = now;
      if (changed_.wait_for(lock, kSourcePatience) == std::cv_status::timeout &&
          available() == last) {
        done = fail(Code::kOutOfKey, "random numbers: the sources gave nothing for " +
                                         std::to_string(kSourcePatience.count()) + " s");
      } else {
        continue;
      }
    }
    --waiting_;
    return done;
  }
}

Result<keypool::Entropy> RandomSource::take_from_pool(MutableBytes out) {
  if (available() < out.size()) {
    return fail(Code::kOutOfKey, "the random pool holds " + std::to_string(available()) +
                                     " bytes, " + std::to_string(out.size()) + " are needed");
  }
  keypool::Entropy entropy;
  while (!out.empty()) {
    if (held_.remaining() == 0) {
      const std::uint64_t size = std::min(kHeldBytes, pool_->status().available_bytes);
      TRY_ASSIGN(held_, pool_->reserve({size}, keypool::Purpose::kRandom));
    }
    const std::size_t part = std::min<std::size_t>(out.size(), held_.remaining());
    entropy.add(origins_of(held_, part));
    TRY(held_.draw(out.first(part)));
    pool_->record_use({.share = part});
    out = out.subspan(part);
  }
  return entropy;
}

RandomFrom RandomSource::from(RandomUse use) const {
  const bool fixed = from_ == RandomFrom::kSources || switches_ == nullptr;
  if (fixed) return from_;
  const auto found = switches_->find(SwitchKind::kRandom, std::string(random_use_name(use)));
  if (!found) return from_;
  switch (found->value) {
    case SwitchValue::kFromKernel: return RandomFrom::kKernel;
    case SwitchValue::kFromPool: return RandomFrom::kPool;
    case SwitchValue::kFromPoolOrKernel: return RandomFrom::kPoolOrKernel;
    default: return from_;
  }
}

Result<keypool::Entropy> RandomSource::fill(MutableBytes out, RandomUse use) {
  if (out.empty()) return keypool::Entropy{};
  const RandomFrom from = this->from(use);
  std::unique_lock lock(mutex_);
  if (from == RandomFrom::kSources) TRY(wait_for_sources(out.size(), lock));
  if (from != RandomFrom::kKernel) {
    auto taken = take_from_pool(out);
    const bool may_generate =
        from == RandomFrom::kPoolOrKernel && !taken && taken.error().code == Code::kOutOfKey;
    if (!may_generate) return taken;
  }
  generator_.fill(out);
  return keypool::Entropy{{keypool::Origin::kKernelGenerator}};
}

Result<std::uint64_t> RandomSource::import(const std::string& path, keypool::Origin origin) {
  TRY_ASSIGN(const auto file, system_.files.open(path, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size == 0) return fail(Code::kInvalidArgument, "'" + path + "' is empty");
  const std::lock_guard lock(mutex_);
  TRY(make_pool());
  for (std::uint64_t at = 0; at < size;) {
    secret::Buffer piece(std::min<std::uint64_t>(limits::kSegmentBytes, size - at));
    TRY(file->read_exact_at(at, piece.bytes()));
    TRY(take_in(origin, piece.bytes(), 0));
    at += piece.size();
  }
  changed_.notify_all();
  return size;
}

Result<> RandomSource::make_pool() {
  if (pool_ != nullptr) return {};
  if (!system_.files.exists(dir_ + "/identity")) {
    TRY(keypool::Pool::create(system_, dir_, LinkId{}, keypool::Direction::kLocal,
                              root_key_.bytes()));
  }
  return open_pool(root_key_.bytes());
}

Result<> RandomSource::take_in(keypool::Origin origin, ByteView bytes, std::uint16_t parts) {
  const SegmentNumber number = pool_->next_segment();
  TRY(pool_->ingest(number, origin, bytes, parts));
  return pool_->mark_synced(number, pool_->status().synced_end);
}

Result<> RandomSource::add(const entropy::Batch& batch) {
  WARIFU_CHECK(from_ == RandomFrom::kSources && !batch.bytes.empty());
  const std::lock_guard lock(mutex_);
  TRY(make_pool());
  TRY(take_in(batch.claim, batch.bytes.bytes(), batch.parts));
  changed_.notify_all();
  return {};
}

void RandomSource::note_supply(const Result<>& supply) {
  const std::lock_guard lock(mutex_);
  supply_ = supply;
  changed_.notify_all();
}

bool RandomSource::is_awaited() const {
  const std::lock_guard lock(mutex_);
  return waiting_ > 0;
}

void RandomSource::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

RandomSource::Status RandomSource::status() const {
  const std::lock_guard lock(mutex_);
  Status status{.from = from_};
  if (supply_ && !*supply_) status.problem = supply_->error().message;
  if (pool_ == nullptr) return status;
  const keypool::PoolStatus pool = pool_->status();
  status.available_bytes = pool.available_bytes + held_.remaining();
  status.used_bytes = pool.share_bytes;
  status.origins = pool.origins;
  for (const auto& entry : pool_->segments()) {
    const auto parts = keypool::Entropy::from_bits(entry.parts).origins;
    status.parts.insert(parts.begin(), parts.end());
  }
  return status;
}

}  // namespace warifu::kme
