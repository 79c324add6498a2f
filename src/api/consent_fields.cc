// Bounds, and types that hold no more.
#include "api/consent_fields.h"

#include "consent/grant.h"
#include "control/decoys.h"

namespace warifu::api {
namespace {

constexpr std::uint64_t kMostValidSeconds = 400ULL * 86'400;

}  // namespace

Result<std::uint32_t> decoys_field(const json::object& body) {
  TRY_ASSIGN(const std::uint64_t decoys, number_field_or(body, "decoys", control::kMostDecoys, 0));
  return static_cast<std::uint32_t>(decoys);
}

Result<std::uint16_t> uses_field(const json::object& body) {
  TRY_ASSIGN(const std::uint64_t uses, number_field(body, "uses", consent::kMaxUses));
  return static_cast<std::uint16_t>(uses);
}

Result<std::chrono::seconds> valid_field(const json::object& body) {
  TRY_ASSIGN(const std::uint64_t seconds, number_field(body, "valid_seconds", kMostValidSeconds));
  return std::chrono::seconds(seconds);
}

}  // namespace warifu::api
