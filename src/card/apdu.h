// APDUs of ISO/IEC 7816-4 as values: commands, responses, status words.
//
// Data fields may carry PINs and keys, so they live in secret::Buffer. Parsing accepts exactly the
// seven forms of the standard (cases 1, 2S, 3S, 4S, 2E, 3E, 4E) and nothing else.
#pragma once

#include <string>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::card {

inline constexpr std::size_t kMaxApduBytes = 4 + 3 + 65535 + 3;
inline constexpr std::uint32_t kShortExpected = 256;  // Le byte 00

struct CommandHeader {
  Byte cla = 0;
  Byte ins = 0;
  Byte p1 = 0;
  Byte p2 = 0;
  auto operator<=>(const CommandHeader&) const = default;
};

struct CommandApdu {
  CommandHeader header;
  secret::Buffer data;
  std::uint32_t expected = 0;  // Ne: most bytes wanted back, 0 = none, at most 65,536
};

// Every status word this project acts on; all others are kUnknown.
enum class Status : std::uint8_t {
  kOk,                   // 9000
  kMoreData,             // 61xx: xx bytes wait for GET RESPONSE
  kTriesLeft,            // 63Cx
  kMemoryFailure,        // 6581
  kWrongLength,          // 6700
  kChainUnfinished,      // 6883
  kChainingUnsupported,  // 6884
  kSecurity,             // 6982
  kBlocked,              // 6983
  kReferenceUnusable,    // 6984
  kConditions,           // 6985
  kWrongData,            // 6A80
  kNotFound,             // 6A82
  kRecordNotFound,       // 6A83
  kNoSpace,              // 6A84
  kWrongParameters,      // 6A86
  kReferenceNotFound,    // 6A88
  kAlreadyExists,        // 6A89
  kWrongExpected,        // 6Cxx: repeat with Le = xx
  kWrongInstruction,     // 6D00
  kWrongClass,           // 6E00
  kUnknown,
};

struct StatusWord {
  std::uint16_t value = 0;
  auto operator<=>(const StatusWord&) const = default;
  [[nodiscard]] Status kind() const;
  // xx of 61xx and 6Cxx (0 means 256), x of 63Cx; else 0.
  [[nodiscard]] std::uint32_t argument() const;
  // "6982 (the PIN is needed first)".
  [[nodiscard]] std::string text() const;
};

// The word of a status without an argument.
[[nodiscard]] StatusWord word_of(Status status);
[[nodiscard]] StatusWord more_data(std::size_t waiting);
[[nodiscard]] StatusWord wrong_expected(std::size_t right);
[[nodiscard]] StatusWord tries_left(Byte tries);

struct ResponseApdu {
  secret::Buffer data;
  StatusWord status;
};

// Short form when data and expected allow it, else extended.
// Errors: kInvalidArgument beyond 65,535 data bytes or 65,536 expected.
[[nodiscard]] Result<secret::Buffer> encode_command(const CommandHeader& header, ByteView data,
                                                    std::uint32_t expected);
[[nodiscard]] inline Result<secret::Buffer> encode(const CommandApdu& command) {
  return encode_command(command.header, command.data.bytes(), command.expected);
}
// Errors: kProtocol.
[[nodiscard]] Result<CommandApdu> parse_command(ByteView bytes);

[[nodiscard]] secret::Buffer encode(const ResponseApdu& response);
// Errors: kProtocol when there are not even two bytes, or too many.
[[nodiscard]] Result<ResponseApdu> parse_response(ByteView bytes);

}  // namespace warifu::card
