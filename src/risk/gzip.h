// Text that may be packed with gzip (RFC 1952; several members in a row, as bgzip writes them).
//
// Pure function, any thread. Input may be hostile: never more than `most` bytes come out.
#pragma once

#include <string>

#include "base/bytes.h"

namespace warifu::risk {

// The text itself when it does not begin as gzip does.
// Errors: kInvalidArgument when there is more than `most`; kCorrupt when it does not unpack or is
// cut off.
[[nodiscard]] Result<std::string> unpacked_text(ByteView bytes, std::size_t most);

}  // namespace warifu::risk
