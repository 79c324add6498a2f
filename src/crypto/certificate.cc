// Certificates are built field by field; no configuration text is assembled, so a name can never
// smuggle in an extension.
#include "crypto/certificate.h"

#include <openssl/pem.h>

#include <algorithm>

#include "crypto/certificate_parts.h"

namespace warifu::crypto {
namespace {

constexpr std::size_t kMaxUriLength = 255;

std::unexpected<Error> broken(const char* what) {
  return fail(Code::kInvalidArgument, std::string(what) + ": " + openssl_errors());
}

Result<> check_characters(const char* field, const std::string& text, std::string_view extra) {
  const bool good = std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
  if (text.empty() || text.size() > kMaxUriLength || !good) {
    return fail(Code::kInvalidArgument,
                std::string(field) + " '" + text + "' has characters that do not belong there");
  }
  return {};
}

Result<> add_text_name(GENERAL_NAMES* names, int type, const std::string& text) {
  ASN1_IA5STRING* value = ::ASN1_IA5STRING_new();
  GENERAL_NAME* name = ::GENERAL_NAME_new();
  if (value == nullptr || name == nullptr ||
      ::ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    ::ASN1_IA5STRING_free(value);
    ::GENERAL_NAME_free(name);
    return broken("cannot make a certificate name");
  }
  ::GENERAL_NAME_set0_value(name, type, value);
  WARIFU_CHECK(sk_GENERAL_NAME_push(names, name) > 0);
  return {};
}

Result<> add_address(GENERAL_NAMES* names, const std::string& text) {
  ASN1_OCTET_STRING* value = ::a2i_IPADDRESS(text.c_str());
  if (value == nullptr) {
    (void)openssl_errors();
    return fail(Code::kInvalidArgument, "'" + text + "' is not an IP address");
  }
  GENERAL_NAME* name = ::GENERAL_NAME_new();
  WARIFU_CHECK(name != nullptr);
  ::GENERAL_NAME_set0_value(name, GEN_IPADD, value);
  WARIFU_CHECK(sk_GENERAL_NAME_push(names, name) > 0);
  return {};
}

Result<> add_names(X509* certificate, const CertificateSpec& spec) {
  const NamesPtr names(sk_GENERAL_NAME_new_null());
  WARIFU_CHECK(names != nullptr);
  for (const std::string& dns : spec.dns_names) {
    TRY(check_characters("DNS name", dns, "-._*"));
    TRY(add_text_name(names.get(), GEN_DNS, dns));
  }
  for (const std::string& address : spec.ip_addresses) TRY(add_address(names.get(), address));
  for (const std::string& uri : spec.uris) {
    TRY(check_characters("URI", uri, "-._~:/?#[]@!$&'()*+,;=%"));
    TRY(add_text_name(names.get(), GEN_URI, uri));
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return {};
  if (::X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) !=
      1) {
    return broken("cannot add the names to a certificate");
  }
  return {};
}

secret::Buffer take_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  WARIFU_CHECK(size > 0 && data != nullptr);
  return secret::Buffer::copy_of(as_bytes({data, static_cast<std::size_t>(size)}));
}

Result<PemCertificate> to_pem(X509* certificate, EVP_PKEY* key) {
  const BioPtr certificate_text(::BIO_new(::BIO_s_mem()));
  const BioPtr key_text(::BIO_new(::BIO_s_mem()));  // cleared by OpenSSL when it is freed
  if (certificate_text == nullptr || key_text == nullptr ||
      ::PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      ::PEM_write_bio_PKCS8PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return broken("cannot write a certificate as text");
  }
  PemCertificate pem;
  pem.certificate = std::string(as_text(take_text(certificate_text.get()).bytes()));
  pem.key = take_text(key_text.get());
  return pem;
}

Result<PemCertificate> sign(X509* certificate, EVP_PKEY* own_key, EVP_PKEY* signing_key) {
  if (::X509_sign(certificate, signing_key, ::EVP_sha256()) == 0) {
    return broken("cannot sign a certificate");
  }
  return to_pem(certificate, own_key);
}

const char* extended_use(CertificateUse use) {
  switch (use) {
    case CertificateUse::kServer: return "serverAuth";
    case CertificateUse::kClient: return "clientAuth";
    case CertificateUse::kBoth: break;
  }
  return "serverAuth,clientAuth";
}

}  // namespace

Result<PemCertificate> make_ca(const std::string& common_name, std::chrono::seconds lasts) {
  const KeyPtr key(::EVP_EC_gen("P-256"));
  if (key == nullptr) return broken("cannot make a key");
  TRY_ASSIGN(const CertificatePtr ca,
             begin_certificate(common_name, key.get(), CertificateSpec{}.starts_in, lasts));
  if (::X509_set_issuer_name(ca.get(), ::X509_get_subject_name(ca.get())) != 1) {
    return broken("cannot name the issuer");
  }
  TRY(add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY(add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash"));
  return sign(ca.get(), key.get(), key.get());
}

Result<PemCertificate> issue_certificate(const PemCertificate& ca, const CertificateSpec& spec) {
  const CertificatePtr ca_certificate = certificate_from_pem(ca.certificate);
  const BioPtr key_text(::BIO_new_mem_buf(ca.key.bytes().data(), static_cast<int>(ca.key.size())));
  const KeyPtr ca_key(key_text == nullptr
                          ? nullptr
                          : ::PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  if (ca_certificate == nullptr || ca_key == nullptr ||
      ::X509_check_private_key(ca_certificate.get(), ca_key.get()) != 1) {
    return fail(Code::kCorrupt,
                "the authority's certificate and key do not fit: " + openssl_errors());
  }
  const KeyPtr key(::EVP_EC_gen("P-256"));
  if (key == nullptr) return broken("cannot make a key");
  TRY_ASSIGN(const CertificatePtr certificate,
             begin_certificate(spec.common_name, key.get(), spec.starts_in, spec.lasts));
  if (::X509_set_issuer_name(certificate.get(), ::X509_get_subject_name(ca_certificate.get())) !=
      1) {
    return broken("cannot name the issuer");
  }
  X509* issuer = ca_certificate.get();
  TRY(add_extension(certificate.get(), issuer, NID_basic_constraints, "critical,CA:FALSE"));
  TRY(add_extension(certificate.get(), issuer, NID_key_usage, "critical,digitalSignature"));
  TRY(add_extension(certificate.get(), issuer, NID_ext_key_usage, extended_use(spec.use)));
  TRY(add_extension(certificate.get(), issuer, NID_subject_key_identifier, "hash"));
  TRY(add_extension(certificate.get(), issuer, NID_authority_key_identifier, "keyid:always"));
  TRY(add_names(certificate.get(), spec));
  return sign(certificate.get(), key.get(), ca_key.get());
}

}  // namespace warifu::crypto
