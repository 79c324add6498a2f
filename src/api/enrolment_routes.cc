// Orders of the biobank's desk, and terminals that carry them out.
#include "api/act_json.h"
#include "audit/actor.h"
#include "base/reason.h"
#include "custody/enrolment_orders.h"

namespace warifu::api {
namespace {

using catalog::EnrolmentId;
using catalog::EnrolmentOrder;
using http::RequestContext;

constexpr std::uint64_t kUsualOpenSeconds = 86'400;
constexpr std::uint64_t kMostOpenSeconds = std::chrono::seconds(custody::kLongestEnrolment).count();
constexpr unsigned kWrongCodes = 10;  // of one operator in a minute; then none is looked at

// Guesses at codes, by who makes them.
class CodeGuard {
 public:
  explicit CodeGuard(os::Clock& clock) : clock_(clock) {}

  Result<> check(const std::string& who) {
    const std::lock_guard lock(mutex_);
    const Minute& minute = minutes_[who];
    const bool is_over = clock_.monotonic() - minute.began >= std::chrono::minutes(1);
    if (is_over || minute.wrong < kWrongCodes) return {};
    return fail(Code::kRefused, "too many wrong codes: none is looked at for a minute",
                Reason::kCodeWait);
  }
  void note_wrong(const std::string& who) {
    const std::lock_guard lock(mutex_);
    Minute& minute = minutes_[who];
    const auto now = clock_.monotonic();
    if (now - minute.began >= std::chrono::minutes(1)) minute = {.began = now, .wrong = 0};
    ++minute.wrong;
  }

 private:
  struct Minute {
    std::chrono::nanoseconds began{0};
    unsigned wrong = 0;
  };
  os::Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Minute> minutes_;  // as many as there are operators
};

custody::EnrolmentOrders desk_of(Services services, ControlServices& control) {
  return {services.site, control.catalog, {control.enrolment, control.ceremonies, control.cards}};
}

json::object order_json(Services services, const EnrolmentOrder& order) {
  const auto state = catalog::state_at(order, services.site.system.clock.now());
  return {{"order", order.order.text()},
          {"person", order.person_id},
          {"name", order.name},
          {"again", order.again},
          {"card_type", order.card_type},
          {"keys", order.keys_per_site},
          {"state", catalog::state_name(state)},
          {"ordered_by", order.ordered_by},
          {"trouble", order.trouble},
          {"created", os::utc_text(order.created)},
          {"expires", os::utc_text(order.expires)},
          {"expires_ms", order.expires.value},
          {"card", order.card ? order.card->text() : ""},
          {"terminal", order.terminal},
          {"begun", order.begun ? os::utc_text(*order.begun) : ""}};
}

// For who orders, with the code.
json::value own_json(Services services, const EnrolmentOrder& order) {
  json::object out = order_json(services, order);
  const auto state = catalog::state_at(order, services.site.system.clock.now());
  const bool is_open =
      state == catalog::EnrolmentState::kWaiting || state == catalog::EnrolmentState::kBegun;
  std::string code = is_open ? order.code : "";
  if (code.size() == custody::kEnrolmentCodeLetters) code.insert(code.size() / 2, "-");
  out["code"] = code;
  return out;
}

// For a terminal: what the person is told, without the code.
json::value found_json(Services services, const EnrolmentOrder& order) {
  json::object out = order_json(services, order);
  json::array sites;
  for (const config::SiteEntry& entry : services.site.config.sites) {
    sites.emplace_back(entry.name.text());
  }
  out["site"] = services.site.config.name.text();
  out["sites"] = std::move(sites);
  return out;
}

Result<json::value> give_order(RequestContext& context, ControlServices& control, Services services,
                               bool again) {
  TRY_ASSIGN(const json::object body, body_object(context));
  custody::EnrolmentTerms terms{.again = again};
  if (again) {
    terms.person = context.parameter("person");
  } else {
    TRY_ASSIGN(terms.person, text_field(body, "person"));
    TRY_ASSIGN(terms.name, text_field(body, "name"));
  }
  terms.card_type = text_field_or(body, "card_type", "one-time");
  if (body.contains("keys")) {
    TRY_ASSIGN(const std::uint64_t keys, number_field(body, "keys", card::kMaxKeysPerSite));
    terms.keys_per_site = static_cast<std::uint32_t>(keys);
  } else {
    terms.keys_per_site = custody::kUsualKeysPerSite;
  }
  std::uint64_t open = kUsualOpenSeconds;
  if (body.contains("open_seconds")) {
    TRY_ASSIGN(open, number_field(body, "open_seconds", kMostOpenSeconds));
  }
  terms.open = std::chrono::seconds(open);
  TRY_ASSIGN(const EnrolmentOrder order, desk_of(services, control).order(terms));
  return own_json(services, order);
}

Result<json::value> list_orders(RequestContext& context, ControlServices& control,
                                Services services) {
  TRY_ASSIGN(const std::uint64_t most, query_number(context, "limit", 100));
  TRY_ASSIGN(const auto orders, control.catalog.list_enrolments({.count = most}));
  json::array list;
  for (const EnrolmentOrder& order : orders) list.push_back(own_json(services, order));
  return json::value{{"now_ms", services.site.system.clock.now().value},
                     {"enrolments", std::move(list)}};
}

Result<EnrolmentId> order_id(RequestContext& context) {
  return EnrolmentId::parse(context.parameter("order"));
}

Result<json::value> show_order(RequestContext& context, ControlServices& control,
                               Services services) {
  TRY_ASSIGN(const EnrolmentId id, order_id(context));
  TRY_ASSIGN(const EnrolmentOrder order, control.catalog.enrolment(id));
  return own_json(services, order);
}

Result<json::value> cancel_order(RequestContext& context, ControlServices& control,
                                 Services services) {
  TRY_ASSIGN(const EnrolmentId id, order_id(context));
  TRY_ASSIGN(const EnrolmentOrder order, desk_of(services, control).cancel(id));
  return own_json(services, order);
}

Result<json::value> find_order(RequestContext& context, ControlServices& control, Services services,
                               CodeGuard& guard) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string code, text_field(body, "code"));
  const std::string who = audit::ActingOperator::current();
  TRY(guard.check(who));
  const auto found = desk_of(services, control).find(code);
  if (!found && found.error().code == Code::kNotFound) guard.note_wrong(who);
  if (!found) return std::unexpected(found.error());
  return found_json(services, *found);
}

Result<CardId> card_in(RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  return id_field<CardId>(body, "card");
}

Result<json::value> resume_order(RequestContext& context, ControlServices& control,
                                 Services services) {
  TRY_ASSIGN(const CardId card, card_in(context));
  TRY_ASSIGN(const EnrolmentOrder order, desk_of(services, control).order_of(card));
  return found_json(services, order);
}

Result<json::value> finish_order(RequestContext& context, ControlServices& control,
                                 Services services) {
  TRY_ASSIGN(const CardId card, card_in(context));
  TRY_ASSIGN(const EnrolmentOrder order, desk_of(services, control).finish(card));
  TRY_ASSIGN(json::array objects, objects_of(control, order.person_id, false));
  json::object out = order_json(services, order);
  out["objects"] = std::move(objects);
  return json::value(std::move(out));
}

// What a one-time card is to be loaded with, or a DESFire card's first APDU.
void begin_order(RequestContext& context, Services services) {
  const auto work = [&]() -> Result<json::value> {
    if (services.control == nullptr) {
      return fail(Code::kNotFound, "this site has no share control", Reason::kNoControl);
    }
    TRY_ASSIGN(const EnrolmentId id, order_id(context));
    TRY_ASSIGN(const json::object body, body_object(context));
    TRY_ASSIGN(const std::string terminal, text_field(body, "terminal"));
    TRY_ASSIGN(const EnrolmentOrder order, services.control->catalog.enrolment(id));
    custody::EnrolmentOrders desk = desk_of(services, *services.control);
    if (order.card_type == "desfire") {
      TRY_ASSIGN(const control::CeremonyTurn turn, desk.begin_relayed(id, terminal));
      return turn_json(turn);
    }
    TRY_ASSIGN(const control::CardContent content, desk.begin(id, terminal));
    return json::value(content_json(content));
  };
  const auto made = work();
  if (made) {
    answer_secret(context, *made);
  } else {
    answer_error(context, made.error());
  }
}

Result<json::value> enrol_signed(RequestContext& context, ControlServices& control,
                                 Services services) {
  TRY_ASSIGN(const EnrolmentId id, order_id(context));
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string terminal, text_field(body, "terminal"));
  TRY_ASSIGN(const control::SignatureCard card, signature_card(body));
  TRY_ASSIGN(const EnrolmentOrder order, control.catalog.enrolment(id));
  TRY_ASSIGN(const auto enrolled, desk_of(services, control).enrol_signed(id, terminal, card));
  return signed_json(order.person_id, enrolled);
}

Result<json::value> note_trouble(RequestContext& context, ControlServices& control, Services) {
  TRY_ASSIGN(const EnrolmentId id, order_id(context));
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string why, text_field(body, "why"));
  TRY(control.catalog.set_enrolment_trouble(id, why.substr(0, 300)));
  return json::value{{"order", id.text()}};
}

// Records that are to go on a card.
Result<json::value> records_of(RequestContext& context, ControlServices& control, Services) {
  TRY_ASSIGN(const CardId card, CardId::parse(context.parameter("card")));
  TRY_ASSIGN(const catalog::Person person, control.catalog.person_of_card(card));
  TRY_ASSIGN(json::array objects, objects_of(control, person.person_id, true));
  return json::value{{"card", card.text()}, {"objects", std::move(objects)}};
}

}  // namespace

Result<json::array> objects_of(ControlServices& control, const std::string& person, bool pending) {
  TRY_ASSIGN(
      const auto objects,
      control.catalog.list_objects({.person_id = person, .state = catalog::ObjectState::kCommitted},
                                   {.count = catalog::kMaxPageRows}));
  json::array list;
  for (const catalog::Object& object : objects) {
    if (pending && object.card_record == catalog::CardRecordState::kOnCard) continue;
    list.emplace_back(object.object.text());
  }
  return list;
}

void add_enrolment_routes(http::Router& router, Services services) {
  const auto on = [&](http::Method method, const char* path, auto work) {
    router.add(method, path,
               control_handler(services,
                               [services, work](RequestContext& context, ControlServices& control) {
                                 return work(context, control, services);
                               }));
  };
  using enum http::Method;
  const auto guard = std::make_shared<CodeGuard>(services.site.system.clock);
  on(kPost, "/v1/enrolments", [](RequestContext& context, ControlServices& control, Services all) {
    return give_order(context, control, all, false);
  });
  on(kPost, "/v1/persons/{person}/reissue/order",
     [](RequestContext& context, ControlServices& control, Services all) {
       return give_order(context, control, all, true);
     });
  on(kGet, "/v1/enrolments", list_orders);
  on(kGet, "/v1/enrolments/{order}", show_order);
  on(kPost, "/v1/enrolments/{order}/cancel", cancel_order);
  on(kPost, "/v1/enrolments/find",
     [guard](RequestContext& context, ControlServices& control, Services all) {
       return find_order(context, control, all, *guard);
     });
  on(kPost, "/v1/enrolments/resume", resume_order);
  on(kPost, "/v1/enrolments/finish", finish_order);
  router.add(kPost, "/v1/enrolments/{order}/begin",
             [services](RequestContext& context) { begin_order(context, services); },
             {.secret_body = true});
  on(kPost, "/v1/enrolments/{order}/signed", enrol_signed);
  on(kPost, "/v1/enrolments/{order}/trouble", note_trouble);
  on(kGet, "/v1/cards/{card}/records", records_of);
}

}  // namespace warifu::api
