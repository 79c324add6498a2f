// One card, one person, one act at a time.
#include "apps/kiosk_desk.h"

#include <algorithm>

#include "apps/consent_terminal.h"
#include "apps/kiosk_enrolment.h"
#include "apps/output.h"
#include "consent/evidence.h"
#include "os/system.h"
#include "pcsc/readers.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kLastTry = 1;

}  // namespace

KioskDesk::KioskDesk(const Common& site, CardOptions card, std::string name,
                     std::chrono::seconds idle)
    : site_(site), options_(std::move(card)), name_(std::move(name)), idle_(idle) {
  options_.wait = "0s";
  options_.asks_nobody = true;
}

// A token's module is a process: it is not started twice a second, so a token counts as present.
Result<bool> KioskDesk::is_present() {
  if (!options_.module.empty()) return true;
  if (!is_reader(options_)) return os::real_files().exists(options_.card);
  TRY_ASSIGN(const auto readers, pcsc::Readers::open(os::real_clock()));
  const auto found = readers->wait_for_card(wanted_reader(options_), std::chrono::milliseconds(0));
  if (found) return true;
  if (found.error().code == Code::kTimeout) return false;
  return std::unexpected(found.error());
}

Result<KioskDesk::Card> KioskDesk::describe(CardTerminal& terminal) {
  Card card{.facts = {}, .name = terminal.name, .has_pin = true, .tries_left = {}};
  TRY_ASSIGN(card.facts, terminal.card->identify());
  card.has_pin = !card::is_relayed(card.facts.kind);
  TRY_ASSIGN(const json::object said, terminal.card->describe());
  if (const json::value* tries = said.if_contains("pin_tries_left")) {
    card.tries_left = tries->to_number<std::uint64_t>();
  }
  return card;
}

void KioskDesk::end_session() {
  session_.reset();
  prepared_.reset();
}

void KioskDesk::look() {
  if (session_ && Clock::now() - session_->used > idle_) end_session();
  const auto present = is_present();
  if (!present || !*present) {
    problem_ = present ? "" : present.error().message;
    card_.reset();
    return end_session();
  }
  if (card_) return;
  const auto read = [&]() -> Result<Card> {
    TRY_ASSIGN(CardTerminal terminal, open_card(options_));
    return describe(terminal);
  }();
  problem_ = read ? "" : read.error().message;
  if (read) card_ = *read;
  if (session_ && (!card_ || card_->facts.card != session_->card)) end_session();
}

json::object KioskDesk::view() {
  const std::lock_guard lock(mutex_);
  look();
  json::object out = {
      {"terminal", name_}, {"problem", problem_}, {"card", nullptr}, {"session", nullptr}};
  if (card_) {
    json::object card = {
        {"kind", consent::card_kind_name(card_->facts.kind)},
        {"security", consent::evidence_class(card_->facts.kind)},
        {"emulated", card::is_emulated(card_->facts.kind)},
        {"has_pin", card_->has_pin},
        {"blank", !card_->facts.is_active && !card::is_signature(card_->facts.kind)},
        {"pin_at_reader", is_reader(options_)},
        {"pin_tries_left", nullptr}};
    if (card_->tries_left) card["pin_tries_left"] = *card_->tries_left;
    out["card"] = std::move(card);
  }
  if (session_) {
    const auto left =
        std::chrono::ceil<std::chrono::seconds>(session_->used + idle_ - Clock::now());
    out["session"] = json::object{{"person", session_->person},
                                  {"name", session_->name},
                                  {"seconds_left", std::max<std::int64_t>(left.count(), 0)}};
  }
  return out;
}

Result<CardTerminal> KioskDesk::open_verified(std::shared_ptr<const secret::Buffer> pin) {
  CardOptions options = options_;
  options.pin = std::move(pin);
  TRY_ASSIGN(CardTerminal terminal, open_card(options));
  TRY_ASSIGN(card_, describe(terminal));
  if (session_ && card_->facts.card != session_->card) {
    end_session();
    return fail(Code::kRefused, "this is another card than the one that began; begin again");
  }
  if (!card_->facts.is_active && !card::is_signature(card_->facts.kind)) {
    return fail(Code::kNotFound, "this card belongs to nobody yet");
  }
  if (card_->has_pin && card_->tries_left && *card_->tries_left <= kLastTry) {
    return fail(Code::kRefused,
                "one PIN try or none is left on this card; the last one is not "
                "spent here: ask where the card was issued");
  }
  const auto verified = terminal.card->verify_holder(options);
  TRY_ASSIGN(card_, describe(terminal));
  if (!verified) return std::unexpected(verified.error());
  return terminal;
}

Result<json::object> KioskDesk::enter(std::shared_ptr<const secret::Buffer> pin) {
  const std::lock_guard lock(mutex_);
  end_session();
  TRY_ASSIGN(const bool present, is_present());
  if (!present) return fail(Code::kNotFound, "there is no card on the reader");
  TRY_ASSIGN(CardTerminal terminal, open_verified(std::move(pin)));
  const CardId card = card_->facts.card;
  ApiClient client(site_);
  const std::string path = "/v1/cards/" + card.text() + "/requests";
  auto page = client.get(path);
  if (!page && page.error().code == Code::kNotFound) {
    // Perhaps its enrolment broke off when everything was on the card.
    if (finish_enrolment(client, terminal, card_->facts, name_)) page = client.get(path);
  }
  if (!page) return std::unexpected(page.error());
  const LoadedRecords records = load_records(client, terminal, card_->facts);
  session_ = {.card = card,
              .person = text_of(*page, "person"),
              .name = text_of(*page, "name"),
              .used = Clock::now()};
  return json::object{{"person", session_->person},
                      {"name", session_->name},
                      {"records_loaded", records.loaded},
                      {"records_missing", records.missing}};
}

void KioskDesk::leave() {
  const std::lock_guard lock(mutex_);
  end_session();
}

Result<> KioskDesk::need_session() {
  look();
  if (!session_) return fail(Code::kRefused, "nobody has begun here, or the session has ended");
  session_->used = Clock::now();
  return {};
}

Result<> KioskDesk::stay() {
  const std::lock_guard lock(mutex_);
  return need_session();
}

Result<json::value> KioskDesk::page() {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  ApiClient client(site_);
  return client.get("/v1/cards/" + session_->card.text() + "/requests");
}

Result<json::value> KioskDesk::history() {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  ApiClient client(site_);
  return client.get("/v1/persons/" + url_text(session_->person) + "/accesses");
}

Result<json::value> KioskDesk::read(const std::string& request, const std::string& language) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  prepared_.reset();
  json::object wish = {{"request", request}, {"locale", language}, {"terminal", name_}};
  card::CardKind kind{};
  {
    TRY_ASSIGN(CardTerminal terminal, open_card(options_));
    TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
    if (facts.card != session_->card) {
      end_session();
      return fail(Code::kRefused, "this is another card than the one that began; begin again");
    }
    kind = facts.kind;
    TRY(terminal.card->add_to_wish(wish));
  }
  ApiClient client(site_);
  TRY_ASSIGN(const json::value prepared, client.post("/v1/consents/prepare", wish));
  TRY_ASSIGN(const Bytes grant, from_hex(text_of(prepared, "grant")));
  TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
  TRY(check_text(prepared, parsed, kind));
  if (consent::act_of(parsed) != consent::Act::kUse || !parsed.reason.empty() ||
      parsed.card != session_->card) {
    return fail(Code::kCorrupt, "the site's grant is not what was asked for; nothing was shown");
  }
  prepared_ = Prepared{request, to_hex(parsed.text_digest), grant, parsed.object};
  json::array regions;
  for (const std::string& region : consent::region_texts(parsed.scope))
    regions.emplace_back(region);
  return json::value{{"request", request},
                     {"text", text_of(prepared, "text")},
                     {"digest", to_hex(parsed.text_digest)},
                     {"key_bytes", prepared.at("key_bytes")},
                     {"expires", os::utc_text(parsed.expiry)},
                     {"regions", std::move(regions)},
                     {"sites", prepared.at("sites")},
                     {"missing", prepared.at("missing")}};
}

Result<json::value> KioskDesk::accept(const std::string& request, const std::string& digest,
                                      std::shared_ptr<const secret::Buffer> pin) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  if (!prepared_ || prepared_->request != request || prepared_->digest != digest) {
    return fail(Code::kInvalidArgument, "read what is asked first");
  }
  ApiClient client(site_);
  TRY_ASSIGN(const json::value asked, client.get("/v1/requests/" + url_text(request)));
  if (text_of(asked, "state") != "asked") {
    return fail(Code::kRefused, "this request is " + text_of(asked, "state") +
                                    " meanwhile; the card was not asked");
  }
  TRY_ASSIGN(const CardTerminal terminal, open_verified(std::move(pin)));
  const Prepared prepared = *std::exchange(prepared_, std::nullopt);
  TRY_ASSIGN(const GivenConsent given,
             terminal.card->authorise(client, prepared.grant, prepared.object));
  session_->used = Clock::now();
  const card::CardKind kind = given.kind.value_or(card_->facts.kind);
  return json::value{{"grant", given.grant},
                     {"card_kind", consent::card_kind_name(kind)},
                     {"security", consent::evidence_class(kind)},
                     {"holder_verification", consent::holder_verification(kind)}};
}

Result<json::value> KioskDesk::refuse(const std::string& request, const std::string& why) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  ApiClient client(site_);
  const std::string path = "/v1/requests/" + url_text(request);
  TRY_ASSIGN(const json::value asked, client.get(path));
  if (text_of(asked, "person") != session_->person) {
    return fail(Code::kRefused, "this request is for somebody else");
  }
  prepared_.reset();
  return client.post(path + "/refuse", {{"why", why}});
}

// That it is one of this person's, who alone may take it back here or have its receipt.
Result<json::value> KioskDesk::own_consent(const std::string& grant) {
  ApiClient client(site_);
  TRY_ASSIGN(const json::value page,
             client.get("/v1/cards/" + session_->card.text() + "/requests"));
  for (const json::value& one : page.at("consents").as_array()) {
    if (text_of(one, "grant") == grant) return one;
  }
  return fail(Code::kNotFound, "consent " + grant + " is not one of yours");
}

Result<json::value> KioskDesk::withdraw(const std::string& grant,
                                        std::shared_ptr<const secret::Buffer> pin) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  TRY(own_consent(grant));
  TRY(open_verified(std::move(pin)));
  session_->used = Clock::now();
  ApiClient client(site_);
  return client.post("/v1/consents/" + url_text(grant) + "/withdraw", json::object());
}

Result<json::value> KioskDesk::receipt(const std::string& grant) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  TRY(own_consent(grant));
  ApiClient client(site_);
  return client.get("/v1/consents/" + url_text(grant) + "/receipt");
}

}  // namespace warifu::apps
