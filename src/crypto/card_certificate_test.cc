// Certificates of signature cards: good ones, every flaw by its name, revocation lists, and bytes
// that were changed.
#include "crypto/card_certificate.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <random>

#include "crypto/certificate_parts.h"

namespace warifu::crypto {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

std::chrono::sys_seconds now() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

KeyPtr ec_key(const char* curve = "P-256") {
  return KeyPtr(::EVP_EC_gen(curve));
}

Bytes der_of(X509* certificate) {
  Bytes der(static_cast<std::size_t>(::i2d_X509(certificate, nullptr)));
  unsigned char* at = der.data();
  (void)::i2d_X509(certificate, &at);
  return der;
}

struct Wish {
  const char* name = "EMULATED CARD";
  const char* usage = "critical,digitalSignature";  // empty: none
  const char* extended = "";
  bool is_ca = false;
  seconds starts_in{-3600};
  seconds lasts = days(30);
  const EVP_MD* digest = ::EVP_sha256();
};

CertificatePtr issue(const Wish& wish, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  auto certificate = begin_certificate(wish.name, key, wish.starts_in, wish.lasts);
  WARIFU_CHECK(certificate.has_value());
  X509* made = certificate->get();
  WARIFU_CHECK(::X509_set_issuer_name(
                   made, ::X509_get_subject_name(issuer == nullptr ? made : issuer)) == 1);
  WARIFU_CHECK(add_extension(made, made, NID_basic_constraints,
                             wish.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE")
                   .has_value());
  if (*wish.usage != 0) {
    WARIFU_CHECK(add_extension(made, made, NID_key_usage, wish.usage).has_value());
  }
  if (*wish.extended != 0) {
    WARIFU_CHECK(add_extension(made, made, NID_ext_key_usage, wish.extended).has_value());
  }
  WARIFU_CHECK(::X509_sign(made, issuer_key, wish.digest) != 0);
  return std::move(*certificate);
}

// An authority, and a card of it.
struct Issuer {
  KeyPtr key = ec_key();
  CertificatePtr certificate;
  explicit Issuer(const char* name = "EMULATED AUTHORITY",
                  const char* usage = "critical,keyCertSign,cRLSign", seconds lasts = days(365))
      : certificate(issue({.name = name, .usage = usage, .is_ca = true, .lasts = lasts}, key.get(),
                          nullptr, key.get())) {}
  Bytes der() const { return der_of(certificate.get()); }
  CertificatePtr sign(const Wish& wish, EVP_PKEY* card) const {
    return issue(wish, card, certificate.get(), key.get());
  }
};

Bytes list_of(const Issuer& issuer, EVP_PKEY* key, X509* revoked, seconds made, seconds next) {
  X509_CRL* list = ::X509_CRL_new();
  WARIFU_CHECK(::X509_CRL_set_version(list, 1) == 1);
  WARIFU_CHECK(
      ::X509_CRL_set_issuer_name(list, ::X509_get_subject_name(issuer.certificate.get())) == 1);
  ASN1_TIME* time = ::ASN1_TIME_new();
  ::X509_CRL_set1_lastUpdate(list, ::X509_gmtime_adj(time, made.count()));
  ::X509_CRL_set1_nextUpdate(list, ::X509_gmtime_adj(time, next.count()));
  if (revoked != nullptr) {
    X509_REVOKED* entry = ::X509_REVOKED_new();
    ::X509_REVOKED_set_serialNumber(entry, ::X509_get_serialNumber(revoked));
    ::X509_REVOKED_set_revocationDate(entry, ::X509_gmtime_adj(time, made.count()));
    ::X509_CRL_add0_revoked(list, entry);
  }
  ::ASN1_TIME_free(time);
  ::X509_CRL_sort(list);
  WARIFU_CHECK(::X509_CRL_sign(list, key, ::EVP_sha256()) != 0);
  Bytes der(static_cast<std::size_t>(::i2d_X509_CRL(list, nullptr)));
  unsigned char* at = der.data();
  (void)::i2d_X509_CRL(list, &at);
  ::X509_CRL_free(list);
  return der;
}

class CardCertificateTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(trusted_.add(issuer_.der(), "issuer"));
    card_ = der_of(issuer_.sign({}, key_.get()).get());
  }
  std::optional<CertificateFlaw> flaw(const Wish& wish, seconds from_now = {}) {
    const auto problem =
        trusted_.check(der_of(issuer_.sign(wish, key_.get()).get()), now() + from_now);
    return problem ? std::optional(problem->flaw) : std::nullopt;
  }
  Bytes sign(ByteView message, EVP_PKEY* key, const EVP_MD* digest = ::EVP_sha256()) {
    EVP_MD_CTX* context = ::EVP_MD_CTX_new();
    std::size_t size = kMaxSignatureBytes;
    Bytes signature(size);
    WARIFU_CHECK(
        ::EVP_DigestSignInit(context, nullptr, digest, nullptr, key) == 1 &&
        ::EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()) == 1);
    ::EVP_MD_CTX_free(context);
    signature.resize(size);
    return signature;
  }
  RevocationState state(const std::vector<Bytes>& lists, seconds max_age = days(7)) {
    return trusted_.look_up(card_, lists, now(), max_age).state;
  }

  Issuer issuer_;
  KeyPtr key_ = ec_key();
  Authorities trusted_;
  Bytes card_;
};

TEST_F(CardCertificateTest, GoodOnesOfEveryKindVerifyAndNothingElse) {
  struct Kind {
    KeyPtr key;
    const EVP_MD* digest;
    SignatureScheme scheme;
  };
  std::vector<Kind> kinds;
  kinds.push_back({KeyPtr(::EVP_RSA_gen(2048)), ::EVP_sha256(), SignatureScheme::kRsaSha256});
  kinds.push_back({ec_key(), ::EVP_sha256(), SignatureScheme::kEcdsaP256Sha256});
  kinds.push_back({ec_key("P-384"), ::EVP_sha384(), SignatureScheme::kEcdsaP384Sha384});
  const Bytes message(200, 0x5A);
  for (const Kind& kind : kinds) {
    const Bytes der = der_of(issuer_.sign({}, kind.key.get()).get());
    EXPECT_FALSE(trusted_.check(der, now()));
    const auto facts = describe_certificate(der);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->scheme, kind.scheme);
    EXPECT_EQ(facts->issuer_name, "EMULATED AUTHORITY");
    EXPECT_LT(facts->not_before, now());
    EXPECT_GT(facts->not_after, now() + days(29));
    const Bytes signature = sign(message, kind.key.get(), kind.digest);
    EXPECT_TRUE(verify_signature(der, message, signature).value());
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
      Bytes bent = signature;
      bent[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
      EXPECT_FALSE(verify_signature(der, message, bent).value()) << bit;
    }
    for (std::size_t bit = 0; bit < message.size() * 8; bit += 7) {
      Bytes bent = message;
      bent[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
      EXPECT_FALSE(verify_signature(der, bent, signature).value()) << bit;
    }
    EXPECT_FALSE(verify_signature(der, message, {}).value());
    EXPECT_FALSE(verify_signature(der, message, Bytes(5000)).value());
    EXPECT_FALSE(verify_signature(card_, message, signature).value());
  }
}

TEST_F(CardCertificateTest, AWeakOrForeignKeyIsNone) {
  const KeyPtr weak(::EVP_RSA_gen(1024));
  EXPECT_EQ(trusted_.check(der_of(issuer_.sign({}, weak.get()).get()), now())->flaw,
            CertificateFlaw::kDamaged);
  const KeyPtr ed25519(::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_EQ(trusted_.check(der_of(issuer_.sign({}, ed25519.get()).get()), now())->flaw,
            CertificateFlaw::kDamaged);
  EXPECT_EQ(flaw({.digest = ::EVP_sha1()}), CertificateFlaw::kWeak);
  const Issuer small = [] {
    Issuer made;
    made.key = KeyPtr(::EVP_RSA_gen(1024));
    made.certificate = issue({.name = "small", .usage = "critical,keyCertSign", .is_ca = true},
                             made.key.get(), nullptr, made.key.get());
    return made;
  }();
  Authorities authorities;
  ASSERT_TRUE(authorities.add(small.der(), "small"));
  EXPECT_EQ(authorities.check(der_of(small.sign({}, key_.get()).get()), now())->flaw,
            CertificateFlaw::kWeak);
}

TEST_F(CardCertificateTest, OnlyATrustedAuthorityVouches) {
  const Issuer stranger("STRANGER");
  EXPECT_EQ(trusted_.check(der_of(stranger.sign({}, key_.get()).get()), now())->flaw,
            CertificateFlaw::kUntrusted);
  const Issuer namesake;  // the same name, another key
  EXPECT_EQ(trusted_.check(der_of(namesake.sign({}, key_.get()).get()), now())->flaw,
            CertificateFlaw::kUntrusted);
  // A card that signs itself, and one that another card signs.
  EXPECT_EQ(trusted_.check(der_of(issue({}, key_.get(), nullptr, key_.get()).get()), now())->flaw,
            CertificateFlaw::kUntrusted);
  const auto card = issuer_.sign({}, key_.get());
  const KeyPtr other = ec_key();
  EXPECT_EQ(
      trusted_.check(der_of(issue({}, other.get(), card.get(), key_.get()).get()), now())->flaw,
      CertificateFlaw::kUntrusted);
  EXPECT_EQ(Authorities().check(card_, now())->flaw, CertificateFlaw::kUntrusted);
}

TEST_F(CardCertificateTest, AnAuthorityBetweenHasToBeConfiguredToo) {
  Issuer between;
  between.certificate =
      issuer_.sign({.name = "BETWEEN", .usage = "critical,keyCertSign,cRLSign", .is_ca = true},
                   between.key.get());
  const Bytes card = der_of(between.sign({}, key_.get()).get());
  EXPECT_EQ(trusted_.check(card, now())->flaw, CertificateFlaw::kUntrusted);
  ASSERT_TRUE(trusted_.add(between.der(), "between"));
  EXPECT_FALSE(trusted_.check(card, now()));
  // By itself it is enough: what is configured is trusted.
  Authorities alone;
  ASSERT_TRUE(alone.add(between.der(), "between"));
  EXPECT_FALSE(alone.check(card, now()));
}

TEST_F(CardCertificateTest, TimesAreTheCallers) {
  EXPECT_EQ(flaw({}, hours(-2)), CertificateFlaw::kNotYetValid);
  EXPECT_EQ(flaw({}, days(31)), CertificateFlaw::kExpired);
  EXPECT_EQ(flaw({.lasts = days(900)}, days(400)), CertificateFlaw::kExpired) << "the authority's";
  EXPECT_EQ(flaw({.lasts = days(900)}, days(300)), std::nullopt);
}

TEST_F(CardCertificateTest, ItIsForSignaturesOfAPerson) {
  EXPECT_EQ(flaw({.usage = "critical,nonRepudiation"}), std::nullopt);
  EXPECT_EQ(flaw({.extended = "clientAuth"}), std::nullopt);
  EXPECT_EQ(flaw({.extended = "anyExtendedKeyUsage"}), std::nullopt);
  EXPECT_EQ(flaw({.usage = "critical,keyEncipherment"}), CertificateFlaw::kWrongUse);
  EXPECT_EQ(flaw({.usage = ""}), CertificateFlaw::kWrongUse);
  EXPECT_EQ(flaw({.extended = "serverAuth"}), CertificateFlaw::kWrongUse);
  EXPECT_EQ(flaw({.extended = "codeSigning,emailProtection"}), CertificateFlaw::kWrongUse);
  EXPECT_EQ(flaw({.usage = "critical,digitalSignature,keyCertSign", .is_ca = true}),
            CertificateFlaw::kWrongUse);
  EXPECT_EQ(trusted_.check(issuer_.der(), now())->flaw, CertificateFlaw::kWrongUse);
}

TEST_F(CardCertificateTest, AnchorsAreAuthorities) {
  Authorities authorities;
  EXPECT_EQ(authorities.add(card_, "card.der").error().code, Code::kInvalidArgument);
  EXPECT_EQ(authorities.add(as_bytes("no certificate"), "text").error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(authorities.add({}, "empty").error().code, Code::kInvalidArgument);
  EXPECT_TRUE(authorities.empty());
  BIO* bio = ::BIO_new(::BIO_s_mem());
  const Issuer second("EMULATED SECOND");
  ::PEM_write_bio_X509(bio, issuer_.certificate.get());
  ::PEM_write_bio_X509(bio, second.certificate.get());
  char* text = nullptr;
  const auto size = static_cast<std::size_t>(::BIO_get_mem_data(bio, &text));
  ASSERT_TRUE(authorities.add(as_bytes(std::string_view(text, size)), "both.pem"));
  ::BIO_free(bio);
  EXPECT_EQ(authorities.names(),
            (std::vector<std::string>{"EMULATED AUTHORITY", "EMULATED SECOND"}));
  EXPECT_FALSE(authorities.check(card_, now()));
}

TEST_F(CardCertificateTest, RevocationListsSayWhatTheyMay) {
  const auto card = issuer_.sign({}, key_.get());
  card_ = der_of(card.get());
  EVP_PKEY* own = issuer_.key.get();
  const Bytes good = list_of(issuer_, own, nullptr, hours(-1), days(1));
  const Bytes revoked = list_of(issuer_, own, card.get(), hours(-1), days(1));
  EXPECT_EQ(state({good}), RevocationState::kGood);
  EXPECT_EQ(state({revoked}), RevocationState::kRevoked);
  EXPECT_EQ(state({}), RevocationState::kNoList);
  const Issuer stranger("STRANGER");
  EXPECT_EQ(state({list_of(stranger, stranger.key.get(), nullptr, hours(-1), days(1))}),
            RevocationState::kNoList);
  EXPECT_EQ(state({list_of(stranger, stranger.key.get(), nullptr, hours(-1), days(1)), good}),
            RevocationState::kGood);
  EXPECT_EQ(state({list_of(issuer_, stranger.key.get(), nullptr, hours(-1), days(1))}),
            RevocationState::kBadList)
      << "the right name, another key";
  EXPECT_EQ(state({list_of(issuer_, own, nullptr, days(-3), hours(-1))}),
            RevocationState::kStaleList);
  EXPECT_EQ(state({list_of(issuer_, own, nullptr, days(-3), days(10))}, days(2)),
            RevocationState::kStaleList)
      << "older than allowed";
  EXPECT_EQ(state({list_of(issuer_, own, nullptr, hours(1), days(2))}), RevocationState::kStaleList)
      << "not in force yet";
  EXPECT_EQ(state({list_of(issuer_, own, card.get(), days(-3), hours(-1))}),
            RevocationState::kRevoked)
      << "an old list that names the card still does";
  EXPECT_EQ(state({Bytes{1, 2, 3}}), RevocationState::kBadList);
  EXPECT_EQ(state({Bytes()}), RevocationState::kBadList);
  EXPECT_EQ(state({good, Bytes{1, 2, 3}}), RevocationState::kBadList);
  const Issuer cannot("EMULATED AUTHORITY", "critical,keyCertSign");
  Authorities others;
  ASSERT_TRUE(others.add(cannot.der(), "cannot"));
  const std::vector<Bytes> lists = {list_of(cannot, cannot.key.get(), nullptr, hours(-1), days(1))};
  const Bytes theirs = der_of(cannot.sign({}, key_.get()).get());
  EXPECT_EQ(others.look_up(theirs, lists, now(), days(7)).state, RevocationState::kBadList)
      << "an authority that may not sign lists";
}

TEST_F(CardCertificateTest, ChangedListsAreNeverGood) {
  const auto card = issuer_.sign({}, key_.get());
  card_ = der_of(card.get());
  const Bytes revoked = list_of(issuer_, issuer_.key.get(), card.get(), hours(-1), days(1));
  for (std::size_t bit = 0; bit < revoked.size() * 8; ++bit) {
    Bytes bent = revoked;
    bent[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
    EXPECT_NE(state({bent}), RevocationState::kGood) << bit;
  }
}

TEST_F(CardCertificateTest, ChangedCertificatesByTheThousandAreNeverGood) {
  std::mt19937 dice(20260801);  // NOLINT: the same cases in every run
  const auto below = [&](std::size_t end) { return dice() % end; };
  std::size_t parsed = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes bent = card_;
    switch (below(4)) {
      case 0: bent[below(bent.size())] ^= static_cast<Byte>(1U << below(8)); break;
      case 1: bent.resize(below(bent.size())); break;
      case 2:
        bent.insert(bent.begin() + static_cast<std::ptrdiff_t>(below(bent.size())),
                    static_cast<Byte>(dice()));
        break;
      default:
        for (std::size_t n = 1 + below(8); n > 0; --n) {
          bent[below(bent.size())] = static_cast<Byte>(dice());
        }
    }
    if (bent == card_) continue;
    parsed += describe_certificate(bent) ? 1U : 0U;
    EXPECT_TRUE(trusted_.check(bent, now())) << i;
    (void)verify_signature(bent, bent, bent);
  }
  EXPECT_GT(parsed, 1000u);  // the cases reach beyond the parser
}

TEST(EcdsaToDer, TakesFixedLengthsOnly) {
  EXPECT_FALSE(ecdsa_to_der({}));
  EXPECT_FALSE(ecdsa_to_der(Bytes(63)));
  EXPECT_FALSE(ecdsa_to_der(Bytes(134)));
  Bytes both(64);
  both[31] = 5;
  both[63] = 0x80;
  EXPECT_EQ(*ecdsa_to_der(both), (Bytes{0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x02, 0x00, 0x80}));
}

}  // namespace
}  // namespace warifu::crypto
