// AES-128 as cards use it: CBC without padding and CMAC. Computational; nothing between sites and
// no share at rest rests on it (crypto.h seals those). Keys and data are secret bytes of the
// caller.
//
// Pure functions; no state, any thread.
#pragma once

#include <array>

#include "base/bytes.h"

namespace warifu::crypto {

inline constexpr std::size_t kAesBlockBytes = 16;
inline constexpr std::size_t kAes128KeyBytes = 16;
using AesBlock = std::array<Byte, kAesBlockBytes>;

// CBC (NIST SP 800-38A) of whole blocks: `out` is as long as `in` and may be the same bytes. A
// single block under a zero `iv` is ECB.
void aes128_cbc_encrypt(ByteView key, const AesBlock& iv, ByteView in, MutableBytes out);
void aes128_cbc_decrypt(ByteView key, const AesBlock& iv, ByteView in, MutableBytes out);

// CMAC (NIST SP 800-38B, RFC 4493) of any number of bytes. `chain` goes in before the first block,
// as an IV: zero is the standard's function; DESFire EV1 chains one command's MAC into the next.
[[nodiscard]] AesBlock aes128_cmac(ByteView key, ByteView message, const AesBlock& chain = {});

}  // namespace warifu::crypto
