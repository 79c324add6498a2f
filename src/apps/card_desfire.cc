// A DESFire card as an authenticator: relays what the sites say to it, and watches.
#include <fmt/format.h>
#include <unistd.h>

#include "apps/card_authenticator.h"
#include "apps/output.h"
#include "card/desfire_guard.h"
#include "consent/grant.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
namespace desfire = card::desfire;

class DesfireCard final : public CardAuthenticator {
 public:
  DesfireCard(card::Session& session, desfire::DesfireIdentity identity)
      : session_(session), identity_(std::move(identity)) {}

  Result<CardFacts> identify() override {
    return CardFacts{identity_.label.card, identity_.kind, identity_.is_active};
  }

  Result<json::object> describe() override {
    return json::object{
        {"card_id", identity_.label.card.text()}, {"type", "desfire"},
        {"active", identity_.is_active},          {"emulated", card::is_emulated(identity_.kind)},
        {"sites", identity_.applications},        {"version", to_hex(identity_.version)}};
  }

  Result<> verify_holder(const CardOptions&) override {
    if (::isatty(STDERR_FILENO) != 0) {
      fmt::print(stderr, "this card knows no PIN: whoever holds it can use it\n");
    }
    return {};
  }

  Result<EnrolledCard> enrol(ApiClient& client, const EnrolOptions& options, secret::Buffer,
                             Issue issue) override {
    if (issue == Issue::kAgain) {
      return fail(Code::kRefused,
                  "a DESFire card cannot take the place of another card; use a one-time card");
    }
    desfire::RelayGuard guard(desfire::Ceremony::kEnrol);
    json::object wish = {{"ceremony", "enrol"}, {"person", options.id}, {"name", options.name}};
    std::string begin = "/v1/cards/ceremonies";
    if (options.order != nullptr) {
      wish = {{"terminal", options.order->terminal}};
      begin = "/v1/enrolments/" + url_text(options.order->id) + "/begin";
    }
    tell_step(options, {"asking"});
    const auto told = [&](const std::string& site) { tell_step(options, {"writing", site}); };
    TRY_ASSIGN(const json::value over, relay(client, wish, guard, begin, told));
    EnrolledCard enrolled;
    TRY_ASSIGN(enrolled.card, CardId::parse(text_of(over, "card")));
    for (const json::value& name : over.at("sites").as_array()) {
      TRY_ASSIGN(enrolled.sites.emplace_back(), SiteName::parse(std::string(name.as_string())));
    }
    enrolled.text =
        fmt::format("an application for each of {} sites, and has no PIN", enrolled.sites.size());
    return enrolled;
  }

  Result<> load_record(ApiClient& client, const std::string& object) override {
    desfire::RelayGuard guard(desfire::Ceremony::kRecord);
    TRY(relay(client,
              {{"ceremony", "record"}, {"object", object}, {"card", identity_.label.card.text()}},
              guard));
    return {};
  }

  // It has no index of its own: the sites' next free one is taken.
  Result<> add_to_wish(json::object& wish) override {
    wish["card"] = identity_.label.card.text();
    return {};
  }

  Result<GivenConsent> authorise(ApiClient& client, ByteView grant, const ObjectId&) override {
    TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
    if (parsed.capacity != consent::Capacity::kOwn) {
      // Share control's application on this card knows nothing of other people's objects.
      TRY_ASSIGN(const json::object proof, prove(client, grant));
      TRY_ASSIGN(const json::value given, client.post("/v1/consents", proof));
      return GivenConsent{text_of(given, "grant"), std::nullopt};
    }
    desfire::RelayGuard guard(desfire::Ceremony::kConsent, crypto::sha256(grant));
    TRY_ASSIGN(const json::value over,
               relay(client, {{"ceremony", "consent"}, {"grant", to_hex(grant)}}, guard));
    const std::string id = text_of(over, "grant");
    if (id != consent::grant_id(grant).text()) {
      return fail(Code::kCorrupt, "the site kept another consent than the card has proved");
    }
    return GivenConsent{id, std::nullopt};
  }

  Result<json::object> prove(ApiClient& client, ByteView grant) override {
    desfire::RelayGuard guard(desfire::Ceremony::kConsent, crypto::sha256(grant));
    TRY_ASSIGN(const json::value over,
               relay(client, {{"ceremony", "proof"}, {"grant", to_hex(grant)}}, guard));
    return json::object{
        {"grant", to_hex(grant)}, {"card_kind", over.at("card_kind")}, {"tags", over.at("tags")}};
  }

  // The site's key is lost, and with it its application: it makes another one, behind all others.
  Result<std::uint32_t> renew(ApiClient& client, const SiteName& at) override {
    if (identity_.applications >= desfire::kMaxApplications) {
      return fail(Code::kRefused, "the card has no room for another application of site " +
                                      at.text() + "; a one-time card can take its place");
    }
    desfire::RelayGuard guard(desfire::Ceremony::kEnrol);
    TRY(relay(client,
              {{"ceremony", "renew"},
               {"card", identity_.label.card.text()},
               {"site", at.text()},
               {"application", identity_.applications + 1}},
              guard));
    return 0;
  }

 private:
  // APDUs from the site to the card and answers back, until the ceremony is over.
  Result<json::value> relay(ApiClient& client, const json::object& wish, desfire::RelayGuard& guard,
                            const std::string& begin = "/v1/cards/ceremonies",
                            const std::function<void(const std::string&)>& told = {}) {
    TRY_ASSIGN(json::value turn, client.post(begin, wish));
    const std::string path = "/v1/cards/ceremonies/" + url_text(text_of(turn, "ceremony"));
    while (turn.as_object().contains("apdu")) {
      TRY_ASSIGN(const Bytes apdu, from_hex(text_of(turn, "apdu")));
      TRY(guard.check(apdu));
      if (told) told(text_of(turn, "site"));
      TRY_ASSIGN(const secret::Buffer answer, desfire::pass_on(session_, apdu));
      auto next = client.post(path, {{"answer", to_hex(answer.bytes())}});
      if (!next) return std::unexpected(next.error());
      turn = std::move(*next);
    }
    return turn;
  }

  card::Session& session_;
  desfire::DesfireIdentity identity_;  // before anything was done to the card
};

}  // namespace

std::unique_ptr<CardAuthenticator> desfire_authenticator(card::Session& session,
                                                         desfire::DesfireIdentity identity) {
  return std::make_unique<DesfireCard>(session, std::move(identity));
}

std::string_view card_type_text(card::CardKind kind) {
  if (card::is_signature(kind)) return "a signature card";
  return card::is_relayed(kind) ? "a DESFire card" : "a one-time MAC card";
}

}  // namespace warifu::apps
