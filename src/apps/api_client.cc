// HTTP over the site's socket, or over TLS.
#include "apps/api_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include <boost/json.hpp>

#include "apps/output.h"
#include "apps/secret_input.h"
#include "base/percent.h"
#include "base/reason.h"
#include "config/site_config.h"
#include "http/client.h"
#include "operators/gate.h"
#include "os/files.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

constexpr int kUnconfirmed = 401;

// A site's own socket tells whether the site is there at all, and where.
Result<http::Endpoint> local_endpoint(const std::string& site) {
  TRY_ASSIGN(const config::SiteConfig config, config::load_site_config(site + "/site.toml"));
  const auto reached = os::connect_unix(config.api_socket);
  if (reached) return http::Endpoint{.unix_path = config.api_socket, .address = {}, .tls = {}};
  return fail(Code::kUnavailable, "site " + config.name.text() +
                                      " is not running; start it with warifu site run --config " +
                                      config.path);
}

Result<http::Endpoint> remote_endpoint(const Common& at) {
  constexpr std::string_view kScheme = "https://";
  if (!at.url.starts_with(kScheme)) {
    return fail(Code::kInvalidArgument, "'" + at.url + "' must be https://host:port");
  }
  std::string address = at.url.substr(kScheme.size());
  if (address.ends_with('/')) address.pop_back();
  http::Endpoint endpoint;
  TRY_ASSIGN(endpoint.address, os::HostPort::parse(address));
  for (const auto& [file, option] :
       {std::pair(&at.cert, "--cert"), {&at.key, "--key"}, {&at.ca, "--ca"}}) {
    if (file->empty()) {
      return fail(Code::kInvalidArgument,
                  std::string("with --url also name your ") + option + " file");
    }
  }
  TRY_ASSIGN(endpoint.tls,
             crypto::TlsContext::load(crypto::TlsSide::kClient, {at.cert, at.key, at.ca}));
  return endpoint;
}

Reason reason_of(const json::object& body) {
  const auto* word = body.if_contains("reason");
  if (word == nullptr || !word->is_string()) return Reason::kNone;
  return reason_of_name(word->get_string()).value_or(Reason::kNone);
}

Code code_of(const json::value& body, int status) {
  if (const auto* fields = body.if_object()) {
    if (const auto* name = fields->if_contains("code"); name != nullptr && name->is_string()) {
      for (std::uint8_t i = 1; i <= 14; ++i) {
        if (code_name(static_cast<Code>(i)) == std::string_view(name->get_string())) {
          return static_cast<Code>(i);
        }
      }
    }
  }
  return status == 404 ? Code::kNotFound : status < 500 ? Code::kInvalidArgument : Code::kIo;
}

Result<json::value> read_answer(http::Response& response) {
  json::error_code bad;
  json::value value = json::parse(response.body.text(), bad);
  response.body.wipe();
  if (response.status / 100 != 2) {
    std::string message = "the site answered with status " + std::to_string(response.status);
    Reason reason = Reason::kNone;
    if (const auto* fields = value.if_object()) {
      if (const auto* text = fields->if_contains("message"); text != nullptr && text->is_string()) {
        message = std::string(text->get_string());
      }
      reason = reason_of(*fields);
    }
    return fail(code_of(value, response.status), message, reason);
  }
  if (bad) return fail(Code::kProtocol, "the site's answer is not JSON");
  return value;
}

http::Request json_request(const std::string& path, const json::value& body) {
  std::string text = json::serialize(body);
  http::Request request{.method = http::Method::kPost,
                        .target = path,
                        .headers = {},
                        .body = secret::Buffer::copy_of(as_bytes(text)),
                        .segments = {},
                        .query = {}};
  secret::wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  request.headers.add("Content-Type", "application/json");
  return request;
}

}  // namespace

Result<http::Endpoint> ApiClient::endpoint() const {
  return at_.url.empty() ? local_endpoint(at_.site) : remote_endpoint(at_);
}

Result<http::Client> ApiClient::connect() const {
  // A restore may wait hours for key: no limit on answers. The connection tells when the site is
  // gone.
  const std::chrono::milliseconds no_limit = std::chrono::hours(24 * 20);
  TRY_ASSIGN(http::Endpoint to, endpoint());
  return http::Client(std::move(to),
                      {.answer_timeout = no_limit, .io_timeout = no_limit, .secret_bodies = true});
}

Result<json::value> ApiClient::get(const std::string& path) {
  TRY_ASSIGN(http::Client client, connect());
  TRY_ASSIGN(http::Response response, client.request({.target = path}));
  return read_answer(response);
}

Result<json::value> ApiClient::post(const std::string& path, const json::value& body) {
  TRY_ASSIGN(http::Client client, connect());
  TRY_ASSIGN(http::Response response, client.request(json_request(path, body)));
  if (response.status == kUnconfirmed) {
    TRY_ASSIGN(const std::string confirmation, confirm(client));
    http::Request again = json_request(path, body);
    again.headers.add(operators::kConfirmationField, confirmation);
    TRY_ASSIGN(response, client.request(again));
  }
  return read_answer(response);
}

// The operator's passphrase for a confirmation that serves one act.
Result<std::string> ApiClient::confirm(http::Client& client) const {
  TRY_ASSIGN(secret::Buffer passphrase, read_secret({.name = "your passphrase",
                                                     .option = "--passphrase-file",
                                                     .most = operators::kMaxPassphrase},
                                                    at_.passphrase_file));
  const http::Request request{.method = http::Method::kPost,
                              .target = "/v1/operators/confirm",
                              .headers = {},
                              .body = std::move(passphrase),
                              .segments = {},
                              .query = {}};
  TRY_ASSIGN(http::Response response, client.request(request));
  TRY_ASSIGN(const json::value answer, read_answer(response));
  return text_of(answer, "confirmation");
}

Result<json::value> ApiClient::upload(const std::string& path, const std::string& file,
                                      const ByteProgress& progress, ByteView before) {
  TRY_ASSIGN(const auto input, os::real_files().open(file, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, input->size());
  if (size == 0) return fail(Code::kInvalidArgument, "'" + file + "' is empty: nothing to store");
  TRY_ASSIGN(http::Client client, connect());
  std::uint64_t done = 0;
  const auto source = [&](MutableBytes out) -> Result<std::size_t> {
    if (!before.empty()) {
      const std::size_t part = std::min(out.size(), before.size());
      copy_bytes(out, before.first(part));
      before = before.subspan(part);
      return part;
    }
    const std::size_t want = std::min<std::uint64_t>(out.size(), size - done);
    TRY_ASSIGN(const std::size_t got, input->read_at(done, out.first(want)));
    if (got < want) return fail(Code::kIo, "'" + file + "' became shorter while it was read");
    done += got;
    if (progress) progress(done, size);
    return got;
  };
  TRY_ASSIGN(http::Response response, client.upload({.method = http::Method::kPost, .target = path},
                                                    size + before.size(), source));
  return read_answer(response);
}

Result<> ApiClient::download(const std::string& path,
                             const std::function<Result<>(ByteView)>& sink) {
  TRY_ASSIGN(http::Client client, connect());
  TRY_ASSIGN(http::Response response, client.download({.target = path}, sink));
  if (response.status / 100 == 2) return {};
  const auto error = read_answer(response);
  return std::unexpected(error ? Error{Code::kProtocol, "unexpected answer"} : error.error());
}

std::string url_text(std::string_view text) {
  return percent_encode(text);
}

}  // namespace warifu::apps
