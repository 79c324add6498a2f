// Errors as htsget 1.3.0 names them ("Errors"), and a few that HTTP has and htsget does not name.
// Values; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/result.h"

namespace warifu::htsget {

enum class Kind : std::uint8_t {
  kInvalidAuthentication,  // 401
  kPermissionDenied,       // 403
  kNotFound,               // 404
  kPayloadTooLarge,        // 413
  kUnsupportedFormat,      // 400
  kInvalidInput,           // 400
  kInvalidRange,           // 400
  kTooManyRequests,        // 429: not of the standard
  kUnavailable,            // 503: not of the standard
  kInternalError,          // 500: not of the standard
};

inline constexpr std::size_t kKinds = 10;  // kInternalError is the last

struct Failure {
  Kind kind;
  std::string message;  // nothing secret: it goes to whoever asked
};

template <typename T>
using Answer = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> refuse(Kind kind, std::string message) {
  return std::unexpected(Failure{kind, std::move(message)});
}

[[nodiscard]] std::string_view kind_name(Kind kind);  // "InvalidInput"
[[nodiscard]] int kind_status(Kind kind);             // 400
// {"htsget":{"error":"InvalidInput","message":"..."}}
[[nodiscard]] std::string error_json(const Failure& failure);
// What a client is told of an error of the site's own: what it can act on, and no names of files.
[[nodiscard]] Failure failure_of(const Error& error);

}  // namespace warifu::htsget
