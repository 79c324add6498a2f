// A key device as a source of random numbers: its keys are taken at this end only, and the far end
// never asks for them.
//
// Ownership: owns the device. Thread rule: as entropy::Source.
#pragma once

#include <algorithm>

#include "entropy/source.h"
#include "kme/intake.h"

namespace warifu::kme {

class KeyDeviceSource final : public entropy::Source {
 public:
  // How long an empty device is waited for: others take its keys as well.
  static constexpr std::chrono::milliseconds kPatience{2000};

  KeyDeviceSource(std::unique_ptr<KeyDevice> device, os::Clock& clock)
      : device_(std::move(device)), clock_(clock) {}

  Result<std::size_t> read(MutableBytes out) override {
    if (keys_.empty()) {
      TRY_ASSIGN(keys_, fresh());
      std::erase_if(keys_, [](const DeviceKey& key) { return key.bytes.empty(); });
      if (keys_.empty()) return fail(Code::kProtocol, "the device gave empty keys");
    }
    const secret::Buffer& key = keys_.back().bytes;
    const std::size_t part = std::min(out.size(), key.size() - used_);
    copy_bytes(out, ByteView(key.bytes()).subspan(used_, part));
    used_ += part;
    if (used_ == key.size()) {
      keys_.pop_back();
      used_ = 0;
    }
    return part;
  }

 private:
  Result<std::vector<DeviceKey>> fresh() {
    constexpr std::size_t kAtOnce = 4 << 20;  // models have keys of 1 MiB
    constexpr std::chrono::milliseconds kPause(20);
    const auto end = clock_.monotonic() + kPatience;
    for (;;) {
      auto keys = device_->fresh(kAtOnce);
      const bool empty = !keys && keys.error().code == Code::kOutOfKey;
      if (!empty || clock_.monotonic() >= end) return keys;
      clock_.sleep(kPause);
    }
  }

  std::unique_ptr<KeyDevice> device_;
  os::Clock& clock_;
  std::vector<DeviceKey> keys_;  // taken from the back
  std::size_t used_ = 0;         // of the last one
};

}  // namespace warifu::kme
