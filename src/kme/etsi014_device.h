// A key device behind ETSI GS QKD 014, as the intake sees it.
//
// The device's own word on where its key comes from (status_extension "origin", where it has one)
// must agree with the configuration, so that a model is never taken for hardware. Thread-safe as
// Etsi014Client.
#pragma once

#include "kme/etsi014_client.h"

namespace warifu::kme {

class Etsi014Device final : public KeyDevice {
 public:
  Etsi014Device(http::Endpoint endpoint, std::string peer_sae, keypool::Origin origin);

  [[nodiscard]] Result<std::vector<DeviceKey>> fresh(std::size_t most) override;
  [[nodiscard]] Result<std::vector<DeviceKey>> by_ids(const std::vector<std::string>& ids) override;
  [[nodiscard]] keypool::Origin origin() const override { return origin_; }
  // From the status and its extension: "qber" (a fraction), "rate" (bit/s), and what the rate model
  // calls warifu_rate_bits_per_second and warifu_discarded_bits. Figures of both directions
  // together.
  [[nodiscard]] Result<DeviceReport> look() override;
  [[nodiscard]] std::chrono::seconds retry_after() const override { return wait_; }
  // "https://host:port".
  [[nodiscard]] std::string name() const { return client_.device(); }

 private:
  Etsi014Client client_;
  std::string peer_sae_;
  keypool::Origin origin_;
  std::optional<etsi014::Status> looked_;  // serves the fresh() that follows
  std::chrono::seconds wait_{0};
};

}  // namespace warifu::kme
