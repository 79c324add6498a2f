// What is asked of a reader with a PIN pad, byte by byte.
#include "pcsc/pin_pad.h"

#include <gtest/gtest.h>

namespace warifu::pcsc {
namespace {

TEST(PinPadTest, TheOrderIsThatOfPartTen) {
  const Bytes order = verify_order({{0x00, 0x20, 0x00, 0x81}, 4, 12});
  EXPECT_EQ(to_hex(order),
            "1e1e82000"   // 30 s, 30 s, ASCII
            "0"           // no length in the block
            "0c04"        // 4 to 12 digits, little endian: most first
            "0201090400"  // confirmation key, one message, English, the first
            "000000"      // prologue
            "05000000"    // five bytes of command
            "0020008100");
}

TEST(PinPadTest, AFeatureIsFoundByItsTag) {
  const Bytes features = *from_hex(
      "060442330006"
      "120442330012");
  EXPECT_EQ(*find_feature(features, 0x06), 0x42330006u);
  EXPECT_EQ(*find_feature(features, 0x12), 0x42330012u);
  EXPECT_EQ(*find_feature(features, 0x07), 0u);
  EXPECT_EQ(*find_feature({}, 0x06), 0u);
}

TEST(PinPadTest, AListThatMakesNoSenseIsRefused) {
  for (const char* wrong : {"06", "0604423300", "060342330006", "12044233001206"}) {
    const auto found = find_feature(*from_hex(wrong), 0x06);
    ASSERT_FALSE(found) << wrong;
    EXPECT_EQ(found.error().code, Code::kProtocol);
  }
}

}  // namespace
}  // namespace warifu::pcsc
