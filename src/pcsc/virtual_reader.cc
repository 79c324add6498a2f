// Messages of the virtual reader.
#include "pcsc/virtual_reader.h"

namespace warifu::pcsc {
namespace {

constexpr Byte kPowerOff = 0;
constexpr Byte kPowerOn = 1;
constexpr Byte kReset = 2;
constexpr Byte kAskAtr = 4;

// Whether another message came; not at the reader's orderly end.
Result<bool> read_message(os::ByteStream& reader, secret::Buffer& message) {
  std::array<Byte, 2> length{};
  TRY_ASSIGN(const std::size_t got, reader.read_some(MutableBytes(length).first(1)));
  if (got == 0) return false;
  TRY(reader.read_exact(MutableBytes(length).subspan(1)));
  message = secret::Buffer(static_cast<std::size_t>(length[0] << 8 | length[1]));
  TRY(reader.read_exact(message.bytes()));
  return true;
}

Result<> answer(os::ByteStream& reader, ByteView bytes) {
  if (bytes.size() > 0xFFFF) return fail(Code::kProtocol, "the card's answer is too long");
  const std::array<Byte, 2> length = {static_cast<Byte>(bytes.size() >> 8),
                                      static_cast<Byte>(bytes.size())};
  const std::array<ByteView, 2> pieces = {length, bytes};
  return reader.write_pieces(pieces);
}

}  // namespace

Result<std::uint64_t> serve_virtual_reader(card::CardTransport& card, os::ByteStream& reader,
                                           const VirtualCardOptions& options) {
  std::uint64_t apdus = 0;
  secret::Buffer message;
  for (;;) {
    // The reader sends length and bytes apart; an acknowledgement that waits costs 40 ms each.
    os::acknowledge_at_once(reader);
    TRY_ASSIGN(const bool more, read_message(reader, message));
    if (!more) return apdus;
    if (message.size() == 1) {
      switch (message.bytes()[0]) {
        case kPowerOff:
        case kPowerOn:
        case kReset: card.reset(); break;
        case kAskAtr: TRY(answer(reader, card.atr())); break;
        default: return fail(Code::kProtocol, "the virtual reader asks for what is unknown");
      }
      continue;
    }
    TRY_ASSIGN(const secret::Buffer response, card.transmit(message.bytes()));
    ++apdus;
    const bool tear = options.tear_after == apdus;
    if (tear && options.tear_before_answer) return apdus;
    TRY(answer(reader, response.bytes()));
    if (tear) return apdus;
  }
}

}  // namespace warifu::pcsc
