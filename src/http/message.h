// HTTP messages as values: what a handler sees, and what a client sends and gets.
//
// A body is either plain bytes or secret memory; whoever asked for secret memory gets every stage
// of it there. Paths are split before they are decoded, so that an encoded slash stays inside its
// segment.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };
[[nodiscard]] std::string_view method_name(Method method);
[[nodiscard]] Method method_from(std::string_view name);

// Header fields in their order; names compare without case.
class Headers {
 public:
  // CR, LF and NUL in a value become spaces, so that a value can never start another field.
  void add(std::string_view name, std::string_view value);
  // The first value, or none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Decoded parameters of a target, in their order.
class Query {
 public:
  // Parses "a=1&b=2". Errors: kInvalidArgument on bad percent signs and NUL.
  [[nodiscard]] static Result<Query> parse(std::string_view text);
  // The first value, or none.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  // True when the parameter stands there more than once.
  [[nodiscard]] bool repeated(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

class Body {
 public:
  Body() = default;
  Body(Bytes bytes) : data_(std::move(bytes)) {}             // NOLINT(google-explicit-constructor)
  Body(secret::Buffer buffer) : data_(std::move(buffer)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] static Body of(std::string_view text) {
    const ByteView bytes = as_bytes(text);
    return Body(Bytes(bytes.begin(), bytes.end()));
  }

  [[nodiscard]] ByteView view() const;
  [[nodiscard]] std::string_view text() const { return as_text(view()); }
  [[nodiscard]] std::size_t size() const { return view().size(); }
  [[nodiscard]] bool is_secret() const { return std::holds_alternative<secret::Buffer>(data_); }
  // Moves secret bytes out; a plain body is copied and wiped.
  [[nodiscard]] secret::Buffer take_secret();
  void wipe();

 private:
  std::variant<Bytes, secret::Buffer> data_;
};

struct Request {
  Method method = Method::kGet;
  std::string target = "/";  // as on the wire: path and query, percent-encoded
  Headers headers;
  Body body;

  // Filled in by the server.
  std::vector<std::string> segments;  // of the path, decoded; empty for "/"
  Query query;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  Body body;
  Headers headers;
};

// Splits a target into decoded segments and query. Errors: kInvalidArgument on a target that is not
// an absolute path, a bad percent sign, and "." or ".." as a segment.
[[nodiscard]] Result<> parse_target(Request& request);

// {"message": text}, the body of every error that this server answers. Not printable and not ASCII
// characters become '?'.
[[nodiscard]] std::string error_json(std::string_view message);
[[nodiscard]] Response error_response(int status, std::string_view message);

// "Not Found" for 404.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace warifu::http
