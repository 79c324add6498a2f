// Sealing with random nonces.
#include "control/sealed_secret.h"

#include "crypto/crypto.h"

namespace warifu::control {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kStagingKey = 32;

struct SplitNonce {
  std::uint32_t domain = 0;
  std::uint64_t index = 0;
};

SplitNonce split_nonce(ByteView nonce) {
  SplitNonce out;
  std::memcpy(&out.domain, nonce.data(), 4);
  std::memcpy(&out.index, nonce.data() + 4, 8);
  return out;
}

}  // namespace

Bytes seal_secret(ByteView root_key, os::Random& random, ByteView secret) {
  Bytes sealed(kNonceBytes + secret.size() + crypto::kSealOverhead);
  const MutableBytes nonce = MutableBytes(sealed).first(kNonceBytes);
  random.fill(nonce);
  const SplitNonce parts = split_nonce(nonce);
  crypto::seal(root_key, parts.domain, parts.index, secret,
               MutableBytes(sealed).subspan(kNonceBytes));
  return sealed;
}

Result<secret::Buffer> open_secret(ByteView root_key, ByteView sealed) {
  if (sealed.size() < kNonceBytes + crypto::kSealOverhead) {
    return fail(Code::kCorrupt, "a sealed secret is cut short");
  }
  const SplitNonce parts = split_nonce(sealed.first(kNonceBytes));
  secret::Buffer plain(sealed.size() - kNonceBytes - crypto::kSealOverhead);
  TRY(crypto::open_sealed(root_key, parts.domain, parts.index, sealed.subspan(kNonceBytes),
                          plain.bytes()));
  return plain;
}

Bytes seal_object_secrets(ByteView root_key, os::Random& random, const ObjectSecrets& secrets) {
  const std::size_t fixed = 2 * mac::kBlockBytes;
  const std::size_t last =
      secrets.cuts.empty() ? secrets.staging_key.size() : kStagingKey + secrets.cuts.size();
  WARIFU_CHECK(secrets.cuts.empty() || secrets.staging_key.empty());
  secret::Buffer plain(fixed + last);
  // Zeros stand for none.
  copy_bytes(plain.bytes(), secrets.hash_key.bytes());
  copy_bytes(plain.bytes().subspan(mac::kBlockBytes), secrets.tag);
  copy_bytes(plain.bytes().subspan(fixed), secrets.staging_key.bytes());
  // Behind zeros in the place of a staging key.
  if (!secrets.cuts.empty()) copy_bytes(plain.bytes().subspan(fixed + kStagingKey), secrets.cuts);
  return seal_secret(root_key, random, plain.bytes());
}

Result<ObjectSecrets> open_object_secrets(ByteView root_key, ByteView sealed) {
  TRY_ASSIGN(const secret::Buffer plain, open_secret(root_key, sealed));
  const ByteView bytes = plain.bytes();
  const std::size_t fixed = 2 * mac::kBlockBytes;
  if (bytes.size() != fixed && bytes.size() < fixed + kStagingKey) {
    return fail(Code::kCorrupt, "an object's sealed secrets have a wrong length");
  }
  ObjectSecrets secrets;
  const ByteView hash_key = bytes.first(mac::kBlockBytes);
  const secret::Buffer none(mac::kBlockBytes);
  if (!secret::equal(hash_key, none.bytes())) secrets.hash_key = secret::Buffer::copy_of(hash_key);
  copy_bytes(secrets.tag, bytes.subspan(mac::kBlockBytes, mac::kBlockBytes));
  const ByteView rest = bytes.subspan(fixed);
  if (rest.size() == kStagingKey) secrets.staging_key = secret::Buffer::copy_of(rest);
  if (rest.size() > kStagingKey) {
    secrets.cuts.assign(rest.begin() + kStagingKey, rest.end());
  }
  return secrets;
}

}  // namespace warifu::control
