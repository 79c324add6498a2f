// Pieces of a CRAM file that more than one parser reads: integers, a container's head, blocks
// (CRAMv3 sections 2.3, 7 and 8). Within the component only.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "wire/wire.h"

namespace warifu::genome {

// Integers of CRAM 2 and 3 (section 2.3): as many more bytes as the first one has leading ones.
[[nodiscard]] std::uint64_t take_itf8(wire::Reader& in);
// The same as the signed number of 32 bits that it stands for.
[[nodiscard]] std::int32_t take_signed_itf8(wire::Reader& in);
void skip_ltf8(wire::Reader& in);

// Takes a container's head of a CRAM of that major version; `length` is of its blocks. The head's
// own bytes. Errors: kProtocol naming what is wrong.
[[nodiscard]] Result<std::uint64_t> skip_container(wire::Reader& in, unsigned major,
                                                   std::uint32_t& length);

struct CramBlock {
  unsigned type = 0;  // 0 header, 1 compression header, 2 slice header, ...
  Bytes plain;
};
// The next block, raw or gzip as all headers are, with the checksum behind it. Errors: kCorrupt
// naming `what`: cut short, of another compression, longer than `most` when it is inflated.
[[nodiscard]] Result<CramBlock> take_block(wire::Reader& in, unsigned major, std::uint64_t most,
                                           std::string_view what);

}  // namespace warifu::genome
