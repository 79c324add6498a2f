// A stand-in for a pair of key devices, for demonstrations, tests and development: kernel
// randomness handed out at a modelled rate. Its keys are exactly as good as the kernel's generator
// and the TLS connection between the two processes, and everything it says carries the origin
// RATE_MODEL.
//
// Alice makes keys of one size, for both directions in turn, and sends each to bob; a key becomes
// available only when the other device has stored its copy. Ids are random and never derived from
// keys. Without the other device no key is made; what is there is still handed out. Thread rule:
// KeySource calls come from the server's workers; one thread keeps the link, and a second one
// writes to it while it is up. mutex_ guards the store and everything below it in the class.
#pragma once

#include <condition_variable>
#include <thread>

#include "kme/rate_model_wire.h"
#include "os/system.h"

namespace warifu::kme {

class RateModel final : public KeySource {
 public:
  // Bob listens when this returns; alice dials in the background. Errors: those of the TLS files,
  // kBusy when the port is taken.
  [[nodiscard]] static Result<std::unique_ptr<RateModel>> start(const RateModelConfig& config,
                                                                os::System system);
  ~RateModel() override;
  RateModel(const RateModel&) = delete;
  RateModel& operator=(const RateModel&) = delete;

  [[nodiscard]] Result<SourceStatus> status(const std::string& master,
                                            const std::string& slave) override;
  [[nodiscard]] Result<std::vector<DeviceKey>> take_new(const KeyOrder& order) override;
  [[nodiscard]] Result<std::vector<DeviceKey>> take_by_id(
      const std::string& master, const std::string& caller,
      const std::vector<std::string>& ids) override;

  // Where bob waits for alice; 0 for alice.
  [[nodiscard]] std::uint16_t model_port() const;
  void stop();

 private:
  RateModel(const RateModelConfig& config, os::System system);

  Result<> check_parties(const std::string& master, const std::string& slave) const;
  std::vector<DeviceKey> copy_out(std::vector<StoredKey> keys);
  [[nodiscard]] std::string extension() const;

  // rate_model_link.cc: the connection to the other device.
  void link_loop();
  Result<std::unique_ptr<os::ByteStream>> open_connection();
  Result<std::unique_ptr<os::ByteStream>> secure(std::unique_ptr<os::ByteStream> stream);
  Result<> serve_link(os::ByteStream& stream);
  Result<> greet(os::ByteStream& stream);
  Result<> accept_hello(const rate_wire::Hello& peer);
  Result<rate_wire::Message> receive(os::ByteStream& stream);
  Result<> handle(os::ByteStream& stream, const rate_wire::Message& message);
  Result<> receive_key(os::ByteStream& stream, const rate_wire::KeyHead& head);
  void write_loop(os::ByteStream& stream);
  Result<> write_once(os::ByteStream& stream);
  Bytes collect_control();
  Result<> send_keys(os::ByteStream& stream);
  void make_keys();
  std::optional<KeyDirection> spend_tokens();
  void refill_tokens();
  std::chrono::milliseconds pause() const;

  const RateModelConfig config_;
  os::System system_;
  std::shared_ptr<const crypto::TlsContext> tls_;
  std::unique_ptr<os::Listener> listener_;
  rate_wire::Instance instance_{};
  std::thread linker_;
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // something to send, or the end
  RateModelStore store_;
  os::ByteStream* link_ = nullptr;  // while it is up, for stop()
  bool link_up_ = false;            // both have greeted
  bool link_ended_ = false;         // tells the writer
  rate_wire::Instance peer_instance_{};
  bool ack_due_ = false;
  bool state_due_ = false;
  std::size_t taken_sent_ = 0;  // of the store's taken_log(), on this connection
  std::uint64_t discarded_bits_ = 0;
  std::uint64_t peer_discarded_bits_ = 0;
  std::uint64_t expired_keys_ = 0;
  double tokens_ = 0;  // bits
  std::chrono::nanoseconds last_refill_{0};
  std::chrono::nanoseconds last_state_{0};
};

// A device with its ETSI GS QKD 014 interface.
class RateModelDevice {
 public:
  [[nodiscard]] static Result<std::unique_ptr<RateModelDevice>> start(const RateModelConfig& config,
                                                                      os::System system);
  ~RateModelDevice() { stop(); }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] RateModel& model() { return *model_; }
  void stop();

 private:
  RateModelDevice() = default;
  std::unique_ptr<RateModel> model_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace warifu::kme
