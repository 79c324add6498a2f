// MD5, where a standard asks for it as a check of transport (htsget 1.3: `md5` of a ticket). It
// protects nothing: never use it against an attacker. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"

namespace warifu::crypto {

// 32 hexadecimal digits, of the parts one after the other. Nothing where OpenSSL is configured
// without MD5 (a FIPS provider alone).
[[nodiscard]] std::optional<std::string> md5_text(std::span<const ByteView> parts);

}  // namespace warifu::crypto
