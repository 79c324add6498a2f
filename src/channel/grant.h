// A range of pad as it stands in hello, welcome and grant frames.
#pragma once

#include "base/bytes.h"
#include "base/units.h"

namespace warifu::channel {

struct Grant {
  PadOffset begin;
  ByteCount size;
};

// begin:u64 size:u64
[[nodiscard]] Bytes encode(const Grant& grant);
// Errors: kProtocol.
[[nodiscard]] Result<Grant> decode_grant(ByteView bytes);

}  // namespace warifu::channel
