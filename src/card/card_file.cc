// Locks, ATR, and the two kinds of card files.
#include "card/card_file.h"

#include "card/desfire_emulator.h"
#include "card/emulator.h"
#include "card/jpki_emulator.h"

namespace warifu::card {
namespace {

constexpr std::string_view kDesfireMagic = "WDC1";
constexpr std::string_view kJpkiMagic = "WJP1";

template <typename Card>
Result<std::unique_ptr<CardTransport>> as_transport(Result<std::unique_ptr<Card>> card) {
  if (!card) return std::unexpected(card.error());
  return std::unique_ptr<CardTransport>(std::move(*card));
}

}  // namespace

Result<std::unique_ptr<os::DirectoryLock>> lock_card_file(os::FileSystem& files,
                                                          const std::string& path) {
  const std::string folder = path + ".lock";
  TRY(files.make_directories(folder));
  auto lock = files.lock_directory(folder);
  if (!lock && lock.error().code == Code::kBusy) {
    return fail(Code::kBusy, "card '" + path + "' is in use by another process");
  }
  return lock;
}

Bytes emulated_atr() {
  // TS, T0 (TD1 follows, 13 historical bytes), TD1 (T=0, TD2 follows), TD2 (T=1), text, checksum.
  Bytes atr = {0x3B, 0x8D, 0x80, 0x01};
  for (const char c : std::string_view("emulated card")) atr.push_back(static_cast<Byte>(c));
  Byte checksum = 0;
  for (std::size_t i = 1; i < atr.size(); ++i) checksum = static_cast<Byte>(checksum ^ atr[i]);
  atr.push_back(checksum);
  return atr;
}

Result<std::unique_ptr<CardTransport>> open_card_file(const os::System& system,
                                                      const std::string& path,
                                                      std::optional<EmulatedKind> blank) {
  if (!system.files.exists(path) && blank == EmulatedKind::kDesfire) {
    return as_transport(desfire::DesfireCard::create(system.files, system.random, path));
  }
  if (!system.files.exists(path) && blank == EmulatedKind::kConsentCard) {
    return as_transport(EmulatedCard::create(system.files, path));
  }
  if (!system.files.exists(path)) {
    return fail(Code::kNotFound, "there is no card file '" + path + "'");
  }
  TRY_ASSIGN(const auto file, system.files.open(path, os::OpenMode::kRead));
  std::array<Byte, 4> magic{};
  TRY(file->read_at(0, magic));
  if (as_text(magic) == kDesfireMagic) {
    return as_transport(desfire::DesfireCard::open(system.files, system.random, path));
  }
  if (as_text(magic) == kJpkiMagic) {
    return as_transport(EmulatedJpkiCard::open(system.files, path));
  }
  return as_transport(EmulatedCard::open(system.files, path));
}

}  // namespace warifu::card
