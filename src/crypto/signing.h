// Ed25519 (RFC 8032): who wrote a checkpoint of a log. Computational, and nothing else rests on it.
//
// The private key is the 32-byte seed, in locked memory. A SigningKey may be used by several
// threads.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::crypto {

inline constexpr std::size_t kSigningSeedBytes = 32;
using PublicKey = std::array<Byte, 32>;
using Signature = std::array<Byte, 64>;

class SigningKey {
 public:
  // `seed` has kSigningSeedBytes random bytes; it is copied.
  explicit SigningKey(const secret::Buffer& seed);
  ~SigningKey();
  SigningKey(SigningKey&&) noexcept;

  [[nodiscard]] const PublicKey& public_key() const { return public_; }
  [[nodiscard]] Signature sign(ByteView message) const;

 private:
  struct Key;
  std::unique_ptr<Key> key_;
  PublicKey public_{};
};

[[nodiscard]] bool verify_signature(const PublicKey& key, ByteView message,
                                    const Signature& signature);

}  // namespace warifu::crypto
