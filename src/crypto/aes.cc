// AES-128 through OpenSSL's EVP interface.
#include "crypto/aes.h"

#include <openssl/evp.h>

#include <memory>

#include "secret/secret.h"

namespace warifu::crypto {
namespace {

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

enum class Direction : int { kDecrypt = 0, kEncrypt = 1 };

void cbc(Direction direction, ByteView key, const AesBlock& iv, ByteView in, MutableBytes out) {
  WARIFU_CHECK(key.size() == kAes128KeyBytes && in.size() % kAesBlockBytes == 0 &&
               out.size() == in.size());
  const std::unique_ptr<EVP_CIPHER_CTX, CipherFree> cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  WARIFU_CHECK(cipher != nullptr &&
               EVP_CipherInit_ex(cipher.get(), EVP_aes_128_cbc(), nullptr, key.data(), iv.data(),
                                 static_cast<int>(direction)) == 1 &&
               EVP_CIPHER_CTX_set_padding(cipher.get(), 0) == 1 &&
               EVP_CipherUpdate(cipher.get(), out.data(), &length, in.data(),
                                static_cast<int>(in.size())) == 1 &&
               length == static_cast<int>(in.size()));
}

// Multiplication by x in GF(2^128) of SP 800-38B; the carry selects without a branch.
AesBlock doubled(const AesBlock& block) {
  AesBlock out{};
  const unsigned carry = block[0] >> 7;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned low = i + 1 < block.size() ? block[i + 1] >> 7U : 0U;
    out[i] = static_cast<Byte>((block[i] << 1U) | low);
  }
  out[15] = static_cast<Byte>(out[15] ^ (0x87U & (0U - carry)));
  return out;
}

}  // namespace

void aes128_cbc_encrypt(ByteView key, const AesBlock& iv, ByteView in, MutableBytes out) {
  cbc(Direction::kEncrypt, key, iv, in, out);
}

void aes128_cbc_decrypt(ByteView key, const AesBlock& iv, ByteView in, MutableBytes out) {
  cbc(Direction::kDecrypt, key, iv, in, out);
}

// By hand over CBC, because OpenSSL's CMAC has no place for the chained IV of EV1.
AesBlock aes128_cmac(ByteView key, ByteView message, const AesBlock& chain) {
  AesBlock zero{};
  AesBlock subkey{};
  aes128_cbc_encrypt(key, zero, zero, subkey);
  subkey = doubled(subkey);
  const bool is_whole = !message.empty() && message.size() % kAesBlockBytes == 0;
  const std::size_t last_at =
      message.empty() ? 0 : (message.size() - 1) / kAesBlockBytes * kAesBlockBytes;
  if (!is_whole) subkey = doubled(subkey);
  AesBlock state = chain;
  if (last_at > 0) {
    secret::Buffer before(last_at);
    aes128_cbc_encrypt(key, state, message.first(last_at), before.bytes());
    copy_bytes(state, ByteView(before.bytes()).last(kAesBlockBytes));
  }
  AesBlock last{};
  copy_bytes(last, message.subspan(last_at));
  if (!is_whole) last[message.size() - last_at] = 0x80;
  for (std::size_t i = 0; i < last.size(); ++i) last[i] = static_cast<Byte>(last[i] ^ subkey[i]);
  AesBlock mac{};
  aes128_cbc_encrypt(key, state, last, mac);
  secret::wipe(subkey);
  secret::wipe(last);
  return mac;
}

}  // namespace warifu::crypto
