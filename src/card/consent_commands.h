// The consent card's commands: numbers and sizes, shared by client and emulator.
// docs/formats/card-profile.md is the grammar; multi-byte numbers in data fields are little-endian.
#pragma once

#include <array>

#include "card/apdu.h"
#include "card/values.h"

namespace warifu::card::profile {

// Proprietary application identifier: F0 'WARIFU' 01.
inline constexpr std::array<Byte, 8> kAid = {0xF0, 'W', 'A', 'R', 'I', 'F', 'U', 0x01};
inline constexpr Byte kVersion = 1;

inline constexpr CommandHeader kSelect{0x00, 0xA4, 0x04, 0x00};
inline constexpr CommandHeader kVerify{0x00, 0x20, 0x00, 0x81};
inline constexpr CommandHeader kReadIdentity{0x80, 0xCA, 0x00, 0x00};
inline constexpr CommandHeader kBeginPersonalise{0x80, 0xE0, 0x00, 0x00};
inline constexpr CommandHeader kBeginTopUp{0x80, 0xE0, 0x01, 0x00};
inline constexpr CommandHeader kBeginRenewal{0x80, 0xE0, 0x02, 0x00};
inline constexpr CommandHeader kLoadKeys{0x80, 0xE2, 0x00, 0x00};  // P1 = number of the site
inline constexpr CommandHeader kCommitLoad{0x80, 0xE4, 0x00, 0x00};
inline constexpr CommandHeader kPutObject{0x80, 0xDA, 0x00, 0x00};
inline constexpr CommandHeader kListObjects{0x80, 0xCC, 0x00, 0x00};
inline constexpr CommandHeader kGetObject{0x80, 0xCB, 0x00, 0x00};
inline constexpr CommandHeader kListSites{0x80, 0xCE, 0x00, 0x00};
inline constexpr CommandHeader kAuthorise{0x80, 0x2A, 0x00, 0x00};
inline constexpr CommandHeader kGetResponse{0x00, 0xC0, 0x00, 0x00};

inline constexpr std::size_t kIdentityBytes = 32;
inline constexpr std::size_t kKeysPerLoad = 7;  // 4 + 7 * 32 = 228 bytes, a short APDU
inline constexpr std::size_t kPinFieldBytes = 1 + kMaxPinBytes;
inline constexpr Byte kFlagEmulated = 0x01;

}  // namespace warifu::card::profile
