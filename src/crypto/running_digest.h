// Digests of bytes that come one after the other. A digest belongs to one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"

struct evp_md_ctx_st;
struct evp_md_st;

namespace warifu::crypto {

class RunningDigest {
 public:
  // FIPS 180-4. Of a genome the result is as secret as the genome: it confirms a guess of the whole
  // file.
  [[nodiscard]] static RunningDigest sha256();
  // RFC 1321, where a standard asks for it as a check of transport (htsget 1.3: `md5` of a ticket).
  // It protects nothing: never use it against an attacker. Nothing where OpenSSL is configured
  // without it (a FIPS provider alone).
  [[nodiscard]] static std::optional<RunningDigest> md5();

  void add(ByteView bytes);
  // Hexadecimal digits. Once; nothing is added afterwards.
  [[nodiscard]] std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  static std::optional<RunningDigest> start(const evp_md_st* kind);
  RunningDigest() = default;

  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace warifu::crypto
