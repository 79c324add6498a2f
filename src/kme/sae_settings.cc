// What of a [kms] section fits together.
#include "kme/sae_settings.h"

#include <set>

namespace warifu::kme {
namespace {
constexpr std::int64_t kMaxRequestBits = 16 << 20;
constexpr std::size_t kMaxIdLength = 64;

bool is_id(const std::string& id) {
  if (id.empty() || id.size() > kMaxIdLength) return false;
  for (const char c : id) {
    if (c <= ' ' || c > '~' || c == '/' || c == '%' || c == '?' || c == '#') return false;
  }
  return true;
}
}  // namespace

Result<> SaeSettings::check(const SiteName& self) const {
  const auto bad = [](std::string text) { return fail(Code::kInvalidArgument, std::move(text)); };
  for (const std::int64_t size : {key_size, min_key_size, max_key_size}) {
    if (size % 8 != 0) return bad("sizes of keys must be multiples of 8 bits");
  }
  if (min_key_size > key_size || key_size > max_key_size) {
    return bad("min_key_size <= key_size <= max_key_size must hold");
  }
  if (max_keys_per_request * max_key_size > kMaxRequestBits) {
    return bad("max_keys_per_request times max_key_size must be at most " +
               std::to_string(kMaxRequestBits) + " bits");
  }
  std::set<std::string> ids, identities;
  for (const SaeEntry& sae : saes) {
    if (!is_id(sae.id)) {
      return bad("SAE id '" + sae.id + "' must be 1 to 64 printable characters without / % ? #");
    }
    if (!ids.insert(sae.id).second) return bad("SAE " + sae.id + " stands twice");
    if (sae.site != self) continue;
    if (sae.identity.empty()) return bad("SAE " + sae.id + " is of this site: identity is missing");
    if (!identities.insert(sae.identity).second) {
      return bad("identity '" + sae.identity + "' stands for two SAEs");
    }
  }
  return {};
}

}  // namespace warifu::kme
