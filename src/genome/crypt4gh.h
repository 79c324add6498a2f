// Crypt4GH version 1 (GA4GH, GA4GH file encryption standard; Senf et al. 2021): what laboratories
// send, and files for a grantee's key.
//
// Not quantum-safe: its X25519 falls to a quantum computer, so what was caught on its way can be
// read later. It does not show who wrote a file, nor that blocks were left out or reordered. Reads
// data keys and edit lists; any number of packets for other readers is passed over. Streaming; keys
// in locked memory. Any thread.
#pragma once

#include <functional>

#include "genome/index.h"
#include "os/system.h"
#include "secret/secret.h"

namespace warifu::genome {

inline constexpr std::size_t kCrypt4ghKeyBytes = 32;
inline constexpr std::size_t kCrypt4ghBlock = 65'536;
inline constexpr std::size_t kMaxKeyFile = 64 * 1024;

[[nodiscard]] bool is_crypt4gh(ByteView first);

// From a key file of `crypt4gh-keygen` (or ssh-less ones of htsget clients). `ask` is called when
// the key is protected by a passphrase. Errors: kCorrupt; kRefused for a wrong passphrase;
// kInvalidArgument for a kind of protection that is not supported (bcrypt).
using AskPassphrase = std::function<Result<secret::Buffer>()>;
[[nodiscard]] Result<secret::Buffer> crypt4gh_private_key(ByteView file, const AskPassphrase& ask,
                                                          std::string_view what);
[[nodiscard]] Result<Bytes> crypt4gh_public_key(ByteView file, std::string_view what);

// Fills `out` from where it stopped; less only at the end.
using Source = std::function<Result<std::size_t>(MutableBytes out)>;

// Errors: kRefused when no packet is for this key; kCorrupt for damage, with the byte; those of the
// functions. What went to `sink` before an error is not to be used.
[[nodiscard]] Result<> crypt4gh_decrypt(const Source& source, const secret::Buffer& key,
                                        const Sink& sink, std::string_view what);
// For one reader, from a fresh key of the writer. Errors: those of the functions; kInvalidArgument
// for a public key that is none.
[[nodiscard]] Result<> crypt4gh_encrypt(const Source& source, ByteView reader_key, const Sink& sink,
                                        os::Random& random);

}  // namespace warifu::genome
