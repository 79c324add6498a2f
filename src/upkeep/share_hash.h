// One holder's answers to an audit, not masked yet: for each sum that its share has a part in, the
// hash of its term, h_r(term of record 0, term of record 1, ...), each term padded with zeros to a
// multiple of 64 bytes so that all holders hash equally many blocks.
//
// h is linear over GF(2) (mac/mac.h), so the hashes of one sum add up to the hash of the sum of the
// terms: to zero when the shares belong together, and otherwise with probability at most
// blocks / 2^128 (docs/adr/0027). Every term is an injective map of the whole share, data and tags.
// Values only; one thread at a time; constant time.
#pragma once

#include <memory>

#include "store/share_header.h"
#include "upkeep/audit_orders.h"
#include "upkeep/linear_term.h"

namespace warifu::upkeep {

class ShareHash {
 public:
  // For the share that is held at site `own`. Errors: kRefused when the round has no place for it,
  // another one than its header says, or sums that are not zero.
  [[nodiscard]] static Result<ShareHash> make(const store::ShareHeader& held,
                                              const AuditRound& round, const SiteName& own);

  // Sums of the round, by number, in which this share has a part; ascending.
  [[nodiscard]] const std::vector<std::size_t>& sums() const { return sums_; }
  // All records of the share, in order.
  void add(ChunkIndex index, ByteView record);
  // In the order of sums().
  [[nodiscard]] std::vector<mac::Tag> finish() const;

 private:
  ShareHash() = default;
  std::vector<std::size_t> sums_;
  std::vector<LinearTerm> terms_;
  std::unique_ptr<const mac::Key> key_;
  std::vector<mac::Hasher> hashers_;
};

// Blocks that each holder hashes for such a share: what the bound is made of.
[[nodiscard]] std::uint64_t audit_blocks(const sharing::RecordLayout& records);

}  // namespace warifu::upkeep
