// Percent coding, header fields, targets and error bodies.
#include "http/message.h"

#include <algorithm>
#include <array>

#include "base/percent.h"

namespace warifu::http {
namespace {

constexpr std::array<std::pair<Method, std::string_view>, 7> kMethods = {
    {{Method::kGet, "GET"},
     {Method::kHead, "HEAD"},
     {Method::kPost, "POST"},
     {Method::kPut, "PUT"},
     {Method::kPatch, "PATCH"},
     {Method::kDelete, "DELETE"},
     {Method::kOptions, "OPTIONS"}}};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view method_name(Method method) {
  for (const auto& [value, name] : kMethods) {
    if (value == method) return name;
  }
  return "OTHER";
}

Method method_from(std::string_view name) {
  for (const auto& [value, text] : kMethods) {
    if (text == name) return value;
  }
  return Method::kOther;
}

void Headers::add(std::string_view name, std::string_view value) {
  std::string clean(value);
  std::ranges::replace_if(clean, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  fields_.emplace_back(name, std::move(clean));
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (same_name(field, name)) return value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields_, [&](const auto& f) { return same_name(f.first, name); }));
}

Result<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    TRY_ASSIGN(std::string name, percent_decode(part.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      TRY_ASSIGN(value, percent_decode(part.substr(equals + 1), true));
    }
    query.fields_.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (field == name) return value;
  }
  return std::nullopt;
}

bool Query::repeated(std::string_view name) const {
  return std::ranges::count_if(fields_, [&](const auto& f) { return f.first == name; }) > 1;
}

ByteView Body::view() const {
  if (const auto* plain = std::get_if<Bytes>(&data_)) return *plain;
  return std::get<secret::Buffer>(data_).bytes();
}

secret::Buffer Body::take_secret() {
  if (auto* plain = std::get_if<Bytes>(&data_)) {
    secret::Buffer copy = secret::Buffer::copy_of(*plain);
    wipe();
    return copy;
  }
  return std::move(std::get<secret::Buffer>(data_));
}

void Body::wipe() {
  if (auto* plain = std::get_if<Bytes>(&data_)) {
    secret::wipe(*plain);
    plain->clear();
  } else {
    data_ = secret::Buffer();
  }
}

Result<> parse_target(Request& request) {
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  if (!path.starts_with('/')) {
    return fail(Code::kInvalidArgument, "the address must be an absolute path");
  }
  request.segments.clear();
  std::string_view rest = path.substr(1);
  while (path.size() > 1) {
    const std::size_t slash = rest.find('/');
    auto segment = percent_decode(rest.substr(0, slash), false);
    if (!segment) return std::unexpected(std::move(segment).error());
    if (*segment == "." || *segment == "..") {
      return fail(Code::kInvalidArgument, "the address has a dot segment");
    }
    request.segments.push_back(std::move(*segment));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (path.size() < target.size()) {
    TRY_ASSIGN(request.query, Query::parse(target.substr(path.size() + 1)));
  }
  return {};
}

std::string error_json(std::string_view message) {
  std::string out = "{\"message\":\"";
  for (const char c : message) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= 0x20 && c < 0x7F ? c : '?';
  }
  return out + "\"}";
}

Response error_response(int status, std::string_view message) {
  return {status, "application/json", Body::of(error_json(message)), {}};
}

std::string_view reason_phrase(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 31> kPhrases = {
      {{100, "Continue"},
       {200, "OK"},
       {201, "Created"},
       {202, "Accepted"},
       {204, "No Content"},
       {206, "Partial Content"},
       {301, "Moved Permanently"},
       {302, "Found"},
       {303, "See Other"},
       {304, "Not Modified"},
       {307, "Temporary Redirect"},
       {308, "Permanent Redirect"},
       {400, "Bad Request"},
       {401, "Unauthorized"},
       {403, "Forbidden"},
       {404, "Not Found"},
       {405, "Method Not Allowed"},
       {406, "Not Acceptable"},
       {408, "Request Timeout"},
       {409, "Conflict"},
       {411, "Length Required"},
       {412, "Precondition Failed"},
       {413, "Content Too Large"},
       {415, "Unsupported Media Type"},
       {416, "Range Not Satisfiable"},
       {429, "Too Many Requests"},
       {431, "Request Header Fields Too Large"},
       {500, "Internal Server Error"},
       {501, "Not Implemented"},
       {503, "Service Unavailable"},
       {507, "Insufficient Storage"}}};
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) return phrase;
  }
  return "Status";
}

}  // namespace warifu::http
