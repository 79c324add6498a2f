// Base64 of bulk key: the same text as wire's base64, ten times as fast, in constant time too.
//
// Whole blocks go through vectors of the compiler (SSE2, NEON), without tables, branches or
// addresses that depend on the bytes; the rest, and all judgement of padding, is wire's.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"

namespace warifu::kme::etsi014 {

// `text` must have wire::base64_length(bytes.size()) characters.
void encode_bulk(ByteView bytes, std::span<char> text);
// Returns the number of bytes. Errors: kInvalidArgument, as wire::base64_decode().
[[nodiscard]] Result<std::size_t> decode_bulk(std::string_view text, MutableBytes out);

}  // namespace warifu::kme::etsi014
