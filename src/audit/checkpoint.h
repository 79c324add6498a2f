// A checkpoint: what a log was at some moment, signed; and the co-signatures of witnesses.
//
//   note := body LF signature*
//   body := origin LF size LF base64(root) LF
//   signature := "— " name SP base64(key_id:4 bytes) LF        an em dash, U+2014
//
// Source: C2SP signed-note, tlog-checkpoint, tlog-cosignature. Ed25519 of a log's own (kind 01) is
// over the body; that of a witness (kind 04) over "cosignature/v1" LF "time " seconds LF body, and
// its bytes are time:u64 big-endian, then 64. key_id is the beginning of SHA-256(name LF kind key).
// Computational. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/merkle.h"
#include "crypto/signing.h"
#include "os/system.h"

namespace warifu::audit {

struct Checkpoint {
  std::string origin;  // "warifu.log/SITE"
  std::uint64_t size = 0;
  Digest root{};
  bool operator==(const Checkpoint&) const = default;

  [[nodiscard]] std::string body() const;
};

[[nodiscard]] std::string origin_of(const SiteName& site);

enum class SignatureKind : Byte { kLog = 1, kWitness = 4 };

// One line under the body of a note.
[[nodiscard]] std::string sign_line(const Checkpoint& checkpoint, const std::string& name,
                                    const crypto::SigningKey& key);
[[nodiscard]] std::string cosign_line(const Checkpoint& checkpoint, const std::string& name,
                                      const crypto::SigningKey& key, os::UnixMs now);

struct Note {
  Checkpoint checkpoint;
  std::vector<std::string> lines;  // the signatures as they stand, unverified

  [[nodiscard]] std::string text() const;
};

// Errors: kCorrupt saying what is not a note.
[[nodiscard]] Result<Note> parse_note(std::string_view text);

// When the holder of that key signed the note: 0 for a log itself, which tells no time. None when
// no line is its valid signature.
[[nodiscard]] std::optional<os::UnixMs> signed_by(const Note& note, const std::string& name,
                                                  SignatureKind kind, const crypto::PublicKey& key);

}  // namespace warifu::audit
