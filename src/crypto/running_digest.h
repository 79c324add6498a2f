// SHA-256 (FIPS 180-4) of bytes that come one after the other. Of a genome the result is as secret
// as the genome: it confirms a guess of the whole file. One thread.
#pragma once

#include "crypto/crypto.h"

struct evp_md_ctx_st;

namespace warifu::crypto {

class RunningDigest {
 public:
  RunningDigest();
  ~RunningDigest();
  RunningDigest(const RunningDigest&) = delete;
  RunningDigest& operator=(const RunningDigest&) = delete;
  void add(ByteView bytes);
  // Once.
  [[nodiscard]] Digest finish();

 private:
  evp_md_ctx_st* context_;
};

}  // namespace warifu::crypto
