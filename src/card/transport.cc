// Chaining, GET RESPONSE, repetition and masked traces.
#include "card/transport.h"

#include <array>

namespace warifu::card {
namespace {

constexpr Byte kChainBit = 0x10;
constexpr Byte kGetResponse = 0xC0;
constexpr Byte kSelect = 0xA4;

void append(secret::Buffer& to, ByteView more) {
  secret::Buffer joined(to.size() + more.size());
  copy_bytes(joined.bytes(), to.bytes());
  copy_bytes(joined.bytes().subspan(to.size()), more);
  to = std::move(joined);
}

Error lost_card() {
  return {Code::kUnavailable, "the card was removed or reset during the ceremony; start it again"};
}

std::string trace_line(const CommandHeader& header, ByteView data, const ResponseApdu& answer) {
  std::string line =
      to_hex(std::array<Byte, 4>{header.cla, header.ins, header.p1, header.p2}) + " ";
  line += header.ins == kSelect ? to_hex(data) : "[" + std::to_string(data.size()) + " bytes]";
  return line + " -> [" + std::to_string(answer.data.size()) + " bytes] " + answer.status.text();
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(CardTransport& transport, Trace trace) {
  if (transport.in_session_.exchange(true)) {
    return fail(Code::kBusy, "the card is in use by another ceremony");
  }
  std::unique_ptr<Session> session(new Session(transport, std::move(trace)));
  transport.reset();
  return session;
}

Session::~Session() {
  transport_.reset();
  transport_.in_session_ = false;
}

Result<ResponseApdu> Session::send(const CommandHeader& header, ByteView data,
                                   std::uint32_t expected) {
  if (over_) return std::unexpected(lost_card());
  TRY_ASSIGN(const secret::Buffer command, encode_command(header, data, expected));
  auto bytes = transport_.transmit(command.bytes());
  auto answer =
      bytes ? parse_response(bytes->bytes()) : Result<ResponseApdu>(std::unexpected(bytes.error()));
  if (!answer) {
    over_ = true;
    return answer;
  }
  if (trace_) trace_(trace_line(header, data, *answer));
  return answer;
}

Result<ResponseApdu> Session::send_checked(const CommandHeader& header, ByteView data,
                                           std::uint32_t expected, bool chained) {
  TRY_ASSIGN(ResponseApdu answer, send(header, data, expected));
  if (answer.status.kind() != Status::kWrongExpected) return answer;
  // 6Cxx says that the command was not carried out; the last link of a chain cannot be repeated.
  if (chained || answer.status.argument() == expected) {
    over_ = true;
    return fail(Code::kProtocol, "the card asks again for another length: " + answer.status.text());
  }
  return send(header, data, answer.status.argument());
}

Result<std::optional<StatusWord>> Session::verify_on_pad(const PadEntry& entry) {
  if (over_) return std::unexpected(lost_card());
  auto bytes = transport_.verify_on_pad(entry);
  if (bytes && !*bytes) return std::nullopt;
  auto answer = bytes ? parse_response((*bytes)->bytes())
                      : Result<ResponseApdu>(std::unexpected(bytes.error()));
  if (!answer) {
    over_ = true;
    return std::unexpected(answer.error());
  }
  if (trace_) trace_(trace_line(entry.header, {}, *answer));
  return answer->status;
}

Result<> Session::collect(const CommandHeader& header, ResponseApdu& response) {
  while (response.status.kind() == Status::kMoreData) {
    const CommandHeader get{static_cast<Byte>(header.cla & 0x03), kGetResponse, 0, 0};
    TRY_ASSIGN(const ResponseApdu more,
               send_checked(get, {}, response.status.argument(), /*chained=*/false));
    const bool endless = more.data.empty() && more.status.kind() == Status::kMoreData;
    if (endless || response.data.size() + more.data.size() > kMaxResponseBytes) {
      over_ = true;
      return fail(Code::kProtocol, "the card's answer does not end");
    }
    append(response.data, more.data.bytes());
    response.status = more.status;
  }
  return {};
}

Result<ResponseApdu> Session::exchange(const CommandApdu& command) {
  ByteView rest = command.data.bytes();
  const bool chained = rest.size() > kChainBytes;
  while (rest.size() > kChainBytes) {
    CommandHeader link = command.header;
    link.cla |= kChainBit;
    TRY_ASSIGN(ResponseApdu answer, send(link, rest.first(kChainBytes), 0));
    if (answer.status.kind() != Status::kOk) return answer;
    rest = rest.subspan(kChainBytes);
  }
  TRY_ASSIGN(ResponseApdu answer, send_checked(command.header, rest, command.expected, chained));
  TRY(collect(command.header, answer));
  return answer;
}

}  // namespace warifu::card
