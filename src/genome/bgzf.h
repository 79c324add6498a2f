// BGZF (SAMv1 section 4.1) in bounded memory: what headers and the cutting of files need of it.
// Records are never decoded here.
//
// Invariant: no function gives more bytes than its caller's limit, whatever the input says of
// itself. Stateless; any thread.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::genome {

inline constexpr std::size_t kBgzfHeadBytes = 18;      // of a block as htslib and htsjdk write it
inline constexpr std::size_t kMaxBgzfBlock = 65'536;   // compressed, and inflated too
inline constexpr std::size_t kBgzfFillBytes = 65'280;  // plain bytes in a block that we write

// The empty block that ends every complete file.
inline constexpr std::array<Byte, 28> kBgzfEnd = {0x1f, 0x8b, 0x08, 0x04, 0,    0, 0,    0, 0, 0xff,
                                                  0x06, 0,    0x42, 0x43, 0x02, 0, 0x1b, 0, 3, 0,
                                                  0,    0,    0,    0,    0,    0, 0,    0};

// Also true of a block whose fields we could not use; bgzf_block_bytes() says so then.
[[nodiscard]] bool is_bgzf(ByteView bytes);

// Whole length of the block that starts here, from its first bytes (kBgzfHeadBytes are enough for
// blocks of the usual writers). Errors: kCorrupt naming `what`.
[[nodiscard]] Result<std::size_t> bgzf_block_bytes(ByteView head, std::string_view what);
// The plain bytes of one whole block; its CRC is checked. They may be reads: locked memory.
[[nodiscard]] Result<secret::Buffer> inflate_block(ByteView block, std::string_view what);
// One block around at most kBgzfFillBytes.
[[nodiscard]] secret::Buffer deflate_block(ByteView plain);

}  // namespace warifu::genome
