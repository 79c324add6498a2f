// Orders at the kiosk.
#include "apps/kiosk_enrolment.h"

#include "api/json.h"
#include "apps/kiosk_desk.h"
#include "apps/output.h"
#include "base/log.h"
#include "consent/evidence.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

EnrolOptions options_of(const json::value& order, const CarriedOrder& carried) {
  EnrolOptions options;
  options.id = text_of(order, "person");
  options.name = text_of(order, "name");
  options.card_type = text_of(order, "card_type");
  options.order = &carried;
  return options;
}

// The staff's page shows it beside the order; that it cannot be told changes nothing.
void tell_trouble(ApiClient& client, const std::string& order, const std::string& why) {
  const auto told =
      client.post("/v1/enrolments/" + url_text(order) + "/trouble", {{"why", why.substr(0, 300)}});
  if (!told) log_warning("the site was not told what went wrong: " + told.error().message);
}

}  // namespace

KioskEnrolment::KioskEnrolment(KioskDesk& desk, const Common& site, CardOptions card,
                               std::string name)
    : desk_(desk), site_(site), options_(std::move(card)), name_(std::move(name)) {
  if (options_.module.empty()) options_.wait = "0s";
  options_.asks_nobody = true;
}

json::object KioskEnrolment::progress() {
  const std::lock_guard lock(mutex_);
  if (order_ && !step_.running && Clock::now() - order_->used > kPatience) order_.reset();
  json::object out = {{"order", nullptr},   {"running", step_.running}, {"step", step_.name},
                      {"site", step_.site}, {"done", step_.done},       {"total", step_.total}};
  if (order_) out["order"] = order_->shown;
  return out;
}

void KioskEnrolment::note(const EnrolStep& step) {
  const std::lock_guard lock(mutex_);
  step_ = {true, std::string(step.name), step.site, step.done, step.total};
}

Result<json::value> KioskEnrolment::find(const std::string& code) {
  ApiClient client(site_);
  TRY_ASSIGN(const json::value found, client.post("/v1/enrolments/find", {{"code", code}}));
  const json::object* fields = found.if_object();
  if (fields == nullptr) return fail(Code::kProtocol, "the site's answer is no order");
  const std::lock_guard lock(mutex_);
  if (step_.running) return fail(Code::kBusy, "another enrolment goes on here");
  order_ = Order{.id = text_of(found, "order"),
                 .person = text_of(found, "person"),
                 .name = text_of(found, "name"),
                 .type = text_of(found, "card_type"),
                 .again = found.at("again").as_bool(),
                 .shown = *fields,
                 .used = Clock::now()};
  return found;
}

void KioskEnrolment::forget() {
  const std::lock_guard lock(mutex_);
  if (!step_.running) order_.reset();
}

Result<json::value> KioskEnrolment::run(std::shared_ptr<const secret::Buffer> pin) {
  Order order;
  {
    const std::lock_guard lock(mutex_);
    if (!order_) return fail(Code::kNotFound, "no enrolment was found here: type its code");
    if (step_.running) return fail(Code::kBusy, "the enrolment goes on already");
    order_->used = Clock::now();
    order = *order_;
    step_ = {.running = true, .name = "asking", .site = "", .done = 0, .total = 0};
  }
  auto done = desk_.alone([&] { return enrol(order, std::move(pin)); });
  if (!done) {
    ApiClient client(site_);
    tell_trouble(client, order.id, done.error().message);
  }
  const std::lock_guard lock(mutex_);
  step_ = {};
  if (done) order_.reset();
  return done;
}

Result<json::value> KioskEnrolment::enrol(const Order& order,
                                          std::shared_ptr<const secret::Buffer> pin) {
  TRY_ASSIGN(const CardType type, card_type_of(order.type));
  CardOptions card = options_;
  card.pin = std::move(pin);
  secret::Buffer chosen;
  if (type != CardType::kDesfire) {
    TRY_ASSIGN(chosen, read_pin(card));
    // Before anything is drawn for it.
    if (type == CardType::kOneTime) TRY(card::check_pin(chosen.bytes()));
  }
  TRY_ASSIGN(CardTerminal terminal, open_card(card));
  TRY_ASSIGN(const CardFacts before, terminal.card->identify());
  TRY(check_card_type(terminal, before, type));
  ApiClient client(site_);
  const CarriedOrder carried{order.id, name_, [this](const EnrolStep& step) { note(step); }};
  const EnrolOptions options = options_of(order.shown, carried);
  if (before.is_active && !card::is_signature(before.kind)) {
    // Loaded, and then something broke off; or another person's.
    TRY(terminal.card->verify_holder(card));
    TRY(finish_enrolment(client, terminal, before, name_, order.id));
    return json::value{{"card", before.card.text()}, {"resumed", true}, {"missing", 0}};
  }
  TRY_ASSIGN(const EnrolledCard enrolled,
             terminal.card->enrol(client, options, std::move(chosen),
                                  order.again ? Issue::kAgain : Issue::kFirst));
  note({"records"});
  const card::CardKind kind = enrolled.kind.value_or(before.kind);
  const CardFacts facts{enrolled.card, kind, true};
  const LoadedRecords records =
      order.again ? load_records(client, terminal, facts) : LoadedRecords{};
  json::array sites;
  for (const SiteName& site : enrolled.sites) sites.emplace_back(site.text());
  return json::value{{"card", enrolled.card.text()},
                     {"card_kind", consent::card_kind_name(kind)},
                     {"security", consent::evidence_class(kind)},
                     {"sites", std::move(sites)},
                     {"resumed", false},
                     {"loaded", records.loaded},
                     {"missing", records.missing}};
}

Result<> finish_enrolment(ApiClient& client, CardTerminal& terminal, const CardFacts& card,
                          const std::string& name, const std::string& wanted) {
  const auto found = client.post("/v1/enrolments/resume", {{"card", card.card.text()}});
  const bool is_none = !found && found.error().code == Code::kNotFound;
  if (!wanted.empty() && (is_none || (found && text_of(*found, "order") != wanted))) {
    return fail(Code::kAlreadyExists, "the card at " + terminal.name +
                                          " already belongs to a person: a new one is needed");
  }
  if (!found) return std::unexpected(found.error());
  const json::value& order = *found;
  if (!card::is_relayed(card.kind)) {
    TRY(client.post("/v1/enrolments/finish", {{"card", card.card.text()}}));
    return {};
  }
  // The sites led its ceremony, and lead it to its end.
  const CarriedOrder carried{text_of(order, "order"), name, {}};
  TRY(terminal.card->enrol(client, options_of(order, carried), {}, Issue::kFirst));
  return {};
}

LoadedRecords load_records(ApiClient& client, CardTerminal& terminal, const CardFacts& card) {
  LoadedRecords records;
  if (card::is_signature(card.kind)) return records;
  const auto list = client.get("/v1/cards/" + card.card.text() + "/records");
  if (!list) {
    log_warning("records for the card: " + list.error().message);
    return records;
  }
  for (const json::value& object : list->at("objects").as_array()) {
    const auto loaded = terminal.card->load_record(client, std::string(object.as_string()));
    ++(loaded ? records.loaded : records.missing);
    if (!loaded) log_warning("record for the card: " + loaded.error().message);
  }
  return records;
}

void add_kiosk_enrolment_routes(http::Router& router, KioskEnrolment& enrolment) {
  using http::Method;
  using http::RequestContext;
  constexpr std::uint64_t kMostPin = 64;
  using Answer = Result<json::value>;
  router.add(Method::kGet, "/v1/kiosk/enrol",
             api::json_handler([&enrolment](RequestContext&) -> Answer {
               return json::value(enrolment.progress());
             }));
  router.add(Method::kPost, "/v1/kiosk/enrol/find",
             api::json_handler([&enrolment](RequestContext& context) -> Answer {
               TRY_ASSIGN(const json::object body, api::body_object(context));
               TRY_ASSIGN(const std::string code, api::text_field(body, "code"));
               return enrolment.find(code);
             }),
             {.max_body = 1024});
  router.add(Method::kPost, "/v1/kiosk/enrol/leave",
             api::json_handler([&enrolment](RequestContext&) -> Answer {
               enrolment.forget();
               return json::value(json::object());
             }));
  router.add(Method::kPost, "/v1/kiosk/enrol/run",
             api::json_handler([&enrolment](RequestContext& context) -> Answer {
               const ByteView body = context.request().body.view();
               std::shared_ptr<const secret::Buffer> pin;
               if (!body.empty()) {
                 pin = std::make_shared<const secret::Buffer>(secret::Buffer::copy_of(body));
               }
               return enrolment.run(std::move(pin));
             }),
             {.secret_body = true, .max_body = kMostPin});
}

}  // namespace warifu::apps
