// RSA signatures with PKCS #1 v1.5 padding (RFC 8017, 8.2) and certificates for RSA keys: what a
// signature card does, for its emulator, and what checks it. Computational; nothing that has to
// hold for longer than the moment of use rests on it.
//
// Keys come from OpenSSL's generator. A key may be used by several threads.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::crypto {

class RsaKey {
 public:
  // `bits` is 2048 or more.
  [[nodiscard]] static RsaKey generate(unsigned bits);
  // PKCS #8 DER. Errors: kCorrupt.
  [[nodiscard]] static Result<RsaKey> from_der(ByteView der);
  ~RsaKey();
  RsaKey(RsaKey&&) noexcept;
  RsaKey& operator=(RsaKey&&) noexcept;

  [[nodiscard]] secret::Buffer to_der() const;
  [[nodiscard]] std::size_t bytes() const;  // of the modulus, and of a signature
  // Of a DigestInfo that the caller made, as cards take it. Errors: kInvalidArgument when it is too
  // long for the key.
  [[nodiscard]] Result<Bytes> sign_digest_info(ByteView digest_info) const;

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  friend struct RsaAuthority;
  explicit RsaKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The DigestInfo of SHA-256 over `message`: 51 bytes.
[[nodiscard]] Bytes sha256_digest_info(ByteView message);

struct RsaCertificateSpec {
  std::string common_name;  // 1..64 characters without control characters
  bool is_ca = false;
  std::chrono::seconds lasts = std::chrono::days(1825);
};
// X.509 v3 in DER, signed by `issuer` (whose name is `issuer_name`) with SHA-256; self-signed when
// both are the subject's. Errors: kInvalidArgument naming the field.
[[nodiscard]] Result<Bytes> make_rsa_certificate(const RsaCertificateSpec& spec,
                                                 const RsaKey& subject, const RsaKey& issuer,
                                                 const std::string& issuer_name);

// An authority that can sign certificates for RSA keys.
struct RsaAuthority {
  RsaKey key;
  Bytes certificate;        // DER
  std::string common_name;  // its own
  // Errors: kInvalidArgument when these texts (PEM) are no authority's certificate and its RSA key.
  [[nodiscard]] static Result<RsaAuthority> from_pem(const std::string& certificate,
                                                     const std::string& key);
};
// As make_rsa_certificate(), with the authority's whole name as issuer. Errors: the same.
[[nodiscard]] Result<Bytes> issue_rsa_certificate(const RsaCertificateSpec& spec,
                                                  const RsaKey& subject,
                                                  const RsaAuthority& authority);

}  // namespace warifu::crypto
