// What the fuzz targets share.
//
// A target takes arbitrary bytes and must neither crash nor run wild; where there is a writer for
// what was read, what it writes must read back as the same. The first byte of an input chooses
// among the parsers of a target.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "wire/wire.h"

namespace warifu::fuzz {

// Each target's own; called by entry.cc.
void run(ByteView input);

// A difference that a parser and its writer must not have.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// The bytes with a right checksum behind them, so that the parser looks further.
inline Bytes with_crc(ByteView bytes) {
  wire::Writer writer;
  writer.raw(bytes);
  writer.u32(wire::crc32c(writer.bytes()));
  return writer.take();
}

}  // namespace warifu::fuzz
