// What the program and its helper process say to each other over one socket: a question, an answer,
// and so on. The helper has the PKCS #11 module in it, so its answers are taken as a stranger's.
//
//   frame    := length:u32 bytes                                     at most 64 KiB; little-endian
//   question := 1 token:text key:blob       find them; key empty: the only certificate there is
//             | 2 pin:blob                  log in
//             | 3 message:blob              sign it
//   answer   := 0 found:u8 ... | code:u8 text                        code as in base/result.h
//     of 1   := certificate:blob token:text maker:text files:u8   1: the module is kept to its
//     files of 2   := nothing of 3   := signature:blob              ECDSA: r and s, as tokens give
//     them
//
// Frames are secret memory, because a PIN may be in them.
#pragma once

#include <chrono>
#include <string>

#include "base/bytes.h"
#include "os/file_sandbox.h"
#include "secret/secret.h"

namespace warifu::pkcs11 {

enum class Question : std::uint8_t { kFind = 1, kLogIn = 2, kSign = 3 };

inline constexpr std::size_t kMaxFrameBytes = 64 * 1024;
inline constexpr std::size_t kMaxTokenLabel = 32;  // CK_TOKEN_INFO
inline constexpr std::size_t kMaxKeyIdBytes = 64;
inline constexpr std::size_t kMaxTokenPin = 64;
inline constexpr std::size_t kMaxSignedBytes = 4096;

struct Found {
  Bytes certificate;  // DER
  std::string token;  // its label
  std::string maker;
  os::FileSandbox files = os::FileSandbox::kNone;
};

[[nodiscard]] secret::Buffer encode_find(const std::string& token, ByteView key);
[[nodiscard]] secret::Buffer encode_log_in(ByteView pin);
[[nodiscard]] secret::Buffer encode_sign(ByteView message);

[[nodiscard]] secret::Buffer encode_answer(const Result<Found>& found);
[[nodiscard]] secret::Buffer encode_answer(const Result<>& done);
[[nodiscard]] secret::Buffer encode_answer(const Result<Bytes>& signature);
// The answer, or the Error in it; kProtocol when it is malformed.
[[nodiscard]] Result<Found> decode_found(ByteView answer);
[[nodiscard]] Result<> decode_done(ByteView answer);
[[nodiscard]] Result<Bytes> decode_signature(ByteView answer);

// Errors: kUnavailable when the other side is gone; kTimeout; kProtocol (too long).
[[nodiscard]] Result<> send_frame(int socket, ByteView bytes);
[[nodiscard]] Result<secret::Buffer> receive_frame(int socket, std::chrono::milliseconds patience);

}  // namespace warifu::pkcs11
