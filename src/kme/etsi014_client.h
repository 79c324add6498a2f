// Client of a key device that speaks ETSI GS QKD 014.
//
// Keys arrive in secret memory and every stage of their text is wiped. What comes back is checked:
// the number, the sizes and the ids that were asked for, each once. Thread-safe: enc_keys() and
// dec_keys() have a connection each, because the two directions of a link are led by different
// threads; status() shares the first one.
#pragma once

#include <atomic>
#include <mutex>

#include "http/client.h"
#include "kme/etsi014_json.h"

namespace warifu::kme {

class Etsi014Client {
 public:
  // `device` must have TLS. The bodies' limit is that of http::ClientOptions.
  Etsi014Client(http::Endpoint device, http::ClientOptions options);

  // Errors of all three, naming the device: kUnavailable, kTimeout, kProtocol (what came back does
  // not fit), kInvalidArgument (400) and kRefused (401, or TLS) with the device's message.
  [[nodiscard]] Result<etsi014::Status> status(const std::string& slave_sae);
  // Errors: kOutOfKey (503; see retry_after()).
  [[nodiscard]] Result<std::vector<DeviceKey>> enc_keys(const std::string& slave_sae,
                                                        std::size_t number, std::size_t size_bits);
  // In the order of `ids`. Errors: kNotFound when the device does not have all of them.
  [[nodiscard]] Result<std::vector<DeviceKey>> dec_keys(const std::string& master_sae,
                                                        const std::vector<std::string>& ids);

  // Seconds that the last 503 asked to wait; 0 when it did not say.
  [[nodiscard]] std::uint32_t retry_after() const { return retry_after_; }
  // "https://host:port".
  [[nodiscard]] std::string device() const { return encrypt_.client.endpoint().text(); }

 private:
  struct Line {
    std::mutex mutex;
    http::Client client;
  };
  Result<http::Response> ask(Line& line, http::Method method, const std::string& target,
                             const std::string& body);
  std::unexpected<Error> refusal(const http::Response& response);

  Line encrypt_;
  Line decrypt_;
  std::atomic<std::uint32_t> retry_after_ = 0;
};

}  // namespace warifu::kme
