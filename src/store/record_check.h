// The check that a holder keeps behind each record of a share, to notice rot by itself.
//
//   check_i = h_k(i:u64 length:u32 "CHK1", record_i)     h of mac/mac.h, k the share's check key
//
// k is drawn at random when the file is made and never leaves the store, so a change that was made
// without knowing it passes with at most (blocks + 1) / 2^128. Who reads the whole file can make
// fitting checks: this names rot, an audit (upkeep/share_auditor.h) finds lies. Values only; any
// thread.
#pragma once

#include "mac/mac.h"
#include "store/share_header.h"

namespace warifu::store {

class RecordChecker {
 public:
  // `key` is not zero.
  explicit RecordChecker(const CheckKey& key) : key_(key) {}
  // The length of `record` is a multiple of 32.
  [[nodiscard]] CheckKey check_of(ChunkIndex index, ByteView record) const;

 private:
  mac::Key key_;
};

}  // namespace warifu::store
