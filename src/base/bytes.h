// Byte spans and plain (not secret) byte strings, with hexadecimal text.
//
// Secret bytes live in secret::Buffer, never in Bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warifu {

using Byte = std::uint8_t;
using Bytes = std::vector<Byte>;
using ByteView = std::span<const Byte>;
using MutableBytes = std::span<Byte>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Copies all of `from` to the start of `to`; `to` must be at least as long.
inline void copy_bytes(MutableBytes to, ByteView from) {
  WARIFU_CHECK(to.size() >= from.size());
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

// Lower-case hexadecimal text. Not constant-time: never for secrets.
[[nodiscard]] std::string to_hex(ByteView bytes);

// Parses hexadecimal text of even length, either case. Errors: kInvalidArgument.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

}  // namespace warifu
