// Text that may be packed with gzip (several members in a row, as bgzip writes them).
//
// Pure function, any thread. Input may be hostile: never more than `most` bytes come out.
#pragma once

#include <string>

#include "base/bytes.h"

namespace warifu::risk {

// The text itself when it does not begin as gzip does.
// Errors: kInvalidArgument when a plain one is longer than `most`; kCorrupt when a packed one is,
// does not unpack, or is cut off.
[[nodiscard]] Result<std::string> unpacked_text(ByteView bytes, std::size_t most);

}  // namespace warifu::risk
