// PINs entered on the reader's own pad: what is asked of the reader, in bytes. The PIN then never
// passes through this machine. Pure functions.
// Source: PC/SC Workgroup specification, part 10 (IFDs with secure PIN entry), version 2.02.09.
#pragma once

#include "card/transport.h"

namespace warifu::pcsc {

// The control code of a feature in the answer to GET_FEATURE_REQUEST (tag, length 4, code, big
// endian); 0 when it is not there. Errors: kProtocol for an answer that is no such list.
[[nodiscard]] Result<std::uint32_t> find_feature(ByteView features, Byte tag);

// PIN_VERIFY_STRUCTURE: digits as ASCII, as long as the person makes them within the limits, the
// confirmation key ends the entry; 30 seconds.
[[nodiscard]] Bytes verify_order(const card::PadEntry& entry);

}  // namespace warifu::pcsc
