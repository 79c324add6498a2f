// Transfers of relayed key: planning and sending at one end, collecting at the other.
#include "kme/relay_device.h"

#include <algorithm>

namespace warifu::kme {
namespace {

// How long a hop that refused is left alone. Another path is tried at once.
constexpr std::chrono::seconds kRefusalLife(5);
constexpr int kMaxPlans = 16;

void xor_into(MutableBytes key, ByteView part) {
  WARIFU_CHECK(key.size() == part.size());
  for (std::size_t i = 0; i < key.size(); ++i) key[i] ^= part[i];
}

}  // namespace

std::vector<RelayEdge> RelayDevice::usable_edges() {
  const auto now = system_.clock.monotonic();
  std::erase_if(refusals_, [&](const auto& entry) { return entry.second.until <= now; });
  std::vector<RelayEdge> edges = carrier_.edges(settings_.peer);
  std::erase_if(edges,
                [&](const RelayEdge& edge) { return refusals_.contains({edge.from, edge.to}); });
  return edges;
}

std::vector<RelayPath> RelayDevice::letter_paths() {
  std::vector<RelayPath> paths = last_paths_;
  const std::vector<RelayEdge> edges = usable_edges();
  for (unsigned count = kMaxRelayPaths; count > 0;
       --count) {  // as many different ones as there are
    auto others = disjoint_paths(edges, settings_.self, settings_.peer, count, 0);
    if (!others) continue;
    for (RelayPath& path : *others) {
      if (std::ranges::find(paths, path) == paths.end()) paths.push_back(std::move(path));
    }
    break;
  }
  return paths;
}

Result<std::vector<RelayPath>> RelayDevice::plan() {
  const std::vector<RelayEdge> edges = usable_edges();
  auto paths =
      disjoint_paths(edges, settings_.self, settings_.peer, settings_.paths, settings_.part_bytes);
  if (paths) return std::move(*paths);
  std::string text = "relay to " + settings_.peer.text() + ": there are no " +
                     std::to_string(settings_.paths) + " disjoint paths with enough key";
  if (settings_.paths == 1) {
    text = "relay to " + settings_.peer.text() + ": there is no path with enough key";
  }
  for (const auto& [hop, refusal] : refusals_) {
    text += "; " + hop.first.text() + " > " + hop.second.text() + ": " + refusal.why;
  }
  return fail(Code::kUnavailable, text);
}

void RelayDevice::avoid(const PartHead& head, const PartVerdict& verdict) {
  const std::size_t at = std::min<std::size_t>(verdict.at, head.path.size() - 2);
  refusals_[{head.path[at], head.path[at + 1]}] = {system_.clock.monotonic() + kRefusalLife,
                                                   verdict.why};
}

// Paths on which everybody is ready, and the heads for them.
Result<std::vector<PartHead>> RelayDevice::agree() {
  std::vector<PartHead> heads;
  for (int attempt = 0; attempt < kMaxPlans; ++attempt) {
    TRY_ASSIGN(std::vector<RelayPath> paths, plan());
    const auto transfer = os::random_id<TransferId>(system_.random);
    heads.clear();
    bool ready = true;
    for (RelayPath& path : paths) {
      heads.push_back({.transfer = transfer,
                       .part = static_cast<std::uint8_t>(heads.size()),
                       .parts = static_cast<std::uint8_t>(paths.size()),
                       .bytes = settings_.part_bytes,
                       .path = std::move(path)});
      const PartVerdict verdict = carrier_.ask(heads.back());
      if (verdict.accepted) continue;
      avoid(heads.back(), verdict);
      ready = false;
    }
    if (ready) return heads;
  }
  return fail(Code::kUnavailable,
              "relay to " + settings_.peer.text() + ": every path that was tried refused");
}

Result<std::vector<DeviceKey>> RelayDevice::fresh(std::size_t most) {
  if (most < settings_.part_bytes) return fail(Code::kOutOfKey, "a whole part does not fit");
  TRY_ASSIGN(const std::vector<PartHead> heads, agree());
  DeviceKey key{.id = heads.front().transfer.text(), .bytes = secret::Buffer(settings_.part_bytes)};
  key.origins = keypool::origin_bit(keypool::Origin::kRelayed);
  std::ranges::fill(key.bytes.bytes(), Byte{0});
  for (const PartHead& head : heads) {
    secret::Buffer part(settings_.part_bytes);
    TRY_ASSIGN(const keypool::Entropy entropy, random_.fill(part.bytes(), RandomUse::kRelaying));
    key.origins = static_cast<std::uint16_t>(key.origins | entropy.bits());
    xor_into(key.bytes.bytes(), part.bytes());
    const PartVerdict verdict = carrier_.carry(head, part);
    if (!verdict.accepted) {
      // What was sent is key for nothing; the far end forgets it with the next transfer.
      avoid(head, verdict);
      return fail(Code::kUnavailable, "relay to " + settings_.peer.text() + " over " +
                                          relay_path_text(head.path) + ": " + verdict.why);
    }
    key.ways.push_back(head.path);
  }
  last_paths_ = key.ways;
  std::vector<DeviceKey> keys;
  keys.push_back(std::move(key));
  return keys;
}

Result<> RelayDevice::check_part(const PartHead& head) const {
  if (head.path.front() != settings_.peer || head.path.back() != settings_.self) {
    return fail(Code::kRefused, "a part of relayed key is not for this link");
  }
  if (head.parts < settings_.paths) {
    return fail(Code::kRefused, settings_.self.text() + " wants " +
                                    std::to_string(settings_.paths) + " paths from " +
                                    settings_.peer.text() + ", not " + std::to_string(head.parts));
  }
  return {};
}

Result<> RelayDevice::take_part(const PartHead& head, secret::Buffer part) {
  TRY(check_part(head));
  if (part.size() != settings_.part_bytes)
    return fail(Code::kRefused, "a part of relayed key is cut short");
  const std::lock_guard lock(mutex_);
  if (arriving_ != head.transfer) {  // the one before was given up
    arrived_.clear();
    arriving_ = head.transfer;
    expected_ = head.parts;
  }
  std::vector<RelayPath> paths = {head.path};
  for (const auto& [number, other] : arrived_) paths.push_back(other.path);
  if (head.parts != expected_ || arrived_.contains(head.part) ||
      !are_disjoint(paths, settings_.peer, settings_.self)) {
    return fail(Code::kRefused, "the parts of relayed key do not go over disjoint paths");
  }
  arrived_[head.part] = {head.path, std::move(part)};
  return {};
}

Result<std::vector<DeviceKey>> RelayDevice::by_ids(const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  if (ids.size() != 1 || expected_ == 0 || ids.front() != arriving_.text() ||
      arrived_.size() != expected_) {
    return fail(Code::kNotFound, "the relayed key that is offered is not here");
  }
  DeviceKey key{.id = ids.front(), .bytes = secret::Buffer(settings_.part_bytes)};
  std::ranges::fill(key.bytes.bytes(), Byte{0});
  for (auto& [number, part] : arrived_) {
    xor_into(key.bytes.bytes(), part.bytes.bytes());
    key.ways.push_back(std::move(part.path));
  }
  arrived_.clear();
  expected_ = 0;
  arriving_ = {};
  std::vector<DeviceKey> keys;
  keys.push_back(std::move(key));
  return keys;
}

}  // namespace warifu::kme
