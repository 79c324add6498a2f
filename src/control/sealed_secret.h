// Small secrets in database records: sealed under the site's root key with a random nonce.
//
//   sealed := nonce:12 ciphertext tag:16      (AES-256-GCM)
#pragma once

#include "mac/mac.h"
#include "os/system.h"
#include "secret/secret.h"

namespace warifu::control {

[[nodiscard]] Bytes seal_secret(ByteView root_key, os::Random& random, ByteView secret);
// Errors: kCorrupt.
[[nodiscard]] Result<secret::Buffer> open_secret(ByteView root_key, ByteView sealed);

// What share control must remember of an object until the card has it. r verifies every chunk.
struct ObjectSecrets {
  secret::Buffer staging_key;  // empty once the staged file is erased
  // r, 16 bytes; empty of one of several guardians' grants as long as no card has brought it.
  secret::Buffer hash_key;
  mac::Tag tag{};  // over all tags; zeros until all chunks were cut: not known
  Bytes cuts;      // of a grant for regions: encode_cuts(); then no staging key
};
[[nodiscard]] Bytes seal_object_secrets(ByteView root_key, os::Random& random,
                                        const ObjectSecrets& secrets);
[[nodiscard]] Result<ObjectSecrets> open_object_secrets(ByteView root_key, ByteView sealed);

}  // namespace warifu::control
