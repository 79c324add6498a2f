// Bytes of part 10, section 2.5.
#include "pcsc/pin_pad.h"

#include "wire/wire.h"

namespace warifu::pcsc {
namespace {

constexpr Byte kSeconds = 30;
constexpr Byte kAsciiBytes = 0x82;  // units of bytes, left justified, ASCII digits
constexpr Byte kConfirmed = 0x02;   // the entry ends with the confirmation key
constexpr Byte kOneMessage = 0x01;
constexpr std::uint16_t kEnglish = 0x0409;
constexpr std::size_t kFeatureBytes = 6;

}  // namespace

Result<std::uint32_t> find_feature(ByteView features, Byte tag) {
  for (; !features.empty(); features = features.subspan(kFeatureBytes)) {
    if (features.size() < kFeatureBytes || features[1] != 4) {
      return fail(Code::kProtocol, "the reader's list of features makes no sense");
    }
    if (features[0] != tag) continue;
    std::uint32_t control = 0;
    for (std::size_t i = 2; i < kFeatureBytes; ++i) control = control << 8 | features[i];
    return control;
  }
  return 0;
}

Bytes verify_order(const card::PadEntry& entry) {
  const auto& header = entry.header;
  const std::array<Byte, 5> command = {header.cla, header.ins, header.p1, header.p2, 0};
  wire::Writer order;
  order.u8(kSeconds);
  order.u8(kSeconds);
  order.u8(kAsciiBytes);
  order.u8(0);  // no length in the PIN block, no padding
  order.u8(0);
  order.u16(static_cast<std::uint16_t>(entry.shortest << 8 | entry.longest));
  order.u8(kConfirmed);
  order.u8(kOneMessage);
  order.u16(kEnglish);
  order.u8(0);                              // the first message
  for (int i = 0; i < 3; ++i) order.u8(0);  // prologue of T=1: the reader's business
  order.u32(static_cast<std::uint32_t>(command.size()));
  order.raw(command);
  return order.take();
}

}  // namespace warifu::pcsc
