// The counter-mode stream and its change of keys.
#include "crypto/drbg.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace warifu::crypto {
namespace {
constexpr std::array<Byte, 16> kCounterZero{};
// Plaintext of the stream; one size, so that it stays in the cache.
constexpr std::array<Byte, 16 * 1024> kZeros{};
}  // namespace

struct Drbg::Stream {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { EVP_CIPHER_CTX_free(context); }  // wipes the key schedule
};

Drbg::Drbg(Seed seed) : seed_(std::move(seed)), stream_(std::make_unique<Stream>()) {
  new_key(false);
}

Drbg::~Drbg() = default;

void Drbg::stream_into(MutableBytes out) {
  while (!out.empty()) {
    const std::size_t part = std::min(out.size(), kZeros.size());
    int length = 0;
    WARIFU_CHECK(EVP_EncryptUpdate(stream_->context, out.data(), &length, kZeros.data(),
                                   static_cast<int>(part)) == 1 &&
                 static_cast<std::size_t>(length) == part);
    out = out.subspan(part);
  }
}

void Drbg::new_key(bool from_own_stream) {
  secret::Buffer key(kKeyBytes);
  seed_(key.bytes());
  if (from_own_stream) {
    secret::Buffer own(kKeyBytes);
    stream_into(own.bytes());
    for (std::size_t i = 0; i < kKeyBytes; ++i) {
      key.bytes()[i] = static_cast<Byte>(key.bytes()[i] ^ own.bytes()[i]);
    }
  }
  WARIFU_CHECK(stream_->context != nullptr &&
               EVP_EncryptInit_ex(stream_->context, EVP_aes_256_ctr(), nullptr, key.bytes().data(),
                                  kCounterZero.data()) == 1);
  left_ = kBytesPerKey;
  process_ = ::getpid();
}

void Drbg::fill(MutableBytes out) {
  if (process_ != ::getpid()) new_key(false);  // the parent goes on with the old stream
  while (!out.empty()) {
    if (left_ == 0) new_key(true);
    const std::size_t part = std::min(out.size(), left_);
    stream_into(out.first(part));
    left_ -= part;
    out = out.subspan(part);
  }
}

}  // namespace warifu::crypto
