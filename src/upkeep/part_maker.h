// What one holder's record adds to the record that is made elsewhere: its share as it is, or its
// weight in the lost share, through the shares above when it is a part of one.
//
// Every step is linear, so parts may be summed in any order and masked before (sharing/repair.h).
// Values only; one thread at a time; constant time.
#pragma once

#include "store/share_header.h"
#include "upkeep/linear_term.h"
#include "upkeep/orders.h"

namespace warifu::upkeep {

class PartMaker {
 public:
  // Errors: kRefused when the order does not fit the share that is held, the chain does not make
  // what it says, or a sibling of the share is at the new holder already.
  [[nodiscard]] static Result<PartMaker> make(const store::ShareHeader& held,
                                              const PartOrder& order);

  // Records of what comes out.
  [[nodiscard]] const sharing::RecordLayout& records() const { return records_; }
  // The part of record `index`, not masked yet; `record` is the held share's.
  [[nodiscard]] secret::Buffer part(ChunkIndex index, secret::Buffer record) const;

 private:
  PartMaker() = default;
  LinearTerm term_;
  sharing::RecordLayout records_;
};

// sum = sum + term: of parts and of masks. One length.
void add_into(MutableBytes sum, ByteView term);

}  // namespace warifu::upkeep
