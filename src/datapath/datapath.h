// The fused passes of the data path: a chunk's record is read once, and its storage tag and its
// shares come out of one pass; and the same backwards.
//
// Byte for byte what finish_record and split (or combine and verify_record) give one after the
// other. Formats: sharing/chunk.h (record), sharing/form_q.h (shares). Nothing is kept. Any thread.
//
// The tag is the last word of a record and depends on all words before it, so that word is handled
// after the pass.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/units.h"
#include "mac/mac.h"
#include "sharing/chunk.h"
#include "sharing/form_q.h"

namespace warifu::datapath {

// Which chunk a record is.
struct ChunkName {
  ObjectId object;
  ChunkIndex index;
  std::uint32_t length = 0;  // of its data, without zeros and tag
};

// A share that is held in clear.
struct HeldShare {
  sharing::ShareIndex index;
  ByteView record;
};

// Where plain shares go; no view may overlap another or the record.
struct PlainShares {
  MutableBytes a;  // empty when the given random numbers themselves are share A
  MutableBytes b;
  MutableBytes c;
};

// Fills the zeros and the tag of `record` (whose first `length` bytes are data) and cuts it with
// `random` as share A (uniform, fresh, secret, as long as the record).
[[nodiscard]] sharing::ChunkTag cut(const mac::Key& r, const ChunkName& name, MutableBytes record,
                                    ByteView random, const PlainShares& shares);

// Combines two different shares and verifies the chunk. Errors, and then nothing is released:
// kCorrupt when the chunk's tag is wrong; kInvalidArgument when a size does not fit the chunk.
[[nodiscard]] Result<sharing::VerifiedChunk> combine_and_verify(const mac::Key& r,
                                                                const ChunkName& name,
                                                                const HeldShare& x,
                                                                const HeldShare& y);

}  // namespace warifu::datapath
