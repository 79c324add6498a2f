// Argon2id by libargon2, in its own text form: "$argon2id$v=19$m=65536,t=3,p=1$SALT$HASH".
#include "operators/passphrases.h"

#include <argon2.h>

#include "base/reason.h"

namespace warifu::operators {
namespace {

// The second recommended set of RFC 9106, section 4, with one lane: it is computed by one thread.
constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kMemoryKib = 64 * 1024;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::uint64_t kMaxHashFile = 1024;

}  // namespace

Result<> set_passphrase(const os::System& system, const std::string& folder,
                        const std::string& name, ByteView passphrase) {
  if (passphrase.size() < kMinPassphrase || passphrase.size() > kMaxPassphrase) {
    return fail(Code::kInvalidArgument, "a passphrase has " + std::to_string(kMinPassphrase) +
                                            " to " + std::to_string(kMaxPassphrase) + " bytes");
  }
  std::array<Byte, kSaltBytes> salt{};
  system.random.fill(salt);
  std::string text(
      ::argon2_encodedlen(kPasses, kMemoryKib, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  const int done =
      ::argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, passphrase.data(), passphrase.size(),
                              salt.data(), salt.size(), kHashBytes, text.data(), text.size());
  if (done != ARGON2_OK) {
    return fail(Code::kIo, std::string("argon2: ") + ::argon2_error_message(done));
  }
  text.back() = '\n';  // it was the zero at the end
  TRY(system.files.make_directories(folder));
  return os::replace_file(system.files, folder + "/" + name, as_bytes(text));
}

Result<> Passphrases::check(const std::string& name, ByteView passphrase) const {
  const std::string path = folder_ + "/" + name;
  if (!system_.files.exists(path)) {
    return fail(Code::kRefused,
                name +
                    " has no passphrase here; the site's own user sets it with "
                    "warifu operator passphrase",
                Reason::kPassphraseNone);
  }
  TRY_ASSIGN(const Bytes bytes, os::read_file(system_.files, path, kMaxHashFile));
  std::string encoded(as_text(bytes));
  if (encoded.ends_with('\n')) encoded.pop_back();
  const int verified = ::argon2id_verify(encoded.c_str(), passphrase.data(), passphrase.size());
  if (verified == ARGON2_OK) return {};
  if (verified == ARGON2_VERIFY_MISMATCH)
    return fail(Code::kRefused, "wrong passphrase", Reason::kPassphraseWrong);
  return fail(Code::kCorrupt, "'" + path + "': " + ::argon2_error_message(verified));
}

Result<std::string> Passphrases::confirm(const std::string& name, ByteView passphrase) {
  const std::lock_guard hashing(hashing_);
  {
    const std::lock_guard lock(mutex_);
    State& state = states_[name];
    if (state.wrong >= kTriesInARow) {
      if (system_.clock.monotonic() - state.last_wrong < kPause) {
        return fail(Code::kRefused,
                    std::to_string(kTriesInARow) + " wrong passphrases of " + name +
                        " in a row: nothing is tried for " + std::to_string(kPause.count()) +
                        " minutes",
                    Reason::kPassphraseWait);
      }
      state.wrong = 0;
    }
    // Counted before it is tried; taken back when it was right.
    ++state.wrong;
    state.last_wrong = system_.clock.monotonic();
  }
  const auto checked = check(name, passphrase);
  const std::lock_guard lock(mutex_);
  State& state = states_[name];
  if (!checked) return std::unexpected(checked.error());
  state.wrong = 0;
  system_.random.fill(state.confirmation);
  state.given = system_.clock.monotonic();
  state.is_given = true;
  return to_hex(state.confirmation);
}

bool Passphrases::spend(const std::string& name, std::string_view confirmation) {
  const auto bytes = from_hex(confirmation);
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(name);
  if (!bytes || found == states_.end() || !found->second.is_given) return false;
  State& state = found->second;
  if (system_.clock.monotonic() - state.given >= kConfirmationLife) {
    state.is_given = false;
    return false;
  }
  if (!secret::equal(*bytes, state.confirmation)) return false;
  state.is_given = false;
  return true;
}

}  // namespace warifu::operators
