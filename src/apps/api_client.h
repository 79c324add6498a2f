// The CLI's way to a site: its HTTP API, over the Unix socket in the site's folder or, as one of
// the site's operators, over TLS from anywhere.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/json/value.hpp>

#include "apps/command_options.h"
#include "http/client.h"

namespace warifu::apps {

using ByteProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class ApiClient {
 public:
  // The site that the command line names, by its folder or by its address.
  explicit ApiClient(const Common& common) : at_(common) {}
  // `site` is the folder with site.toml.
  explicit ApiClient(const std::string& site) { at_.site = site; }

  // A JSON answer. Errors: those of the site, by code; kUnavailable when it does not run.
  [[nodiscard]] Result<boost::json::value> get(const std::string& path);
  [[nodiscard]] Result<boost::json::value> post(const std::string& path,
                                                const boost::json::value& body);
  // Streams a file as the body of a POST, `before` before it.
  [[nodiscard]] Result<boost::json::value> upload(const std::string& path, const std::string& file,
                                                  const ByteProgress& progress,
                                                  ByteView before = {});
  // Streams an answer's body into `sink`.
  [[nodiscard]] Result<> download(const std::string& path,
                                  const std::function<Result<>(ByteView)>& sink);

 private:
  Result<http::Endpoint> endpoint() const;
  Result<http::Client> connect() const;
  Result<std::string> confirm(http::Client& client) const;

  Common at_;
};

// Percent-encodes a query value.
[[nodiscard]] std::string url_text(std::string_view text);

}  // namespace warifu::apps
