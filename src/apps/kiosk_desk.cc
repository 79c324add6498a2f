// One card, one person, one act at a time: the card, and whose session it is.
#include "apps/kiosk_desk.h"

#include <algorithm>

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

// Where a card does not count its tries, its refusal says which it was (card/, pkcs11/).
bool is_wrong_pin(const Error& error) {
  return error.message.starts_with("wrong PIN");
}

// A signature card is its issuer's, and never blank.
bool is_blank(const CardFacts& facts) {
  return !facts.is_active && !card::is_signature(facts.kind);
}

}  // namespace

KioskDesk::KioskDesk(const Common& site, CardOptions card, std::string name,
                     std::chrono::seconds idle)
    : site_(site), options_(std::move(card)), name_(std::move(name)), idle_(idle) {
  // No card is waited for: the page says that there is none. A module needs its time.
  if (options_.module.empty()) options_.wait = "0s";
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
  Card card{.facts = {}, .name = terminal.name, .has_pin = true, .tries_left = {}, .keys_left = {}};
  TRY_ASSIGN(card.facts, terminal.card->identify());
  card.has_pin = !card::is_relayed(card.facts.kind);
  TRY_ASSIGN(const json::object said, terminal.card->describe());
  if (const json::value* tries = said.if_contains("pin_tries_left")) {
    card.tries_left = tries->to_number<std::uint64_t>();
  }
  if (const json::value* keys = said.if_contains("keys_left"); keys && card.facts.is_active) {
    card.keys_left = keys->to_number<std::uint64_t>();
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
    trouble_ = present ? Trouble::kOther : Trouble::kReader;
    card_.reset();
    return end_session();
  }
  if (card_) return;
  const auto read = [&]() -> Result<Card> {
    TRY_ASSIGN(CardTerminal terminal, open_card(options_));
    return describe(terminal);
  }();
  problem_ = read ? "" : read.error().message;
  trouble_ = read ? Trouble::kOther : Trouble::kUnreadable;
  if (read) card_ = *read;
  if (session_ && (!card_ || card_->facts.card != session_->card)) end_session();
}

json::object KioskDesk::view() {
  const std::lock_guard lock(mutex_);
  look();
  json::object out = {{"terminal", name_},
                      {"problem", problem_},
                      {"trouble", trouble_name(trouble_)},
                      {"card", nullptr},
                      {"session", nullptr}};
  if (card_) {
    json::object card = {{"kind", consent::card_kind_name(card_->facts.kind)},
                         {"security", consent::evidence_class(card_->facts.kind)},
                         {"emulated", card::is_emulated(card_->facts.kind)},
                         {"has_pin", card_->has_pin},
                         {"blank", is_blank(card_->facts)},
                         {"pin_at_reader", is_reader(options_)},
                         {"pin_tries_left", nullptr},
                         {"keys_left", nullptr}};
    if (card_->keys_left) card["keys_left"] = *card_->keys_left;
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

KioskError KioskDesk::of_card(CardTerminal& terminal, Error error) {
  const auto present = is_present();
  // A card that was taken away and put back is there; its conversation has ended.
  const bool is_gone = (present && !*present) || !terminal.card->identify();
  if (is_gone) return {Trouble::kCardGone, std::move(error)};
  if (card_ && card_->keys_left == 0U) return {Trouble::kNoKeys, std::move(error)};
  return error;
}

KioskResult<CardTerminal> KioskDesk::open_same(const CardOptions& options) {
  TRY_ASSIGN(const bool present, is_present());
  if (!present) {
    return fail_as(session_ ? Trouble::kCardGone : Trouble::kNoCard, Code::kNotFound,
                   "there is no card on the reader");
  }
  auto opened = open_card(options);
  if (!opened) return std::unexpected(KioskError(opened.error()));
  CardTerminal terminal = std::move(*opened);
  auto card = describe(terminal);
  if (!card) return std::unexpected(of_card(terminal, card.error()));
  card_ = std::move(*card);
  if (session_ && card_->facts.card != session_->card) {
    end_session();
    return fail_as(Trouble::kOtherCard, Code::kRefused,
                   "this is another card than the one that began; begin again");
  }
  if (!card_->facts.is_active && !card::is_signature(card_->facts.kind)) {
    return fail_as(Trouble::kBlankCard, Code::kNotFound, "this card belongs to nobody yet");
  }
  return terminal;
}

KioskResult<CardTerminal> KioskDesk::open_verified(std::shared_ptr<const secret::Buffer> pin) {
  CardOptions options = options_;
  options.pin = std::move(pin);
  TRY_ASSIGN(CardTerminal terminal, open_same(options));
  if (card_->has_pin && card_->tries_left && *card_->tries_left <= kLastTry) {
    return fail_as(Trouble::kLastTry, Code::kRefused,
                   "one PIN try or none is left on this card; the last one is not spent here: ask "
                   "where the card was issued");
  }
  const auto verified = terminal.card->verify_holder(options);
  auto card = describe(terminal);  // how many tries are left now
  if (card) card_ = std::move(*card);
  if (verified && card) return terminal;
  const Error error = verified ? card.error() : verified.error();
  switch (error.code) {
    case Code::kRefused:
      return std::unexpected(
          KioskError(is_wrong_pin(error) ? Trouble::kWrongPin : Trouble::kLastTry, error));
    case Code::kInvalidArgument:
    case Code::kCancelled: return std::unexpected(KioskError(Trouble::kNoPin, error));
    case Code::kTimeout:
      if (is_reader(options_) && card) return std::unexpected(KioskError(Trouble::kNoPin, error));
      break;
    default: break;
  }
  return std::unexpected(of_card(terminal, error));
}

KioskResult<json::object> KioskDesk::enter(std::shared_ptr<const secret::Buffer> pin) {
  const std::lock_guard lock(mutex_);
  end_session();
  TRY_ASSIGN(CardTerminal terminal, open_verified(std::move(pin)));
  const CardId card = card_->facts.card;
  ApiClient client(site_);
  const std::string path = "/v1/cards/" + card.text() + "/requests";
  auto page = client.get(path);
  if (!page && page.error().code == Code::kNotFound) {
    // Perhaps its enrolment broke off when everything was on the card.
    const auto finished = finish_enrolment(client, terminal, card_->facts, name_);
    if (!finished && finished.error().code != Code::kNotFound) {
      return std::unexpected(finished.error());
    }
    if (!finished) return std::unexpected(KioskError(Trouble::kUnknownCard, page.error()));
    page = client.get(path);
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

KioskResult<> KioskDesk::need_session() {
  look();
  if (!session_) {
    return fail_as(Trouble::kSessionOver, Code::kRefused,
                   "nobody has begun here, or the session has ended");
  }
  session_->used = Clock::now();
  return {};
}

KioskResult<> KioskDesk::stay() {
  const std::lock_guard lock(mutex_);
  return need_session();
}

KioskResult<json::value> KioskDesk::page() {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  ApiClient client(site_);
  return client.get("/v1/cards/" + session_->card.text() + "/requests");
}

KioskResult<json::value> KioskDesk::history() {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  ApiClient client(site_);
  return client.get("/v1/persons/" + url_text(session_->person) + "/accesses");
}

}  // namespace warifu::apps
