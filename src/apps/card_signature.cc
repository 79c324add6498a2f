// A signature card as an authenticator: certificate, PIN, one signature for all sites.
#include <fmt/format.h>

#include "apps/card_authenticator.h"
#include "apps/card_terminal.h"
#include "apps/output.h"
#include "consent/evidence.h"
#include "consent/grant.h"
#include "consent/signature_trust.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

class JpkiSigner final : public CardSigner {
 public:
  explicit JpkiSigner(card::JpkiCard card) : card_(std::move(card)) {}

  Result<Bytes> certificate() override { return card_.certificate(card::JpkiKey::kAuthentication); }
  Result<json::object> describe() override {
    TRY_ASSIGN(const Byte tries, card_.tries_left(card::JpkiKey::kAuthentication));
    return json::object{{"application", "jpki"}, {"pin_tries_left", tries}};
  }
  Result<> unlock(ByteView pin) override {
    return card_.verify_pin(card::JpkiKey::kAuthentication, pin);
  }
  Result<Bytes> sign(ByteView message) override {
    return card_.sign(card::JpkiKey::kAuthentication, message);
  }

 private:
  card::JpkiCard card_;
};

class SignatureCard final : public CardAuthenticator {
 public:
  explicit SignatureCard(std::unique_ptr<CardSigner> signer) : signer_(std::move(signer)) {}

  // Whether it counts as a chip is for the sites to say; here the issuer's word for it stands.
  Result<CardFacts> identify() override {
    TRY(read_certificate());
    const bool is_stand_in = facts_.issuer_name.starts_with("EMULATED");
    return CardFacts{consent::signature_card_id(certificate_),
                     is_stand_in ? card::CardKind::kSignatureEmulated : card::CardKind::kSignature,
                     false};
  }

  Result<json::object> describe() override {
    TRY_ASSIGN(const CardFacts facts, identify());
    TRY_ASSIGN(json::object shown, signer_->describe());
    shown["card_id"] = facts.card.text();
    shown["type"] = "signature";
    shown["emulated"] = card::is_emulated(facts.kind);
    shown["security"] = consent::evidence_class(facts.kind);
    shown["scheme"] = crypto::scheme_name(facts_.scheme);
    shown["issuer"] = facts_.issuer;
    shown["valid_from"] = time_text(facts_.not_before);
    shown["valid_until"] = time_text(facts_.not_after);
    return shown;
  }

  Result<> verify_holder(const CardOptions& options) override {
    TRY_ASSIGN(const secret::Buffer pin, read_pin(options));
    return signer_->unlock(pin.bytes());
  }

  Result<EnrolledCard> enrol(ApiClient& client, const EnrolOptions& options, secret::Buffer pin,
                             Issue issue) override {
    TRY(read_certificate());
    TRY(signer_->unlock(pin.bytes()));
    EnrolledCard enrolled{.card = consent::signature_card_id(certificate_)};
    TRY_ASSIGN(json::object wish, signed_statement());
    std::string path = "/v1/persons/" + url_text(options.id) + "/reissue/signed";
    if (options.order != nullptr) {
      wish["terminal"] = options.order->terminal;
      path = "/v1/enrolments/" + url_text(options.order->id) + "/signed";
    } else if (issue == Issue::kFirst) {
      wish["person"] = options.id;
      wish["name"] = options.name;
      path = "/v1/persons/signed";
    }
    tell_step(options, {"asking"});
    TRY_ASSIGN(const json::value answer, client.post(path, wish));
    if (text_of(answer, "card") != enrolled.card.text()) {
      return fail(Code::kCorrupt, "the site has enrolled another card than this one");
    }
    for (const json::value& name : answer.at("sites").as_array()) {
      TRY_ASSIGN(enrolled.sites.emplace_back(), SiteName::parse(std::string(name.as_string())));
    }
    enrolled.kind = kind_in(answer);
    enrolled.text = fmt::format(
        "keeps nothing of it; {} sites know its certificate, by which they will check its "
        "signatures (computational security)",
        enrolled.sites.size());
    return enrolled;
  }

  // Such a card keeps no records.
  Result<> load_record(ApiClient& client, const std::string& object) override {
    TRY(client.get("/v1/objects/" + url_text(object)));
    return {};
  }

  // It has no index of its own: the sites' next free one is taken.
  Result<> add_to_wish(json::object& wish) override {
    TRY(read_certificate());
    wish["card"] = consent::signature_card_id(certificate_).text();
    wish["signature_card"] = true;
    return {};
  }

  Result<GivenConsent> authorise(ApiClient& client, ByteView grant, const ObjectId&) override {
    TRY(read_certificate());
    TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
    if (parsed.card != consent::signature_card_id(certificate_)) {
      return fail(Code::kCorrupt, "the site's grant is for another card; it was not signed");
    }
    TRY_ASSIGN(const Bytes signature, sign(grant));
    TRY_ASSIGN(const json::value answer,
               client.post("/v1/consents/signed",
                           {{"grant", to_hex(grant)}, {"signature", to_hex(signature)}}));
    const std::string id = text_of(answer, "grant");
    if (id != consent::grant_id(grant).text()) {
      return fail(Code::kCorrupt, "the site kept another consent than the card has signed");
    }
    return GivenConsent{id, kind_in(answer)};
  }

  Result<json::object> prove(ApiClient&, ByteView grant) override {
    TRY(read_certificate());
    TRY_ASSIGN(const Bytes signature, sign(grant));
    return json::object{{"grant", to_hex(grant)}, {"signature", to_hex(signature)}};
  }

  // No keys: the site judges the certificate again and keeps it.
  Result<std::uint32_t> renew(ApiClient& client, const SiteName& at) override {
    TRY_ASSIGN(json::object statement, signed_statement());
    statement["site"] = at.text();
    TRY(client.post("/v1/cards/renewal/signed", statement));
    return 0;
  }

 private:
  // That this card and its PIN are here now.
  Result<json::object> signed_statement() {
    TRY(read_certificate());
    const os::UnixMs now = os::real_clock().now();
    const CardId card = consent::signature_card_id(certificate_);
    TRY_ASSIGN(const Bytes signature, sign(consent::enrolment_statement(card, now)));
    return json::object{{"certificate", to_hex(certificate_)},
                        {"signed_at", now.value},
                        {"signature", to_hex(signature)}};
  }
  Result<> read_certificate() {
    if (!certificate_.empty()) return {};
    TRY_ASSIGN(Bytes certificate, signer_->certificate());
    TRY_ASSIGN(facts_, crypto::describe_certificate(certificate));
    certificate_ = std::move(certificate);
    return {};
  }

  // A signature that its own certificate does not fit would only be refused at every site.
  Result<Bytes> sign(ByteView message) {
    TRY_ASSIGN(Bytes signature, signer_->sign(message));
    TRY_ASSIGN(const bool good, crypto::verify_signature(certificate_, message, signature));
    if (!good) {
      return fail(Code::kProtocol, "the card's signature does not fit the certificate on it");
    }
    return signature;
  }

  static card::CardKind kind_in(const json::value& answer) {
    const auto name = consent::card_kind_name(card::CardKind::kSignatureEmulated);
    return text_of(answer, "kind") == name ? card::CardKind::kSignatureEmulated
                                           : card::CardKind::kSignature;
  }
  static std::string time_text(std::chrono::sys_seconds time) {
    return os::utc_text({time.time_since_epoch().count() * 1000});
  }

  std::unique_ptr<CardSigner> signer_;
  Bytes certificate_;  // once it was read
  crypto::CertificateFacts facts_;
};

}  // namespace

std::unique_ptr<CardSigner> jpki_signer(card::JpkiCard card) {
  return std::make_unique<JpkiSigner>(std::move(card));
}

std::unique_ptr<CardAuthenticator> signature_authenticator(std::unique_ptr<CardSigner> signer) {
  return std::make_unique<SignatureCard>(std::move(signer));
}

}  // namespace warifu::apps
