// The fused passes of the data path: a chunk's record is read once, and its storage tag, its
// shares, their ciphertexts and the tags of their frames come out of one pass; and the same
// backwards.
//
// Byte for byte what finish_record, split and otp::seal (or otp::open, combine and verify_record)
// give one after the other. Formats: sharing/chunk.h (record), sharing/form_q.h (shares), otp/otp.h
// (ciphertext and tag of a frame). A Pad is consumed and wiped; nothing is kept. Any thread.
//
// The tag is the last word of a record and depends on all words before it, so that word is handled
// after the pass.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/units.h"
#include "mac/mac.h"
#include "secret/pad.h"
#include "sharing/chunk.h"
#include "sharing/form_q.h"

namespace warifu::datapath {

// Which chunk a record is.
struct ChunkName {
  ObjectId object;
  ChunkIndex index;
  std::uint32_t length = 0;  // of its data, without zeros and tag
};

// One frame to be sealed: otp::seal with the same pad, key and header gives the same bytes.
struct SealTo {
  secret::Pad pad;          // pad_needed(record size) bytes
  const mac::Key* key;      // of the grant of pad
  ByteView header;          // a multiple of 16 bytes
  MutableBytes ciphertext;  // record size; written
};

// One frame to be opened.
struct OpenFrom {
  secret::Pad pad;
  const mac::Key* key;
  ByteView header;
  ByteView ciphertext;  // record size
  ByteView tag;         // otp::kTagBytes
};

// A share that is held in clear.
struct HeldShare {
  sharing::ShareIndex index;
  ByteView record;
};

struct SealedCut {
  sharing::ChunkTag chunk_tag;
  mac::Tag frame_tag_b;
  mac::Tag frame_tag_c;
};

// Where plain shares go; no view may overlap another or the record.
struct PlainShares {
  MutableBytes a;  // empty when the given random numbers themselves are share A
  MutableBytes b;
  MutableBytes c;
};

// Fills the zeros and the tag of `record` (whose first `length` bytes are data), cuts it with
// `share_a` as share A (uniform, fresh, secret, as long as the record) and seals B and C.
[[nodiscard]] SealedCut cut_and_seal(const mac::Key& r, const ChunkName& name, MutableBytes record,
                                     ByteView share_a, SealTo b, SealTo c);

// The same without links: the shares in clear. `random` as `share_a` above.
[[nodiscard]] sharing::ChunkTag cut(const mac::Key& r, const ChunkName& name, MutableBytes record,
                                    ByteView random, const PlainShares& shares);

// Opens share `opened` from a frame, combines it with the held share and verifies the chunk.
// Errors, and then nothing is released and the pad is burnt: kProtocol when the frame's tag is
// wrong; kCorrupt when the frame is right but the chunk's own tag is not; kInvalidArgument when a
// size does not fit the chunk. The two shares must be different ones.
[[nodiscard]] Result<sharing::VerifiedChunk> open_and_combine(const mac::Key& r,
                                                              const ChunkName& name,
                                                              sharing::ShareIndex opened,
                                                              OpenFrom frame,
                                                              const HeldShare& held);

// Combines two held shares and verifies the chunk. Errors: kCorrupt, kInvalidArgument as above.
[[nodiscard]] Result<sharing::VerifiedChunk> combine_and_verify(const mac::Key& r,
                                                                const ChunkName& name,
                                                                const HeldShare& x,
                                                                const HeldShare& y);

}  // namespace warifu::datapath
