// Two ends of a relayed link in one process, and a network between them that refuses, changes or
// loses parts as a test says. What every relay holds in its hands is remembered.
#pragma once

#include <functional>
#include <map>

#include "kme/key_manager.h"
#include "kme/relay_device.h"

namespace warifu::kme {

[[nodiscard]] inline SiteName site_of(const std::string& name) {
  return *SiteName::parse(name);
}

[[nodiscard]] inline std::vector<RelayEdge> both_ways(
    const std::vector<std::pair<std::string, std::string>>& links) {
  std::vector<RelayEdge> edges;
  for (const auto& [a, b] : links) {
    edges.push_back({site_of(a), site_of(b), std::nullopt, 0});
    edges.push_back({site_of(b), site_of(a), std::nullopt, 0});
  }
  return edges;
}

class FakeRelays final : public PartCarrier {
 public:
  std::vector<RelayEdge> edges(const SiteName&) override { return graph; }
  PartVerdict ask(const PartHead& head) override {
    for (std::size_t i = 0; i + 1 < head.path.size(); ++i) {
      if (!refuses.contains({head.path[i].text(), head.path[i + 1].text()})) continue;
      return {.accepted = false, .at = static_cast<std::uint8_t>(i), .why = "too little key"};
    }
    if (auto checked = far->check_part(head); !checked) {
      return {.accepted = false, .at = 0, .why = checked.error().message};
    }
    return {};
  }
  PartVerdict carry(const PartHead& head, const secret::Buffer& part) override {
    secret::Buffer copy = secret::Buffer::copy_of(part.bytes());
    for (std::size_t i = 1; i + 1 < head.path.size(); ++i) {
      const ByteView bytes = copy.bytes();
      seen[head.path[i].text()].assign(bytes.begin(), bytes.end());
      if (tamper) tamper(head.path[i].text(), copy.bytes());
      if (dies == head.path[i].text()) {
        return {.accepted = false, .at = static_cast<std::uint8_t>(i - 1), .why = "no answer"};
      }
    }
    if (auto taken = far->take_part(head, std::move(copy)); !taken) {
      return {.accepted = false, .at = 0, .why = taken.error().message};
    }
    return {};
  }

  std::vector<RelayEdge> graph;
  std::set<std::pair<std::string, std::string>> refuses;
  std::string dies;  // a relay that takes a part and is heard of no more
  std::function<void(const std::string&, MutableBytes)> tamper;
  std::map<std::string, Bytes> seen;
  RelayDevice* far = nullptr;
};

// One end: its keys on its own disk, the device and the intake.
struct RelayEnd {
  RelayEnd(os::System of, const std::string& dir, const std::string& self, const std::string& peer,
           unsigned paths, std::uint32_t part_bytes, PartCarrier& relays)
      : system(of),
        config{site_of(peer), LinkClass::kRelayed, LinkId::from_view(Bytes(16, 5)), {}, paths} {
    auto opened = KeyManager::open(system, dir, {config}, RandomFrom::kKernel);
    if (!opened) {
      problem = opened.error().message;
      return;
    }
    keys = std::move(*opened);
    device = std::make_unique<RelayDevice>(
        system, RelaySettings{site_of(self), site_of(peer), paths, part_bytes}, keys->random(),
        relays);
    intake = std::make_unique<Intake>(system, link(), *device, 1'000'000'000);
  }
  Link& link() { return *keys->link_to(config.peer); }

  os::System system;
  LinkConfig config;
  std::string problem;
  std::unique_ptr<KeyManager> keys;
  std::unique_ptr<RelayDevice> device;
  std::unique_ptr<Intake> intake;
};

}  // namespace warifu::kme
