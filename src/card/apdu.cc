// Encoding and parsing of APDUs, texts of status words.
#include "card/apdu.h"

#include <array>
#include <utility>

namespace warifu::card {
namespace {

struct StatusRow {
  Status status;
  std::uint16_t value;
  std::string_view text;
};

constexpr std::array<StatusRow, 19> kRows = {{
    {Status::kOk, 0x9000, "done"},
    {Status::kMemoryFailure, 0x6581, "the card could not store"},
    {Status::kWrongLength, 0x6700, "wrong length"},
    {Status::kChainUnfinished, 0x6883, "the chain of commands is broken"},
    {Status::kChainingUnsupported, 0x6884, "the card knows no chaining"},
    {Status::kSecurity, 0x6982, "the PIN is needed first"},
    {Status::kBlocked, 0x6983, "the PIN is blocked"},
    {Status::kReferenceUnusable, 0x6984, "the data do not fit this card"},
    {Status::kConditions, 0x6985, "not possible in the card's present state"},
    {Status::kWrongData, 0x6A80, "wrong data"},
    {Status::kNotFound, 0x6A82, "not found"},
    {Status::kRecordNotFound, 0x6A83, "record not found"},
    {Status::kNoSpace, 0x6A84, "the card is full"},
    {Status::kWrongParameters, 0x6A86, "wrong parameters P1 P2"},
    {Status::kReferenceNotFound, 0x6A88, "referenced data not found"},
    {Status::kAlreadyExists, 0x6A89, "exists already"},
    {Status::kWrongInstruction, 0x6D00, "unknown instruction"},
    {Status::kWrongClass, 0x6E00, "unknown class"},
    {Status::kUnknown, 0x6F00, "no reason given"},
}};

Byte low(std::size_t value) {
  return static_cast<Byte>(value & 0xFF);
}
Byte high(std::size_t value) {
  return static_cast<Byte>(value >> 8 & 0xFF);
}

std::unexpected<Error> malformed() {
  return fail(Code::kProtocol, "command APDU has none of the forms of ISO/IEC 7816-4");
}

}  // namespace

Status StatusWord::kind() const {
  if (value >> 8 == 0x61) return Status::kMoreData;
  if (value >> 8 == 0x6C) return Status::kWrongExpected;
  if (value >> 4 == 0x63C) return Status::kTriesLeft;
  for (const StatusRow& row : kRows) {
    if (row.value == value) return row.status;
  }
  return Status::kUnknown;
}

std::uint32_t StatusWord::argument() const {
  const std::uint32_t last = value & 0xFF;
  switch (kind()) {
    case Status::kMoreData:
    case Status::kWrongExpected: return last == 0 ? kShortExpected : last;
    case Status::kTriesLeft: return last & 0x0F;
    default: return 0;
  }
}

std::string StatusWord::text() const {
  const std::array<Byte, 2> bytes = {high(value), low(value)};
  std::string reason = "no reason given";
  switch (kind()) {
    case Status::kMoreData: reason = std::to_string(argument()) + " bytes wait"; break;
    case Status::kWrongExpected: reason = "ask for " + std::to_string(argument()) + " bytes"; break;
    case Status::kTriesLeft: reason = std::to_string(argument()) + " tries left"; break;
    default:
      for (const StatusRow& row : kRows) {
        if (row.value == value) reason = row.text;
      }
  }
  return to_hex(bytes) + " (" + reason + ")";
}

StatusWord word_of(Status status) {
  for (const StatusRow& row : kRows) {
    if (row.status == status) return {row.value};
  }
  return {0x6F00};
}

StatusWord more_data(std::size_t waiting) {
  return {static_cast<std::uint16_t>(0x6100 | (waiting >= kShortExpected ? 0 : waiting))};
}

StatusWord wrong_expected(std::size_t right) {
  WARIFU_CHECK(right > 0 && right <= kShortExpected);
  return {static_cast<std::uint16_t>(0x6C00 | low(right))};
}

StatusWord tries_left(Byte tries) {
  return {static_cast<std::uint16_t>(0x63C0 | (tries & 0x0F))};
}

Result<secret::Buffer> encode_command(const CommandHeader& header, ByteView data,
                                      std::uint32_t expected) {
  if (data.size() > 65535 || expected > 65536) {
    return fail(Code::kInvalidArgument,
                "APDU of " + std::to_string(data.size()) + " data bytes is too long");
  }
  const bool extended = data.size() > 255 || expected > kShortExpected;
  const std::size_t length_bytes = data.empty() ? 0 : extended ? 3 : 1;
  const std::size_t expected_bytes = expected == 0 ? 0 : !extended ? 1 : data.empty() ? 3 : 2;
  secret::Buffer out(4 + length_bytes + data.size() + expected_bytes);
  const MutableBytes to = out.bytes();
  copy_bytes(to, std::array<Byte, 4>{header.cla, header.ins, header.p1, header.p2});
  std::size_t at = 4;
  if (!data.empty()) {
    if (extended) {
      to[at++] = 0;
      to[at++] = high(data.size());
    }
    to[at++] = low(data.size());
    copy_bytes(to.subspan(at), data);
    at += data.size();
  }
  if (expected > 0) {
    if (extended && data.empty()) to[at++] = 0;
    if (extended) to[at++] = high(expected);
    to[at++] = low(expected);
  }
  WARIFU_CHECK(at == to.size());
  return out;
}

Result<CommandApdu> parse_command(ByteView bytes) {
  if (bytes.size() < 4 || bytes.size() > kMaxApduBytes) return malformed();
  CommandApdu command;
  command.header = {bytes[0], bytes[1], bytes[2], bytes[3]};
  const ByteView body = bytes.subspan(4);
  if (body.empty()) return command;                       // case 1
  const bool extended = body[0] == 0 && body.size() > 1;  // 00 alone is Le = 256
  const auto number = [&](std::size_t at) {
    return extended ? static_cast<std::uint32_t>(body[at]) << 8 | body[at + 1]
                    : static_cast<std::uint32_t>(body[at]);
  };
  const std::uint32_t most = extended ? 65536 : kShortExpected;
  const std::size_t width = extended ? 2 : 1;
  const std::size_t start = extended ? 1 : 0;
  if (body.size() < start + width) return malformed();
  const std::uint32_t first = number(start);
  const std::size_t data_at = start + width;
  if (body.size() == data_at) {  // case 2
    command.expected = first == 0 ? most : first;
    return command;
  }
  if (first == 0 || body.size() < data_at + first) return malformed();
  command.data = secret::Buffer::copy_of(body.subspan(data_at, first));
  const std::size_t expected_at = data_at + first;
  if (body.size() == expected_at) return command;  // case 3
  if (body.size() != expected_at + width) return malformed();
  const std::uint32_t last = number(expected_at);  // case 4
  command.expected = last == 0 ? most : last;
  return command;
}

secret::Buffer encode(const ResponseApdu& response) {
  secret::Buffer out(response.data.size() + 2);
  copy_bytes(out.bytes(), response.data.bytes());
  out.bytes()[out.size() - 2] = high(response.status.value);
  out.bytes()[out.size() - 1] = low(response.status.value);
  return out;
}

Result<ResponseApdu> parse_response(ByteView bytes) {
  if (bytes.size() < 2 || bytes.size() > 65536 + 2) {
    return fail(Code::kProtocol,
                "the card answered with " + std::to_string(bytes.size()) + " bytes");
  }
  ResponseApdu response;
  response.data = secret::Buffer::copy_of(bytes.first(bytes.size() - 2));
  response.status.value =
      static_cast<std::uint16_t>(bytes[bytes.size() - 2] << 8 | bytes[bytes.size() - 1]);
  return response;
}

}  // namespace warifu::card
