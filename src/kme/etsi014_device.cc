// Batches that the device offers, fetched by status and request.
#include "kme/etsi014_device.h"

#include <algorithm>

namespace warifu::kme {
namespace {
// Room for a container of 4 MiB of key as base64 JSON, with a margin.
constexpr std::size_t kMaxContainer = 8 << 20;
}  // namespace

Etsi014Device::Etsi014Device(http::Endpoint endpoint, std::string peer_sae, keypool::Origin origin)
    : client_(std::move(endpoint), {.max_body = kMaxContainer, .secret_bodies = true}),
      peer_sae_(std::move(peer_sae)),
      origin_(origin) {}

Result<DeviceReport> Etsi014Device::look() {
  looked_.reset();
  TRY_ASSIGN(looked_, client_.status(peer_sae_));
  const etsi014::Status& status = *looked_;
  DeviceReport report{.full = status.max_key_count > 0 &&
                              status.stored_key_count >= status.max_key_count};
  report.qber = etsi014::extension_number(status, "qber");
  report.rate_bits_per_second = etsi014::extension_number(status, "rate");
  if (!report.rate_bits_per_second) {
    report.rate_bits_per_second = etsi014::extension_number(status, "warifu_rate_bits_per_second");
  }
  if (const auto bits = etsi014::extension_number(status, "warifu_discarded_bits")) {
    report.discarded_bits = static_cast<std::uint64_t>(*bits);
  }
  return report;
}

Result<std::vector<DeviceKey>> Etsi014Device::fresh(std::size_t most) {
  wait_ = {};
  std::optional<etsi014::Status> seen = std::exchange(looked_, std::nullopt);
  if (!seen) {
    TRY_ASSIGN(seen, client_.status(peer_sae_));
  }
  const etsi014::Status& status = *seen;
  const std::string said = etsi014::extension_text(status, "origin");
  if (!said.empty() && said != keypool::origin_name(origin_)) {
    return fail(Code::kRefused, "device " + client_.device() + " says its key is " + said +
                                    ", the configuration says " +
                                    std::string(keypool::origin_name(origin_)));
  }
  const std::uint64_t key_bytes = static_cast<std::uint64_t>(status.key_size) / 8;
  if (key_bytes == 0 || key_bytes > most) {
    return fail(Code::kProtocol, "device " + client_.device() + " offers keys of " +
                                     std::to_string(status.key_size) + " bits, which do not fit");
  }
  const std::uint64_t number =
      std::min({static_cast<std::uint64_t>(status.stored_key_count),
                static_cast<std::uint64_t>(status.max_key_per_request), most / key_bytes});
  if (number == 0) return fail(Code::kOutOfKey, "device " + client_.device() + " has no key now");
  auto keys = client_.enc_keys(peer_sae_, number, static_cast<std::size_t>(status.key_size));
  if (!keys && keys.error().code == Code::kOutOfKey) {
    wait_ = std::chrono::seconds(client_.retry_after());
  }
  return keys;
}

Result<std::vector<DeviceKey>> Etsi014Device::by_ids(const std::vector<std::string>& ids) {
  return client_.dec_keys(peer_sae_, ids);
}

}  // namespace warifu::kme
