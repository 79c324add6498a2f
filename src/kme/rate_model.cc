// The KeySource side of the stand-in, and its server.
#include "kme/rate_model.h"

#include <fmt/format.h>

#include "base/log.h"

namespace warifu::kme {

RateModel::RateModel(const RateModelConfig& config, os::System system)
    : config_(config), system_(system), store_(config) {
  system_.random.fill(instance_);
}

Result<std::unique_ptr<RateModel>> RateModel::start(const RateModelConfig& config,
                                                    os::System system) {
  std::unique_ptr<RateModel> model(new RateModel(config, system));
  const bool alice = config.role == RateModelRole::kAlice;
  if (config.link_tls) {
    TRY_ASSIGN(model->tls_,
               crypto::TlsContext::load(alice ? crypto::TlsSide::kClient : crypto::TlsSide::kServer,
                                        config.tls));
  }
  if (!alice) {
    TRY_ASSIGN(model->listener_, os::listen_tcp(config.model_listen));
  }
  model->linker_ = std::thread([raw = model.get()] { raw->link_loop(); });
  return model;
}

RateModel::~RateModel() {
  stop();
}

void RateModel::stop() {
  if (stopping_.exchange(true)) return;
  if (listener_ != nullptr) listener_->close();
  {
    const std::lock_guard lock(mutex_);
    if (link_ != nullptr) link_->shutdown();
  }
  changed_.notify_all();
  if (linker_.joinable()) linker_.join();
}

std::uint16_t RateModel::model_port() const {
  return listener_ != nullptr ? listener_->port() : std::uint16_t{0};
}

Result<> RateModel::check_parties(const std::string& master, const std::string& slave) const {
  if (master != config_.local_sae) {
    return fail(Code::kRefused, "Unauthorized: SAE " + master + " has no keys at this device");
  }
  if (slave != config_.remote_sae) {
    return fail(Code::kNotFound, "SAE " + slave + " is not at the other end of this device");
  }
  return {};
}

std::string RateModel::extension() const {
  // All texts in it are ours: the problem's words stay in the log.
  const std::string qber =
      config_.qber ? fmt::format(R"("qber":{:.6f},)", *config_.qber) : std::string();
  return fmt::format(
      R"({{{}"origin":"RATE_MODEL","warifu_link":"{}","warifu_bits_available":{},)"
      R"("warifu_rate_bits_per_second":{},"warifu_discarded_bits":{},"warifu_unclaimed_keys":{},)"
      R"("warifu_expired_keys":{}}})",
      qber, link_up_ ? "up" : "down", store_.available() * config_.key_size_bits,
      config_.rate_bits_per_second, std::max(discarded_bits_, peer_discarded_bits_),
      store_.unclaimed(), expired_keys_);
}

Result<SourceStatus> RateModel::status(const std::string& master, const std::string& slave) {
  TRY(check_parties(master, slave));
  const auto bits = static_cast<std::int64_t>(config_.key_size_bits);
  const std::lock_guard lock(mutex_);
  SourceStatus status;
  status.source_kme_id = config_.kme_id;
  status.target_kme_id = config_.peer_kme_id;
  status.key_size = status.min_key_size = status.max_key_size = bits;
  status.stored_key_count = static_cast<std::int64_t>(store_.available());
  status.max_key_count = config_.max_key_count;
  status.max_key_per_request = config_.max_keys_per_request;
  status.bits_available = store_.available() * config_.key_size_bits;
  status.bits_per_second = link_up_ ? static_cast<double>(config_.rate_bits_per_second) / 2 : 0.0;
  status.extension = extension();
  return status;
}

// Slots belong to nobody else any more: they are copied without the lock.
std::vector<DeviceKey> RateModel::copy_out(std::vector<StoredKey> keys) {
  std::vector<MutableBytes> places;
  {
    const std::lock_guard lock(mutex_);
    for (const StoredKey& key : keys) places.push_back(store_.arena().bytes(key.slot));
  }
  std::vector<DeviceKey> result;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    result.push_back({std::move(keys[i].id), secret::Buffer::copy_of(places[i])});
  }
  const std::lock_guard lock(mutex_);
  for (const StoredKey& key : keys) store_.arena().give_back(key.slot);
  return result;
}

Result<std::vector<DeviceKey>> RateModel::take_new(const KeyOrder& order) {
  TRY(check_parties(order.master, order.slave));
  if (order.size_bits != config_.key_size_bits || !order.additional.empty()) {
    return fail(Code::kInvalidArgument,
                "this device has keys of " + std::to_string(config_.key_size_bits) + " bit only");
  }
  std::vector<StoredKey> keys;
  {
    const std::lock_guard lock(mutex_);
    if (store_.available() < order.number) {
      return fail(Code::kOutOfKey, "not enough key");
    }
    keys = store_.take(order.number);
  }
  changed_.notify_all();
  return copy_out(std::move(keys));
}

Result<std::vector<DeviceKey>> RateModel::take_by_id(const std::string& master,
                                                     const std::string& caller,
                                                     const std::vector<std::string>& ids) {
  std::optional<std::vector<StoredKey>> keys;
  {
    const std::lock_guard lock(mutex_);
    expired_keys_ += store_.expire(system_.clock.monotonic());
    if (master != config_.remote_sae || caller != config_.local_sae) {
      for (const std::string& id : ids) {
        if (!store_.holds(id)) continue;
        return fail(Code::kRefused, "Unauthorized: a key of other SAEs was asked for");
      }
      return fail(Code::kNotFound, "no key for master " + master + " and " + caller);
    }
    keys = store_.claim(ids);
    if (keys) state_due_ = true;
  }
  if (!keys) return fail(Code::kNotFound, "a key is unknown, used or expired");
  changed_.notify_all();
  return copy_out(std::move(*keys));
}

Result<std::unique_ptr<RateModelDevice>> RateModelDevice::start(const RateModelConfig& config,
                                                                os::System system) {
  std::unique_ptr<RateModelDevice> device(new RateModelDevice);
  TRY_ASSIGN(const auto tls, crypto::TlsContext::load(crypto::TlsSide::kServer, config.tls));
  TRY_ASSIGN(auto listener, os::listen_tcp(config.listen));
  TRY_ASSIGN(device->model_, RateModel::start(config, system));
  http::Router router;
  add_etsi014_routes(router, *device->model_, config.saes);
  device->server_ = std::make_unique<http::Server>(std::move(listener), tls, std::move(router));
  device->server_->start();
  return device;
}

void RateModelDevice::stop() {
  if (model_ != nullptr) model_->stop();
  if (server_ != nullptr) server_->stop();
}

}  // namespace warifu::kme
