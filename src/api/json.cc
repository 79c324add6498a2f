// JSON helpers and the table of statuses.
#include "api/json.h"

#include <charconv>

#include "base/reason.h"

namespace warifu::api {

int http_status(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return 400;
    case Code::kRefused: return 403;
    case Code::kNotFound: return 404;
    case Code::kAlreadyExists:
    case Code::kBusy:
    case Code::kCancelled: return 409;
    case Code::kOutOfKey:
    case Code::kUnavailable: return 503;
    case Code::kTimeout: return 504;
    case Code::kNoSpace: return 507;
    case Code::kCorrupt:
    case Code::kIo:
    case Code::kUnknownOutcome:
    case Code::kProtocol: return 500;
  }
  return 500;
}

void answer(http::RequestContext& context, const json::value& value) {
  context.respond({.body = http::Body::of(json::serialize(value))});
}

void answer_error(http::RequestContext& context, const Error& error) {
  json::object body = {{"message", error.message}, {"code", code_name(error.code)}};
  if (error.reason != Reason::kNone) body["reason"] = reason_name(error.reason);
  context.respond(
      {.status = http_status(error.code), .body = http::Body::of(json::serialize(body))});
}

void answer_secret(http::RequestContext& context, const json::value& value) {
  std::string text = json::serialize(value);
  secret::Buffer body = secret::Buffer::copy_of(as_bytes(text));
  secret::wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  context.respond({.body = http::Body(std::move(body))});
}

Result<json::object> body_object(http::RequestContext& context) {
  json::error_code bad;
  json::value value = json::parse(context.body().text(), bad);
  if (bad || !value.is_object()) {
    return fail(Code::kInvalidArgument, "the request's body must be a JSON object");
  }
  return std::move(value.get_object());
}

Result<std::string> text_field(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) {
    return fail(Code::kInvalidArgument, std::string("field '") + key + "' must be a text");
  }
  return std::string(value->get_string());
}

std::string text_field_or(const json::object& object, const char* key,
                          const std::string& otherwise) {
  return text_field(object, key).value_or(otherwise);
}

Result<std::vector<std::string>> texts_field(const json::object& object, const char* key) {
  std::vector<std::string> texts;
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return texts;
  const auto wrong = [&] {
    return fail(Code::kInvalidArgument, "field '" + std::string(key) + "' must be a list of texts");
  };
  if (!value->is_array()) return wrong();
  for (const json::value& entry : value->get_array()) {
    if (!entry.is_string()) return wrong();
    texts.emplace_back(entry.get_string());
  }
  return texts;
}

Result<std::uint64_t> number_field(const json::object& object, const char* key,
                                   std::uint64_t most) {
  const json::value* value = object.if_contains(key);
  json::error_code bad;
  const std::uint64_t number = value == nullptr ? 0 : value->to_number<std::uint64_t>(bad);
  if (value == nullptr || bad || number > most) {
    return fail(Code::kInvalidArgument,
                std::string("field '") + key + "' must be a number up to " + std::to_string(most));
  }
  return number;
}

Result<std::uint64_t> number_field_or(const json::object& object, const char* key,
                                      std::uint64_t most, std::uint64_t otherwise) {
  if (!object.contains(key)) return otherwise;
  return number_field(object, key, most);
}

Result<secret::Buffer> secret_field(const json::object& object, const char* key, std::size_t size) {
  TRY_ASSIGN(std::string text, text_field(object, key));
  auto bytes = from_hex(text);
  secret::wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  if (!bytes || bytes->size() != size) {
    return fail(Code::kInvalidArgument, std::string("field '") + key + "' must be " +
                                            std::to_string(2 * size) + " hexadecimal digits");
  }
  secret::Buffer secret = secret::Buffer::copy_of(*bytes);
  secret::wipe(*bytes);
  return secret;
}

Result<std::uint64_t> query_number(http::RequestContext& context, const char* name,
                                   std::uint64_t otherwise) {
  const auto text = context.request().query.find(name);
  if (!text) return otherwise;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size()) {
    return fail(Code::kInvalidArgument, std::string("'") + name + "' must be a number");
  }
  return number;
}

}  // namespace warifu::api
