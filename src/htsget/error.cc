// One table.
#include "htsget/error.h"

#include <array>

#include <boost/json.hpp>

namespace warifu::htsget {
namespace {

struct Row {
  Kind kind;
  std::string_view name;
  int status;
};

constexpr std::array<Row, kKinds> kRows = {{
    {Kind::kInvalidAuthentication, "InvalidAuthentication", 401},
    {Kind::kPermissionDenied, "PermissionDenied", 403},
    {Kind::kNotFound, "NotFound", 404},
    {Kind::kPayloadTooLarge, "PayloadTooLarge", 413},
    {Kind::kUnsupportedFormat, "UnsupportedFormat", 400},
    {Kind::kInvalidInput, "InvalidInput", 400},
    {Kind::kInvalidRange, "InvalidRange", 400},
    {Kind::kTooManyRequests, "TooManyRequests", 429},
    {Kind::kUnavailable, "Unavailable", 503},
    {Kind::kInternalError, "InternalError", 500},
}};

const Row& row_of(Kind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row;
  }
  return kRows.back();
}

}  // namespace

std::string_view kind_name(Kind kind) {
  return row_of(kind).name;
}

int kind_status(Kind kind) {
  return row_of(kind).status;
}

std::string error_json(const Failure& failure) {
  const boost::json::object answer = {
      {"htsget", {{"error", kind_name(failure.kind)}, {"message", failure.message}}}};
  return boost::json::serialize(answer);
}

Failure failure_of(const Error& error) {
  switch (error.code) {
    case Code::kRefused: return {Kind::kPermissionDenied, "the consent does not hold any more"};
    case Code::kNotFound: return {Kind::kNotFound, "there is no such object here"};
    case Code::kBusy:
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kCancelled:
      return {Kind::kUnavailable, "the site is busy or stops; ask again in a moment"};
    case Code::kNoSpace:
      return {Kind::kPayloadTooLarge,
              "the answer does not fit into the memory that the site has for views just now; ask "
              "for less, or again in a moment"};
    default: return {Kind::kInternalError, "the site could not make the answer; its log says why"};
  }
}

}  // namespace warifu::htsget
