// Buckets of quotas and their file; pauses are switches.
#include "kme/sae_gate.h"

#include <algorithm>

#include "base/units.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr double kHour = 3600;
constexpr double kAheadParts = 64;  // of a quota are charged at a time: as many writes an hour
constexpr std::uint64_t kMaxFile = 1 << 20;
constexpr std::size_t kMaxName = 128;
constexpr std::string_view kGateMagic = "WRFQUOT1";

}  // namespace

Result<std::unique_ptr<SaeGate>> SaeGate::open(os::System system, Switches& switches,
                                               std::string quotas, const SaeSettings& settings) {
  std::unique_ptr<SaeGate> gate(new SaeGate(system, switches, std::move(quotas)));
  const auto now = system.clock.monotonic();
  for (const SaeEntry& sae : settings.saes) {
    if (sae.quota == 0) continue;
    const auto most = static_cast<double>(sae.quota);
    gate->buckets_[sae.id] = {.most = most, .left = most, .filled = now};
  }
  if (system.files.exists(gate->file_)) TRY(gate->read());
  return gate;
}

// What has been filled in since it was written is counted by the clock of the day; one that went
// back fills nothing.
Result<> SaeGate::read() {
  const auto damaged = [&] {
    return fail(Code::kCorrupt, "the record of quotas '" + file_ + "' is damaged");
  };
  TRY_ASSIGN(const Bytes bytes, os::read_file(system_.files, file_, kMaxFile));
  const auto body = wire::before_checksum(bytes);
  if (!body) return damaged();
  wire::Reader reader(*body, "record of quotas");
  if (as_text(reader.raw(kGateMagic.size())) != kGateMagic) return damaged();
  const os::UnixMs now = system_.clock.now();
  const std::uint16_t count = reader.u16();
  for (std::uint16_t i = 0; i < count && reader.good(); ++i) {
    const auto stood = static_cast<double>(reader.u64());
    const os::UnixMs then{reader.i64()};
    const auto found = buckets_.find(reader.text(kMaxName));
    if (found == buckets_.end()) continue;  // it has no quota any more
    Bucket& bucket = found->second;
    const double seconds =
        now.value > then.value
            ? (static_cast<double>(now.value) - static_cast<double>(then.value)) / 1e3
            : 0;
    bucket.left = std::min(bucket.most, stood + seconds * bucket.most / kHour);
  }
  if (!reader.finish()) return damaged();
  return {};
}

Result<> SaeGate::write() const {
  wire::Writer writer;
  writer.raw(as_bytes(kGateMagic));
  writer.u16(static_cast<std::uint16_t>(buckets_.size()));
  for (const auto& [sae, bucket] : buckets_) {
    writer.u64(static_cast<std::uint64_t>(std::max(0.0, left(bucket) - bucket.ahead)));
    writer.i64(system_.clock.now().value);
    writer.text(sae);
  }
  writer.checksum();
  return os::replace_file(system_.files, file_, writer.take());
}

Result<> SaeGate::settle() {
  const std::lock_guard lock(mutex_);
  if (buckets_.empty()) return {};
  for (auto& [sae, bucket] : buckets_) bucket.ahead = 0;
  return write();
}

Result<> SaeGate::check_sae(const std::string& sae) const {
  if (!is_sae_paused(sae)) return {};
  return fail(Code::kUnavailable, "SAE " + sae + " is paused");
}

Result<> SaeGate::check_link(const SiteName& peer) const {
  if (!is_link_paused(peer)) return {};
  return fail(Code::kUnavailable, "applications' use of the link to " + peer.text() + " is paused");
}

double SaeGate::left(const Bucket& bucket) const {
  const double seconds =
      std::chrono::duration<double>(system_.clock.monotonic() - bucket.filled).count();
  return std::min(bucket.most, bucket.left + seconds * bucket.most / kHour);
}

Result<> SaeGate::charge(const std::string& sae, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(sae);
  if (found == buckets_.end()) return {};
  Bucket& bucket = found->second;
  const double now = left(bucket);
  const auto cost = static_cast<double>(bytes);
  if (now < cost) {
    return fail(Code::kOutOfKey,
                "the quota of SAE " + sae + ", " +
                    human_bytes(static_cast<std::uint64_t>(bucket.most)) + " an hour, has " +
                    std::to_string(static_cast<std::uint64_t>(now)) + " bytes left");
  }
  const Bucket before = bucket;
  bucket.left = now - cost;
  bucket.filled = system_.clock.monotonic();
  if (cost <= bucket.ahead) {
    bucket.ahead -= cost;
    return {};
  }
  bucket.ahead = std::min(bucket.left, bucket.most / kAheadParts);
  const Result<> written = write();
  if (!written) bucket = before;
  return written;
}

void SaeGate::refund(const std::string& sae, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(sae);
  if (found == buckets_.end()) return;
  Bucket& bucket = found->second;
  bucket.left = std::min(bucket.most, left(bucket) + static_cast<double>(bytes));
  bucket.filled = system_.clock.monotonic();
  // It is charged in the file still.
  bucket.ahead = std::min(bucket.left, bucket.ahead + static_cast<double>(bytes));
}

std::optional<SaeGate::Quota> SaeGate::quota(const std::string& sae) const {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(sae);
  if (found == buckets_.end()) return std::nullopt;
  return Quota{static_cast<std::uint64_t>(found->second.most),
               static_cast<std::uint64_t>(left(found->second))};
}

bool SaeGate::is_sae_paused(const std::string& sae) const {
  return switches_.is_off(SwitchKind::kSae, sae);
}

bool SaeGate::is_link_paused(const SiteName& peer) const {
  return switches_.is_off(SwitchKind::kApplications, peer.text());
}

}  // namespace warifu::kme
