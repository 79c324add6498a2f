// Certificates, chains and lists by OpenSSL's X509.
#include "crypto/card_certificate.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include <algorithm>
#include <set>

#include "crypto/openssl.h"

namespace warifu::crypto {
namespace {

using StorePtr = std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>>;
using ListPtr = std::unique_ptr<X509_CRL, OpensslFree<X509_CRL_free>>;
using EcSignaturePtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;

constexpr std::size_t kMaxNameBytes = 256;
constexpr int kLevel112Bits = 2;  // OpenSSL's security level

CertificatePtr parse_der(ByteView der) {
  return der.size() > kMaxCertificateBytes ? nullptr : certificate_from_der(der);
}

std::string text_of(const X509_NAME* name) {
  const BioPtr bio(::BIO_new(::BIO_s_mem()));
  WARIFU_CHECK(bio != nullptr);
  ::X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  std::string text(kMaxNameBytes, '\0');
  const int size = ::BIO_read(bio.get(), text.data(), static_cast<int>(text.size()));
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  (void)openssl_errors();
  return text;
}

std::string common_name(const X509_NAME* name) {
  const int at = ::X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size =
      ::ASN1_STRING_to_UTF8(&utf8, ::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(name, at)));
  if (size < 0) {
    (void)openssl_errors();
    return {};
  }
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  ::OPENSSL_free(utf8);
  if (text.size() > kMaxNameBytes) text.resize(kMaxNameBytes);
  return text;
}

Result<std::chrono::sys_seconds> seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ::ASN1_TIME_to_tm(time, &parts) != 1) {
    (void)openssl_errors();
    return fail(Code::kCorrupt, "a time in it is malformed");
  }
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

Result<SignatureScheme> scheme_of(EVP_PKEY* key) {
  const int kind = key == nullptr ? EVP_PKEY_NONE : ::EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_RSA && ::EVP_PKEY_get_bits(key) >= 2048) return SignatureScheme::kRsaSha256;
  if (kind == EVP_PKEY_EC) {
    std::array<char, 32> group{};
    if (::EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1) {
      const std::string_view name(group.data());
      if (name == "prime256v1") return SignatureScheme::kEcdsaP256Sha256;
      if (name == "secp384r1") return SignatureScheme::kEcdsaP384Sha384;
    }
  }
  (void)openssl_errors();
  return fail(Code::kInvalidArgument, "its key must be RSA of 2048 bits or more, P-256 or P-384");
}

bool is_list_error(int error) {
  return error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_CRL_HAS_EXPIRED ||
         error == X509_V_ERR_CRL_NOT_YET_VALID || error == X509_V_ERR_CERT_REVOKED;
}

CertificateProblem problem_of(int error) {
  const std::string why = ::X509_verify_cert_error_string(error);
  switch (error) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {CertificateFlaw::kNotYetValid,
              "the card's certificate, or its authority's, is not "
              "valid yet"};
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {CertificateFlaw::kExpired, "the card's certificate, or its authority's, has expired"};
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return {CertificateFlaw::kWeak, "the card's certificate is too weak: " + why};
    default:
      return {CertificateFlaw::kUntrusted,
              "no authority that this site trusts vouches for the card's certificate: " + why};
  }
}

// Whether it is for signatures of a person.
std::optional<CertificateProblem> check_use(X509* certificate) {
  const auto wrong = [](const char* why) {
    return CertificateProblem{CertificateFlaw::kWrongUse, why};
  };
  if (::X509_check_ca(certificate) != 0) return wrong("the card's certificate is an authority's");
  const std::uint32_t usage = ::X509_get_key_usage(certificate);
  if (usage == UINT32_MAX || (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0) {
    return wrong("the card's certificate is not for signatures (KeyUsage)");
  }
  if ((::X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0 &&
      (::X509_get_extended_key_usage(certificate) & (XKU_SSL_CLIENT | XKU_ANYEKU)) == 0) {
    return wrong("the card's certificate is for another use (ExtendedKeyUsage)");
  }
  return std::nullopt;
}

ListPtr parse_list(ByteView bytes) {
  if (bytes.empty()) return nullptr;
  const unsigned char* at = bytes.data();
  ListPtr list(::d2i_X509_CRL(nullptr, &at, static_cast<long>(bytes.size())));
  if (list == nullptr || at != bytes.data() + bytes.size()) {
    const BioPtr bio(::BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    list.reset(::PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  }
  (void)openssl_errors();
  return list;
}

// Notes every error and goes on, so that all that is wrong with a list is seen.
int note_error(int good, X509_STORE_CTX* context) {
  if (good == 1) return 1;
  auto* errors = static_cast<std::set<int>*>(::X509_STORE_CTX_get_app_data(context));
  errors->insert(::X509_STORE_CTX_get_error(context));
  return 1;
}

// The authority's lists among `lists`, and when the newest of them was made.
struct OwnLists {
  std::vector<ListPtr> lists;
  std::optional<std::chrono::sys_seconds> newest;
  bool damaged = false;
};

OwnLists lists_of(X509* certificate, std::span<const Bytes> lists) {
  OwnLists own;
  for (const Bytes& bytes : lists) {
    ListPtr list = parse_list(bytes);
    if (list == nullptr) {
      own.damaged = true;
      continue;
    }
    if (::X509_NAME_cmp(::X509_CRL_get_issuer(list.get()), ::X509_get_issuer_name(certificate)) !=
        0) {
      continue;
    }
    const auto made = seconds_of(::X509_CRL_get0_lastUpdate(list.get()));
    if (!made) {
      own.damaged = true;
      continue;
    }
    own.newest = own.newest ? std::max(*own.newest, *made) : *made;
    own.lists.push_back(std::move(list));
  }
  return own;
}

RevocationFinding finding_of(const std::set<int>& errors, const OwnLists& own, bool is_old) {
  const auto has = [&](int error) { return errors.contains(error); };
  const auto other = std::ranges::find_if_not(errors, is_list_error);
  if (other != errors.end()) {
    return {RevocationState::kBadList, std::string("the revocation list cannot be used: ") +
                                           ::X509_verify_cert_error_string(*other)};
  }
  if (has(X509_V_ERR_CERT_REVOKED)) {
    return {RevocationState::kRevoked, "its authority has revoked the card's certificate"};
  }
  if (has(X509_V_ERR_UNABLE_TO_GET_CRL)) {
    return {RevocationState::kNoList, "no revocation list covers the card's certificate"};
  }
  if (!errors.empty() || is_old) {
    return {RevocationState::kStaleList, "the revocation list of the card's authority is too old"};
  }
  if (own.damaged) {
    return {RevocationState::kBadList, "a revocation list is damaged"};
  }
  return {RevocationState::kGood, "not revoked"};
}

}  // namespace

std::string_view scheme_name(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kRsaSha256: return "rsa_pkcs1_sha256";
    case SignatureScheme::kEcdsaP256Sha256: return "ecdsa_p256_sha256";
    case SignatureScheme::kEcdsaP384Sha384: return "ecdsa_p384_sha384";
  }
  return {};
}

Result<CertificateFacts> describe_certificate(ByteView der) {
  const CertificatePtr certificate = parse_der(der);
  if (certificate == nullptr) {
    return fail(Code::kCorrupt, "the card's certificate is no X.509 certificate");
  }
  CertificateFacts facts;
  EVP_PKEY* key = ::X509_get0_pubkey(certificate.get());
  auto scheme = scheme_of(key);
  if (!scheme) return fail_in("the card's certificate", scheme.error());
  facts.scheme = *scheme;
  facts.key_bits = static_cast<std::size_t>(::EVP_PKEY_get_bits(key));
  facts.subject = text_of(::X509_get_subject_name(certificate.get()));
  facts.issuer = text_of(::X509_get_issuer_name(certificate.get()));
  facts.issuer_name = common_name(::X509_get_issuer_name(certificate.get()));
  TRY_ASSIGN(facts.not_before, seconds_of(::X509_get0_notBefore(certificate.get())));
  TRY_ASSIGN(facts.not_after, seconds_of(::X509_get0_notAfter(certificate.get())));
  return facts;
}

Result<bool> verify_signature(ByteView certificate, ByteView message, ByteView signature) {
  const CertificatePtr parsed = parse_der(certificate);
  if (parsed == nullptr) {
    return fail(Code::kCorrupt, "the card's certificate is no X.509 certificate");
  }
  EVP_PKEY* key = ::X509_get0_pubkey(parsed.get());
  TRY_ASSIGN(const SignatureScheme scheme, scheme_of(key));
  const EVP_MD* digest =
      scheme == SignatureScheme::kEcdsaP384Sha384 ? ::EVP_sha384() : ::EVP_sha256();
  const DigestPtr context(::EVP_MD_CTX_new());
  WARIFU_CHECK(context != nullptr);
  // RSA keys: PKCS #1 v1.5 is the padding unless another one is set.
  const bool good = signature.size() <= kMaxSignatureBytes &&
                    ::EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
                    ::EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                       message.data(), message.size()) == 1;
  (void)openssl_errors();
  return good;
}

Bytes sha384(ByteView bytes) {
  Bytes digest(48);
  WARIFU_CHECK(::EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, ::EVP_sha384(),
                            nullptr) == 1);
  return digest;
}

Result<Bytes> ecdsa_to_der(ByteView r_and_s) {
  if (r_and_s.empty() || r_and_s.size() % 2 != 0 || r_and_s.size() > 2 * 66) {
    return fail(Code::kInvalidArgument, "this is no ECDSA signature");
  }
  const auto half = static_cast<int>(r_and_s.size() / 2);
  const EcSignaturePtr signature(::ECDSA_SIG_new());
  BIGNUM* r = ::BN_bin2bn(r_and_s.data(), half, nullptr);
  BIGNUM* s = ::BN_bin2bn(r_and_s.data() + half, half, nullptr);
  WARIFU_CHECK(signature != nullptr && r != nullptr && s != nullptr &&
               ::ECDSA_SIG_set0(signature.get(), r, s) == 1);
  const int size = ::i2d_ECDSA_SIG(signature.get(), nullptr);
  WARIFU_CHECK(size > 0);
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* at = der.data();
  WARIFU_CHECK(::i2d_ECDSA_SIG(signature.get(), &at) == size);
  return der;
}

struct Authorities::Impl {
  StorePtr store{::X509_STORE_new()};
  std::vector<std::string> names;
};

Authorities::Authorities() : impl_(std::make_unique<Impl>()) {
  WARIFU_CHECK(impl_->store != nullptr);
}
Authorities::~Authorities() = default;
Authorities::Authorities(Authorities&&) noexcept = default;
Authorities& Authorities::operator=(Authorities&&) noexcept = default;

Result<> Authorities::add(ByteView file, const std::string& name) {
  std::vector<CertificatePtr> found;
  if (file.empty()) return fail(Code::kInvalidArgument, "'" + name + "' is empty");
  if (CertificatePtr der = parse_der(file)) {
    found.push_back(std::move(der));
  } else {
    const BioPtr bio(::BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
    WARIFU_CHECK(bio != nullptr);
    while (CertificatePtr pem{::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
      found.push_back(std::move(pem));
    }
    (void)openssl_errors();
  }
  if (found.empty()) {
    return fail(Code::kInvalidArgument, "'" + name + "' holds no certificate in DER or PEM");
  }
  for (const CertificatePtr& one : found) {
    // Otherwise it would vouch for itself.
    if (::X509_check_ca(one.get()) == 0) {
      return fail(Code::kInvalidArgument,
                  "'" + name + "' holds a certificate that is no authority's");
    }
    WARIFU_CHECK(::X509_STORE_add_cert(impl_->store.get(), one.get()) == 1);
    impl_->names.push_back(common_name(::X509_get_subject_name(one.get())));
  }
  return {};
}

bool Authorities::empty() const {
  return impl_->names.empty();
}

std::vector<std::string> Authorities::names() const {
  return impl_->names;
}

std::optional<CertificateProblem> Authorities::check(ByteView der,
                                                     std::chrono::sys_seconds now) const {
  const auto facts = describe_certificate(der);
  if (!facts) return CertificateProblem{CertificateFlaw::kDamaged, facts.error().message};
  const CertificatePtr certificate = parse_der(der);
  const StoreContextPtr context(::X509_STORE_CTX_new());
  WARIFU_CHECK(context != nullptr && ::X509_STORE_CTX_init(context.get(), impl_->store.get(),
                                                           certificate.get(), nullptr) == 1);
  X509_VERIFY_PARAM* wanted = ::X509_STORE_CTX_get0_param(context.get());
  ::X509_VERIFY_PARAM_set_time(wanted, now.time_since_epoch().count());
  ::X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_PARTIAL_CHAIN);
  ::X509_VERIFY_PARAM_set_auth_level(wanted, kLevel112Bits);
  const bool good = ::X509_verify_cert(context.get()) == 1;
  const int error = ::X509_STORE_CTX_get_error(context.get());
  (void)openssl_errors();
  if (!good) return problem_of(error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error);
  return check_use(certificate.get());
}

RevocationFinding Authorities::look_up(ByteView der, std::span<const Bytes> lists,
                                       std::chrono::sys_seconds now,
                                       std::chrono::seconds max_age) const {
  const CertificatePtr certificate = parse_der(der);
  if (certificate == nullptr) return {RevocationState::kBadList, "this is no certificate"};
  const OwnLists own = lists_of(certificate.get(), lists);
  if (!own.newest) {
    return own.damaged
               ? RevocationFinding{RevocationState::kBadList, "a revocation list is damaged"}
               : RevocationFinding{RevocationState::kNoList,
                                   "there is no revocation list of the card's authority"};
  }
  using Stack =
      std::unique_ptr<STACK_OF(X509_CRL),
                      decltype([](STACK_OF(X509_CRL) * stack) { sk_X509_CRL_free(stack); })>;
  const Stack stack(sk_X509_CRL_new_null());
  for (const ListPtr& list : own.lists) sk_X509_CRL_push(stack.get(), list.get());
  std::set<int> errors;
  const StoreContextPtr context(::X509_STORE_CTX_new());
  WARIFU_CHECK(context != nullptr && ::X509_STORE_CTX_init(context.get(), impl_->store.get(),
                                                           certificate.get(), nullptr) == 1);
  ::X509_STORE_CTX_set0_crls(context.get(), stack.get());
  ::X509_STORE_CTX_set_app_data(context.get(), &errors);
  ::X509_STORE_CTX_set_verify_cb(context.get(), note_error);
  X509_VERIFY_PARAM* wanted = ::X509_STORE_CTX_get0_param(context.get());
  ::X509_VERIFY_PARAM_set_time(wanted, now.time_since_epoch().count());
  ::X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_CRL_CHECK);
  ::X509_VERIFY_PARAM_set_auth_level(wanted, kLevel112Bits);
  if (::X509_verify_cert(context.get()) != 1 && errors.empty()) {
    errors.insert(X509_V_ERR_UNSPECIFIED);
  }
  (void)openssl_errors();
  return finding_of(errors, own, now - *own.newest > max_age);
}

}  // namespace warifu::crypto
