// Certificates of signature cards (X.509, RFC 5280), judged as a share site has to: which key, who
// vouches for it, for what, from when to when, and whether it was taken back.
//
// Signatures: RSA of 2048 bits or more with PKCS #1 v1.5 and SHA-256 (RFC 8017, 8.2), ECDSA over
// P-256 with SHA-256 and over P-384 with SHA-384 (FIPS 186-4); the key in the certificate says
// which. All of it is computational and has to hold only at the moment of use. Everything that is
// not known to be good is a flaw. Times are the caller's: nothing here looks at a clock.
// Values; several threads may use one at once.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"

namespace warifu::crypto {

enum class SignatureScheme : std::uint8_t { kRsaSha256 = 1, kEcdsaP256Sha256, kEcdsaP384Sha384 };
// "rsa_pkcs1_sha256", "ecdsa_p256_sha256", "ecdsa_p384_sha384".
[[nodiscard]] std::string_view scheme_name(SignatureScheme scheme);

inline constexpr std::size_t kMaxCertificateBytes = 16 * 1024;
inline constexpr std::size_t kMaxSignatureBytes = 1024;

// What stands in a certificate, whoever signed it.
struct CertificateFacts {
  SignatureScheme scheme = SignatureScheme::kRsaSha256;
  std::size_t key_bits = 0;
  std::string subject, issuer;  // RFC 2253, at most 256 bytes
  std::string issuer_name;      // the issuer's common name; empty when it has none
  std::chrono::sys_seconds not_before, not_after;
};
// Errors: kCorrupt when these are not the bytes of one certificate (DER); kInvalidArgument when its
// key is none of the kinds above.
[[nodiscard]] Result<CertificateFacts> describe_certificate(ByteView der);

// Whether the certificate's key made `signature` over `message`. An ECDSA signature is DER (RFC
// 3279). Errors: as describe_certificate().
[[nodiscard]] Result<bool> verify_signature(ByteView certificate, ByteView message,
                                            ByteView signature);

[[nodiscard]] Bytes sha384(ByteView bytes);
// r and s of fixed length, as PKCS #11 tokens give them, in DER. Errors: kInvalidArgument.
[[nodiscard]] Result<Bytes> ecdsa_to_der(ByteView r_and_s);

enum class CertificateFlaw : std::uint8_t {
  kDamaged,      // no certificate, or a key of another kind
  kUntrusted,    // no configured authority vouches for it
  kWeak,         // a key or a digest of less than 112 bits of security on the way
  kNotYetValid,  // it, or its authority
  kExpired,
  kWrongUse,  // it is an authority's, or not for signing
};
struct CertificateProblem {
  CertificateFlaw flaw;
  std::string text;
};

// What the lists say of one certificate.
enum class RevocationState : std::uint8_t {
  kGood,
  kRevoked,
  kNoList,     // none of its authority
  kStaleList,  // of its authority, but too old or not in force yet
  kBadList,    // not the authority's, of another scope, or damaged
};
struct RevocationFinding {
  RevocationState state = RevocationState::kNoList;
  std::string text;
};

// The authorities that a site has decided to believe.
class Authorities {
 public:
  Authorities();
  ~Authorities();
  Authorities(Authorities&&) noexcept;
  Authorities& operator=(Authorities&&) noexcept;

  // The certificates in `file`, one in DER or any number in PEM. `name` is for messages. Errors:
  // kInvalidArgument when there is none in it, or one that is no authority's.
  [[nodiscard]] Result<> add(ByteView file, const std::string& name);
  [[nodiscard]] bool empty() const;
  // Common names, in the order they were added.
  [[nodiscard]] std::vector<std::string> names() const;

  // Signed by one of these, or by one that one of these has signed; within its times; for
  // signatures (KeyUsage digitalSignature or nonRepudiation; ExtendedKeyUsage, where it stands,
  // client authentication or any). None: it is good.
  [[nodiscard]] std::optional<CertificateProblem> check(ByteView certificate,
                                                        std::chrono::sys_seconds now) const;
  // By revocation lists (RFC 5280, 5; DER or PEM) that its authority signed, is in force at `now`
  // and was made not longer than `max_age` ago.
  [[nodiscard]] RevocationFinding look_up(ByteView certificate, std::span<const Bytes> lists,
                                          std::chrono::sys_seconds now,
                                          std::chrono::seconds max_age) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warifu::crypto
