// Sealing and opening: one-time pad plus one-time tag over a consumed pad.
//
//   ciphertext = data XOR pad[0 .. n)
//   tag        = H_k(header, ciphertext) XOR pad[n .. n+16)
//
// H_k is the polynomial hash of mac.h; k is uniform, secret, one per grant of pad, and may serve
// many frames because every tag is masked by fresh pad (Wegman-Carter 1981). An attempt to change
// a frame succeeds with probability at most (blocks + 1) / 2^128 against an unbounded adversary.
// Secrecy of data: perfect, as far as the pad is uniform. The Pad is taken by value and wiped on
// return.
#pragma once

#include "base/bytes.h"
#include "mac/mac.h"
#include "secret/pad.h"

namespace warifu::otp {

inline constexpr std::size_t kTagBytes = mac::kBlockBytes;

// Pad bytes that sealing `payload` bytes costs.
[[nodiscard]] constexpr std::size_t pad_needed(std::size_t payload) {
  return payload + kTagBytes;
}

// Encrypts `data` in place and returns the tag. `header` is authenticated, must be a multiple of
// 16 bytes and must hold the length of `data`. pad.size() must be pad_needed(data.size()).
[[nodiscard]] mac::Tag seal(secret::Pad&& pad, const mac::Key& key, ByteView header,
                            MutableBytes data);

// Verifies in constant time and decrypts in place, in one pass. Errors: kProtocol when the tag is
// wrong; `data` then holds the ciphertext again and the pad is burnt all the same. Until open
// returns, nobody else may read `data`.
[[nodiscard]] Result<> open(secret::Pad&& pad, const mac::Key& key, ByteView header,
                            MutableBytes data, ByteView tag);

}  // namespace warifu::otp
