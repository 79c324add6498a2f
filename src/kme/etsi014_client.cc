// Requests, the mapping of statuses to errors, and checks of what came back.
#include "kme/etsi014_client.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/percent.h"

namespace warifu::kme {
namespace {

http::ClientOptions with_secret_bodies(http::ClientOptions options) {
  options.secret_bodies = true;
  return options;
}

std::string target_of(const std::string& sae, const char* method) {
  return "/api/v1/keys/" + percent_encode(sae) + "/" + method;
}

}  // namespace

Etsi014Client::Etsi014Client(http::Endpoint device, http::ClientOptions options)
    : encrypt_{{}, http::Client(device, with_secret_bodies(options))},
      decrypt_{{}, http::Client(device, with_secret_bodies(options))} {
  WARIFU_CHECK(device.tls != nullptr);
}

Result<http::Response> Etsi014Client::ask(Line& line, http::Method method,
                                          const std::string& target, const std::string& body) {
  http::Request request{.method = method, .target = target, .headers = {}, .body = {}};
  request.headers.add("Accept", "application/json");
  if (!body.empty()) {
    request.headers.add("Content-Type", "application/json");
    request.body = http::Body::of(body);
  }
  const std::lock_guard lock(line.mutex);
  auto response = line.client.request(request);
  if (!response) {
    Error error = std::move(response).error();
    // Keys of a lost answer are gone for good; the caller asks for others.
    if (error.code == Code::kUnknownOutcome) error.code = Code::kUnavailable;
    return fail_in("key device", std::move(error));
  }
  if (response->status != 200) return refusal(*response);
  return response;
}

std::unexpected<Error> Etsi014Client::refusal(const http::Response& response) {
  const std::string message = etsi014::parse_error_message(response.body.text())
                                  .value_or("HTTP status " + std::to_string(response.status));
  const std::string text = "key device " + device() + ": " + message;
  switch (response.status) {
    case 400:
      return fail(message == etsi014::kKeysNotFound ? Code::kNotFound : Code::kInvalidArgument,
                  text);
    case 401: return fail(Code::kRefused, text);
    case 503: {
      const std::string_view wait = response.headers.find("Retry-After").value_or("0");
      std::uint32_t seconds = 0;
      (void)std::from_chars(wait.data(), wait.data() + wait.size(), seconds);
      retry_after_ = seconds;
      return fail(Code::kOutOfKey, text);
    }
    default: break;
  }
  return fail(response.status >= 500 ? Code::kUnavailable : Code::kProtocol, text);
}

Result<etsi014::Status> Etsi014Client::status(const std::string& slave_sae) {
  TRY_ASSIGN(const http::Response response,
             ask(encrypt_, http::Method::kGet, target_of(slave_sae, "status"), ""));
  auto status = etsi014::parse_status(response.body.text());
  if (!status) return fail_in("key device " + device(), std::move(status).error());
  return status;
}

Result<std::vector<DeviceKey>> Etsi014Client::enc_keys(const std::string& slave_sae,
                                                       std::size_t number, std::size_t size_bits) {
  etsi014::KeyRequest request;
  request.number = static_cast<std::int64_t>(number);
  request.size = static_cast<std::int64_t>(size_bits);
  TRY_ASSIGN(http::Response response,
             ask(encrypt_, http::Method::kPost, target_of(slave_sae, "enc_keys"),
                 etsi014::to_json(request)));
  auto keys = etsi014::parse_key_container(response.body.take_secret());
  if (!keys) return fail_in("key device " + device(), std::move(keys).error());
  std::set<std::string_view> ids;
  const bool sized = std::ranges::all_of(*keys, [&](const DeviceKey& key) {
    return ids.insert(key.id).second && key.bytes.size() * 8 == size_bits;
  });
  if (keys->size() != number || !sized) {
    return fail(Code::kProtocol, "key device " + device() + ": asked for " +
                                     std::to_string(number) + " keys of " +
                                     std::to_string(size_bits) + " bit, got others");
  }
  return keys;
}

Result<std::vector<DeviceKey>> Etsi014Client::dec_keys(const std::string& master_sae,
                                                       const std::vector<std::string>& ids) {
  TRY_ASSIGN(http::Response response,
             ask(decrypt_, http::Method::kPost, target_of(master_sae, "dec_keys"),
                 etsi014::key_ids_to_json(ids)));
  auto keys = etsi014::parse_key_container(response.body.take_secret());
  if (!keys) return fail_in("key device " + device(), std::move(keys).error());
  std::map<std::string, DeviceKey> by_id;
  for (DeviceKey& key : *keys) by_id.emplace(key.id, std::move(key));
  std::vector<DeviceKey> ordered;
  for (const std::string& id : ids) {
    TRY_ASSIGN(const std::string normal, etsi014::normal_uuid(id));
    auto found = by_id.extract(normal);
    if (found.empty()) break;
    ordered.push_back(std::move(found.mapped()));
  }
  if (ordered.size() != ids.size() || keys->size() != ids.size()) {
    return fail(Code::kProtocol, "key device " + device() + ": other keys than those asked for");
  }
  return ordered;
}

}  // namespace warifu::kme
