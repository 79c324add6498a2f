// MIFARE DESFire (ISO/IEC 14443 type A): commands, status codes and frames, shared by the side that
// speaks to a card and by the emulated card.
//
// Native commands travel in ISO/IEC 7816-4 APDUs: `CMD data` becomes 90 CMD 00 00 Lc data 00, the
// answer is data 91 ST. A command or an answer that is longer than a frame goes on with AF.
// Sources: NXP MF3D(H)x3 short data sheet, AN12343, AN12196, AN0945. Multi-byte numbers are
// little-endian, application ids too. Values only; any thread.
#pragma once

#include <array>
#include <optional>

#include "card/apdu.h"
#include "crypto/aes.h"

namespace warifu::card::desfire {

// Command codes, named as in the data sheet.
enum class Command : Byte {
  kAuthenticateAes = 0xAA,
  kAuthenticateEv2First = 0x71,
  kAdditionalFrame = 0xAF,
  kGetVersion = 0x60,
  kSelectApplication = 0x5A,
  kCreateApplication = 0xCA,
  kDeleteApplication = 0xDA,
  kGetApplicationIds = 0x6A,
  kGetKeySettings = 0x45,
  kGetKeyVersion = 0x64,
  kChangeKey = 0xC4,
  kGetFileIds = 0x6F,
  kGetFileSettings = 0xF5,
  kCreateStdDataFile = 0xCD,
  kCreateBackupDataFile = 0xCB,
  kReadData = 0xBD,
  kWriteData = 0x3D,
  kCommitTransaction = 0xC7,
  kAbortTransaction = 0xA7,
};

// Second byte of the status word 91xx.
enum class Status : Byte {
  kOk = 0x00,
  kNoChanges = 0x0C,
  kOutOfMemory = 0x0E,
  kIllegalCommand = 0x1C,
  kIntegrity = 0x1E,
  kNoSuchKey = 0x40,
  kLength = 0x7E,
  kPermission = 0x9D,
  kParameter = 0x9E,
  kNoApplication = 0xA0,
  kAuthentication = 0xAE,
  kMore = 0xAF,
  kBoundary = 0xBE,
  kAborted = 0xCA,
  kDuplicate = 0xDE,
  kNoFile = 0xF0,
  kMemory = 0xEE,  // a write to the card's memory failed
};
inline constexpr std::uint16_t kStatusBase = 0x9100;

// "91AE (authentication failed)".
[[nodiscard]] std::string status_text(Status status);
// None when the status word is not of a DESFire card.
[[nodiscard]] std::optional<Status> status_of(StatusWord word);
[[nodiscard]] constexpr StatusWord word_of(Status status) {
  return {static_cast<std::uint16_t>(kStatusBase | static_cast<Byte>(status))};
}

// How the data of a command is protected on the air: not, by a MAC, or enciphered and by a MAC.
enum class Comm : Byte { kPlain = 0x00, kMac = 0x01, kFull = 0x03 };

inline constexpr std::size_t kKeyBytes = crypto::kAes128KeyBytes;
inline constexpr std::size_t kMacBytes = 8;            // a truncated CMAC
inline constexpr std::size_t kCommandFrameBytes = 55;  // data of one wrapped command
inline constexpr std::size_t kAnswerFrameBytes = 59;   // data of one answer

// Three bytes on the card, least significant first; 0 is the card itself.
struct ApplicationId {
  std::uint32_t value = 0;
  auto operator<=>(const ApplicationId&) const = default;
  [[nodiscard]] std::array<Byte, 3> bytes() const {
    return {static_cast<Byte>(value), static_cast<Byte>(value >> 8),
            static_cast<Byte>(value >> 16)};
  }
};

// Who may do what with a file: a key number 0 to D, E everybody, F nobody.
struct AccessRights {
  Byte read = 0;
  Byte write = 0;
  Byte read_write = 0;
  Byte change = 0;
  static constexpr Byte kFree = 0x0E;
  // `bytes` must be two.
  [[nodiscard]] static AccessRights parse(ByteView bytes) {
    return {static_cast<Byte>(bytes[1] >> 4), static_cast<Byte>(bytes[1] & 0x0F),
            static_cast<Byte>(bytes[0] >> 4), static_cast<Byte>(bytes[0] & 0x0F)};
  }
  [[nodiscard]] std::array<Byte, 2> bytes() const {
    return {static_cast<Byte>(read_write << 4 | change), static_cast<Byte>(read << 4 | write)};
  }
};

struct FileNumber {
  Byte value = 0;
  auto operator<=>(const FileNumber&) const = default;
};

// A part of a file.
struct Span {
  FileNumber file;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  // File, offset:3, length:3: the header of ReadData and WriteData.
  [[nodiscard]] std::array<Byte, 7> bytes() const;
};

// Bytes of the header in front of the data, which stays in clear under kFull: part of the MAC only.
[[nodiscard]] std::size_t header_bytes(Command command);

// One wrapped command. Errors: kInvalidArgument beyond 255 bytes.
[[nodiscard]] Result<secret::Buffer> wrap(Command command, ByteView data);

// Joins pieces into one secret buffer.
[[nodiscard]] secret::Buffer joined(std::initializer_list<ByteView> pieces);

// GetVersion's first byte of hardware and software: who made the card.
inline constexpr Byte kVendorNxp = 0x04;
inline constexpr Byte kVendorEmulated = 0xF0;  // ours, not a registered maker
inline constexpr std::size_t kVersionBytes = 7 + 7 + 14;

}  // namespace warifu::card::desfire
