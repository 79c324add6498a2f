// Names and numbers of the certificate application, for card and terminal.
#pragma once

#include <array>

#include "card/apdu.h"

namespace warifu::card::jpki {

inline constexpr std::array<Byte, 10> kAid = {0xD3, 0x92, 0xF0, 0x00, 0x26,
                                              0x01, 0x00, 0x00, 0x00, 0x01};
inline constexpr CommandHeader kSelectApplication{0x00, 0xA4, 0x04, 0x0C};
inline constexpr CommandHeader kSelectFile{0x00, 0xA4, 0x02, 0x0C};
inline constexpr CommandHeader kVerify{0x00, 0x20, 0x00, 0x80};
inline constexpr CommandHeader kSign{0x80, 0x2A, 0x00, 0x80};
inline constexpr Byte kReadBinary = 0xB0;  // P1 P2: the offset

inline constexpr std::uint16_t kTokenInfo = 0x0006;
struct Files {
  std::uint16_t key, pin, certificate, authority;
};
inline constexpr Files kAuthentication{0x0017, 0x0018, 0x000A, 0x000B};
inline constexpr Files kSignature{0x001A, 0x001B, 0x0001, 0x0002};
inline constexpr Byte kAuthenticationTries = 3;
inline constexpr Byte kSignatureTries = 5;

}  // namespace warifu::card::jpki
