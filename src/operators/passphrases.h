// The second factor: a passphrase beside the certificate or the uid, for acts that the table marks.
//
// Kept as an Argon2id hash (RFC 9106) in a file for each operator, 0600, which the site's own user
// writes; here it is only read. An operator who gives the right passphrase gets a confirmation: 16
// random bytes, good for one act within kConfirmationLife, in memory only. After kTriesInARow wrong
// ones nothing is tried for kPause. One hash is computed at a time, so that many tries cost no more
// memory than one (64 MiB). Passphrases are never logged; wrong ones are counted.
//
// Ownership: system must outlive it. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "os/system.h"
#include "secret/secret.h"

namespace warifu::operators {

inline constexpr std::size_t kMinPassphrase = 12;  // bytes
inline constexpr std::size_t kMaxPassphrase = 256;
inline constexpr unsigned kTriesInARow = 5;
inline constexpr std::chrono::minutes kPause{15};
inline constexpr std::chrono::seconds kConfirmationLife{120};

// Writes the hash of an operator's passphrase to FOLDER/NAME, durably, in the place of an earlier
// one. Errors: kInvalidArgument (its length), kNoSpace, kIo.
[[nodiscard]] Result<> set_passphrase(const os::System& system, const std::string& folder,
                                      const std::string& name, ByteView passphrase);

class Passphrases {
 public:
  Passphrases(os::System system, std::string folder)
      : system_(system), folder_(std::move(folder)) {}

  // Hexadecimal of a confirmation; an earlier one of the operator is void. Errors: kRefused: the
  // wrong passphrase, none set, or too many tries; kIo, kCorrupt.
  [[nodiscard]] Result<std::string> confirm(const std::string& name, ByteView passphrase);
  // Takes a confirmation of the operator. False: it is none, or is void.
  [[nodiscard]] bool spend(const std::string& name, std::string_view confirmation);

 private:
  struct State {
    unsigned wrong = 0;  // in a row
    std::chrono::nanoseconds last_wrong{};
    std::array<Byte, 16> confirmation{};
    std::chrono::nanoseconds given{};
    bool is_given = false;
  };
  Result<> check(const std::string& name, ByteView passphrase) const;

  os::System system_;
  std::string folder_;
  std::mutex hashing_;  // before mutex_
  std::mutex mutex_;
  std::map<std::string, State> states_;
};

}  // namespace warifu::operators
