// The file of pauses is text, a line each: "sae ID" or "link SITE".
#include "kme/sae_gate.h"

#include <algorithm>

#include "base/units.h"

namespace warifu::kme {
namespace {

constexpr double kHour = 3600;
constexpr std::uint64_t kMaxFile = 1 << 20;
constexpr std::string_view kSae = "sae ";
constexpr std::string_view kLink = "link ";

}  // namespace

Result<std::unique_ptr<SaeGate>> SaeGate::open(os::System system, std::string file,
                                               const SaeSettings& settings) {
  std::unique_ptr<SaeGate> gate(new SaeGate(system, std::move(file)));
  const auto now = system.clock.monotonic();
  for (const SaeEntry& sae : settings.saes) {
    if (sae.quota == 0) continue;
    const auto most = static_cast<double>(sae.quota);
    gate->buckets_[sae.id] = {most, most, now};
  }
  if (system.files.exists(gate->file_)) TRY(gate->read());
  return gate;
}

Result<> SaeGate::read() {
  TRY_ASSIGN(const Bytes bytes, os::read_file(system_.files, file_, kMaxFile));
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (end != std::string_view::npos && line.starts_with(kSae) && line.size() > kSae.size()) {
      saes_.emplace(line.substr(kSae.size()));
    } else if (end != std::string_view::npos && line.starts_with(kLink)) {
      TRY_ASSIGN(const SiteName peer, SiteName::parse(line.substr(kLink.size())));
      links_.insert(peer.text());
    } else {
      return fail(Code::kCorrupt, "'" + file_ + "' must have lines of 'sae ID' and 'link SITE'");
    }
    rest.remove_prefix(end + 1);
  }
  return {};
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
  if (now < static_cast<double>(bytes)) {
    return fail(Code::kOutOfKey,
                "the quota of SAE " + sae + ", " +
                    human_bytes(static_cast<std::uint64_t>(bucket.most)) + " an hour, has " +
                    std::to_string(static_cast<std::uint64_t>(now)) + " bytes left");
  }
  bucket.left = now - static_cast<double>(bytes);
  bucket.filled = system_.clock.monotonic();
  return {};
}

void SaeGate::refund(const std::string& sae, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(sae);
  if (found == buckets_.end()) return;
  Bucket& bucket = found->second;
  bucket.left = std::min(bucket.most, left(bucket) + static_cast<double>(bytes));
  bucket.filled = system_.clock.monotonic();
}

std::optional<SaeGate::Quota> SaeGate::quota(const std::string& sae) const {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(sae);
  if (found == buckets_.end()) return std::nullopt;
  return Quota{static_cast<std::uint64_t>(found->second.most),
               static_cast<std::uint64_t>(left(found->second))};
}

Result<> SaeGate::set(std::set<std::string>& names, const std::string& name, bool paused) {
  const std::lock_guard lock(mutex_);
  if (names.contains(name) == paused) return {};
  const std::set<std::string> before = names;
  if (paused) {
    names.insert(name);
  } else {
    names.erase(name);
  }
  std::string text;
  for (const std::string& sae : saes_) text += std::string(kSae) + sae + "\n";
  for (const std::string& link : links_) text += std::string(kLink) + link + "\n";
  const auto written = os::replace_file(system_.files, file_, as_bytes(text));
  if (!written) names = before;
  return written;
}

Result<> SaeGate::pause_sae(const std::string& sae, bool paused) {
  return set(saes_, sae, paused);
}

Result<> SaeGate::pause_link(const SiteName& peer, bool paused) {
  return set(links_, peer.text(), paused);
}

bool SaeGate::is_sae_paused(const std::string& sae) const {
  const std::lock_guard lock(mutex_);
  return saes_.contains(sae);
}

bool SaeGate::is_link_paused(const SiteName& peer) const {
  const std::lock_guard lock(mutex_);
  return links_.contains(peer.text());
}

}  // namespace warifu::kme
