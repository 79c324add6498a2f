// Published vectors of AES-128 CBC (SP 800-38A F.2.1) and CMAC (SP 800-38B D.1, RFC 4493).
#include "crypto/aes.h"

#include <gtest/gtest.h>

namespace warifu::crypto {
namespace {

Bytes hex(std::string_view text) {
  return *from_hex(text);
}

const Bytes kKey = hex("2b7e151628aed2a6abf7158809cf4f3c");
const Bytes kText =
    hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");

TEST(Aes128, CbcOfSp80038A) {
  AesBlock iv{};
  copy_bytes(iv, hex("000102030405060708090a0b0c0d0e0f"));
  Bytes out(kText.size());
  aes128_cbc_encrypt(kKey, iv, kText, out);
  EXPECT_EQ(to_hex(out),
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
            "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7");
  aes128_cbc_decrypt(kKey, iv, out, out);  // in place
  EXPECT_EQ(out, kText);
}

TEST(Aes128, CmacOfSp80038B) {
  const struct {
    std::size_t length;
    std::string_view mac;
  } kCases[] = {{0, "bb1d6929e95937287fa37d129b756746"},
                {16, "070a16b46b4d4144f79bdd9dd04a287c"},
                {40, "dfa66747de9ae63030ca32611497c827"},
                {64, "51f0bebf7e3b9d92fc49741779363cfe"}};
  for (const auto& one : kCases) {
    EXPECT_EQ(to_hex(aes128_cmac(kKey, ByteView(kText).first(one.length))), one.mac) << one.length;
  }
}

TEST(Aes128, ACmacIsChainedIntoTheNextAsOneLongCbc) {
  // Whole blocks in front and the chain behind them are the same message in one go.
  AesBlock chain{};
  Bytes front(32);
  aes128_cbc_encrypt(kKey, {}, ByteView(kText).first(32), front);
  copy_bytes(chain, ByteView(front).last(16));
  for (const std::size_t more : {1U, 15U, 16U, 17U, 32U}) {
    EXPECT_EQ(aes128_cmac(kKey, ByteView(kText).subspan(32, more), chain),
              aes128_cmac(kKey, ByteView(kText).first(32 + more)))
        << more;
  }
}

}  // namespace
}  // namespace warifu::crypto
