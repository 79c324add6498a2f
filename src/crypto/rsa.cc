// RSA by OpenSSL's EVP.
#include "crypto/rsa.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>

#include "crypto/certificate_parts.h"
#include "crypto/crypto.h"

namespace warifu::crypto {
namespace {

using ContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>>;

// DER of SEQUENCE { SEQUENCE { sha256, NULL }, OCTET STRING } before the 32 bytes (RFC 8017, 9.2).
constexpr std::array<Byte, 19> kSha256Prefix = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                                0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                                0x01, 0x05, 0x00, 0x04, 0x20};

std::unexpected<Error> broken(const char* what) {
  return fail(Code::kInvalidArgument, std::string(what) + ": " + openssl_errors());
}

}  // namespace

struct RsaKey::Impl {
  KeyPtr key;
};

RsaKey::RsaKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RsaKey::~RsaKey() = default;
RsaKey::RsaKey(RsaKey&&) noexcept = default;
RsaKey& RsaKey::operator=(RsaKey&&) noexcept = default;

RsaKey RsaKey::generate(unsigned bits) {
  WARIFU_CHECK(bits >= 2048);
  KeyPtr key(::EVP_RSA_gen(bits));
  WARIFU_CHECK(key != nullptr);
  return RsaKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

Result<RsaKey> RsaKey::from_der(ByteView der) {
  const unsigned char* at = der.data();
  KeyPtr key(::d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr || ::EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    return fail(Code::kCorrupt, "no RSA key: " + openssl_errors());
  }
  return RsaKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

secret::Buffer RsaKey::to_der() const {
  const int size = ::i2d_PrivateKey(impl_->key.get(), nullptr);
  WARIFU_CHECK(size > 0);
  secret::Buffer der(static_cast<std::size_t>(size));
  unsigned char* at = der.bytes().data();
  WARIFU_CHECK(::i2d_PrivateKey(impl_->key.get(), &at) == size);
  return der;
}

std::size_t RsaKey::bytes() const {
  return static_cast<std::size_t>(::EVP_PKEY_get_size(impl_->key.get()));
}

Result<Bytes> RsaKey::sign_digest_info(ByteView digest_info) const {
  const ContextPtr context(::EVP_PKEY_CTX_new(impl_->key.get(), nullptr));
  Bytes signature(bytes());
  std::size_t size = signature.size();
  // Without a digest set, the padding goes around what is given as it is.
  const bool good = context != nullptr && ::EVP_PKEY_sign_init(context.get()) == 1 &&
                    ::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
                    ::EVP_PKEY_sign(context.get(), signature.data(), &size, digest_info.data(),
                                    digest_info.size()) == 1;
  if (!good) return broken("cannot sign");
  signature.resize(size);
  return signature;
}

Bytes sha256_digest_info(ByteView message) {
  Bytes info(kSha256Prefix.begin(), kSha256Prefix.end());
  const Digest digest = sha256(message);
  info.insert(info.end(), digest.begin(), digest.end());
  return info;
}

namespace {

Result<Bytes> der_of(X509* certificate) {
  const int size = ::i2d_X509(certificate, nullptr);
  WARIFU_CHECK(size > 0);
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* at = der.data();
  WARIFU_CHECK(::i2d_X509(certificate, &at) == size);
  return der;
}

// What is left to do once subject and issuer stand in it.
Result<Bytes> finish_certificate(X509* certificate, const RsaCertificateSpec& spec,
                                 EVP_PKEY* issuer) {
  TRY(add_extension(certificate, certificate, NID_basic_constraints,
                    spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE"));
  TRY(add_extension(certificate, certificate, NID_key_usage,
                    spec.is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"));
  if (::X509_sign(certificate, issuer, ::EVP_sha256()) == 0) {
    return broken("cannot sign a certificate");
  }
  return der_of(certificate);
}

Result<CertificatePtr> begin_rsa(const RsaCertificateSpec& spec, EVP_PKEY* subject) {
  return begin_certificate(spec.common_name, subject, std::chrono::seconds(-300), spec.lasts);
}

}  // namespace

Result<Bytes> make_rsa_certificate(const RsaCertificateSpec& spec, const RsaKey& subject,
                                   const RsaKey& issuer, const std::string& issuer_name) {
  TRY_ASSIGN(const CertificatePtr certificate, begin_rsa(spec, subject.impl().key.get()));
  if (::X509_NAME_add_entry_by_NID(::X509_get_issuer_name(certificate.get()), NID_commonName,
                                   MBSTRING_UTF8, as_bytes(issuer_name).data(),
                                   static_cast<int>(issuer_name.size()), -1, 0) != 1) {
    return broken("cannot name the issuer");
  }
  return finish_certificate(certificate.get(), spec, issuer.impl().key.get());
}

Result<Bytes> issue_rsa_certificate(const RsaCertificateSpec& spec, const RsaKey& subject,
                                    const RsaAuthority& authority) {
  TRY_ASSIGN(const CertificatePtr certificate, begin_rsa(spec, subject.impl().key.get()));
  const CertificatePtr issuer = certificate_from_der(authority.certificate);
  if (issuer == nullptr ||
      ::X509_set_issuer_name(certificate.get(), ::X509_get_subject_name(issuer.get())) != 1) {
    return broken("cannot name the issuer");
  }
  return finish_certificate(certificate.get(), spec, authority.key.impl().key.get());
}

Result<RsaAuthority> RsaAuthority::from_pem(const std::string& certificate,
                                            const std::string& key) {
  const CertificatePtr parsed = certificate_from_pem(certificate);
  const BioPtr bio(::BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  WARIFU_CHECK(bio != nullptr);
  KeyPtr own(::PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const bool good =
      parsed != nullptr && own != nullptr && ::EVP_PKEY_get_base_id(own.get()) == EVP_PKEY_RSA &&
      ::X509_check_private_key(parsed.get(), own.get()) == 1 && ::X509_check_ca(parsed.get()) != 0;
  if (!good) {
    (void)openssl_errors();
    return fail(Code::kInvalidArgument,
                "these are not an authority's certificate and its RSA key, in PEM");
  }
  std::array<char, 256> name{};
  (void)::X509_NAME_get_text_by_NID(::X509_get_subject_name(parsed.get()), NID_commonName,
                                    name.data(), static_cast<int>(name.size()));
  TRY_ASSIGN(Bytes der, der_of(parsed.get()));
  return RsaAuthority{RsaKey(std::make_unique<RsaKey::Impl>(RsaKey::Impl{std::move(own)})),
                      std::move(der), name.data()};
}

}  // namespace warifu::crypto
