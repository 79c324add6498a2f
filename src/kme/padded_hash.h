// Hashing pieces of any length one after another, each padded with zeros to whole blocks.
//
// What fixes the lengths must be hashed or compared too. Pure.
#pragma once

#include "mac/mac.h"
#include "secret/secret.h"

namespace warifu::kme {

inline void hash_padded(mac::Hasher& hasher, ByteView piece) {
  const std::size_t whole = piece.size() / mac::kBlockBytes * mac::kBlockBytes;
  hasher.update(piece.first(whole));
  if (whole == piece.size()) return;
  secret::Buffer last(mac::kBlockBytes);
  copy_bytes(last.bytes(), piece.subspan(whole));
  hasher.update(last.bytes());
}

}  // namespace warifu::kme
