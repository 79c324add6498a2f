// What emulated cards share: the lock beside a card file, the ATR that says what they are, and
// opening a file of any kind.
//
// One process and one object hold a card file (a lock folder PATH.lock beside it). One thread.
#pragma once

#include <memory>
#include <string>

#include "card/transport.h"
#include "os/system.h"

namespace warifu::card {

enum class EmulatedKind : std::uint8_t { kConsentCard, kDesfire };

// Errors: kBusy naming the file; kIo.
[[nodiscard]] Result<std::unique_ptr<os::DirectoryLock>> lock_card_file(os::FileSystem& files,
                                                                        const std::string& path);

// 3B 8D 80 01, the historical bytes "emulated card", checksum.
[[nodiscard]] Bytes emulated_atr();

// Opens the card in the file, whichever kind it is (a My Number Card too); a blank one of `blank`
// when the file is not there and that is given. Errors: kNotFound, kBusy, kCorrupt naming the file,
// kIo.
[[nodiscard]] Result<std::unique_ptr<CardTransport>> open_card_file(
    const os::System& system, const std::string& path,
    std::optional<EmulatedKind> blank = std::nullopt);

}  // namespace warifu::card
