// Computational cryptography, in one place: sealing of data at rest and digests. TLS and
// certificates are in tls.h. This folder is the only user of OpenSSL.
//
// Nothing here carries an information-theoretic promise. It protects unused pads and staged files
// on stolen disks, and identities at the site's edge.
#pragma once

#include <array>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::crypto {

inline constexpr std::size_t kSealKeyBytes = 32;
inline constexpr std::size_t kSealOverhead = 16;
using Digest = std::array<Byte, 32>;

// SHA-256 (FIPS 180-4) of public bytes. Never of a genome: a plain digest confirms a guess.
[[nodiscard]] Digest sha256(ByteView bytes);

// HMAC-SHA-256 (RFC 2104): of public or secret messages under a secret key, as a pseudorandom
// function: what is drawn by it nobody can tell from chance, and the same is drawn again.
[[nodiscard]] Digest hmac_sha256(ByteView key, ByteView message);

// AES-256-GCM (NIST SP 800-38D) with a nonce made of `domain` and `index`: (key, domain, index)
// must never repeat. `out` has plain.size() + kSealOverhead bytes and may start at plain's address.
void seal(ByteView key, std::uint32_t domain, std::uint64_t index, ByteView plain,
          MutableBytes out);

// Opens into `plain` (sealed.size() - kSealOverhead bytes). Errors: kCorrupt when the bytes were
// changed or belong to another key, domain or index; `plain` is then wiped.
[[nodiscard]] Result<> open_sealed(ByteView key, std::uint32_t domain, std::uint64_t index,
                                   ByteView sealed, MutableBytes plain);

}  // namespace warifu::crypto
