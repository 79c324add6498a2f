// Serial numbers, names, times and extensions.
#include "crypto/certificate_parts.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace warifu::crypto {
namespace {

constexpr std::size_t kMaxNameLength = 64;  // ub-common-name of RFC 5280

std::unexpected<Error> broken(const char* what) {
  return fail(Code::kInvalidArgument, std::string(what) + ": " + openssl_errors());
}

Result<> check_common_name(const std::string& name) {
  const bool plain =
      std::ranges::all_of(name, [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
  if (name.empty() || name.size() > kMaxNameLength || !plain) {
    return fail(
        Code::kInvalidArgument,
        "common name '" + name + "' must have 1 to 64 characters, none a control character");
  }
  return {};
}

}  // namespace

Result<> add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) return broken("cannot make a certificate extension");
  const int added = ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
  if (added != 1) return broken("cannot add a certificate extension");
  return {};
}

Result<CertificatePtr> begin_certificate(const std::string& common_name, EVP_PKEY* key,
                                         std::chrono::seconds starts_in,
                                         std::chrono::seconds lasts) {
  TRY(check_common_name(common_name));
  CertificatePtr certificate(::X509_new());
  std::array<Byte, 16> serial{};
  if (certificate == nullptr || ::RAND_bytes(serial.data(), serial.size()) != 1) {
    return broken("cannot make a certificate");
  }
  serial[0] = static_cast<Byte>((serial[0] & 0x7F) | 0x40);  // positive, and 16 bytes long
  BIGNUM* number = ::BN_bin2bn(serial.data(), serial.size(), nullptr);
  X509_NAME* subject = ::X509_get_subject_name(certificate.get());
  const bool good =
      number != nullptr &&
      ::BN_to_ASN1_INTEGER(number, ::X509_get_serialNumber(certificate.get())) != nullptr &&
      ::X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
      ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), starts_in.count()) != nullptr &&
      ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), lasts.count()) != nullptr &&
      ::X509_set_pubkey(certificate.get(), key) == 1 &&
      ::X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                   as_bytes(common_name).data(),
                                   static_cast<int>(common_name.size()), -1, 0) == 1;
  ::BN_free(number);
  if (!good) return broken("cannot fill in a certificate");
  return certificate;
}

}  // namespace warifu::crypto
