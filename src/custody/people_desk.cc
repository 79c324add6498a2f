// Orders about persons: written down first, then told.
#include "custody/people_desk.h"

#include <algorithm>

#include "base/log.h"

namespace warifu::custody {
namespace {

// What trying again will not change.
bool is_final(Code code) {
  return code == Code::kRefused || code == Code::kInvalidArgument || code == Code::kNotFound ||
         code == Code::kNoSpace;
}

}  // namespace

Result<> PeopleDesk::tell(const catalog::PersonOrder& order) {
  if (order.site != site_.config.name) {
    TRY(site_.caller.ask(order.site, order.method, order.body));
    return {};
  }
  if (order.method == number(Method::kAct)) {
    TRY_ASSIGN(const consent::Presented act, decode_act(order.body));
    return own_.take_act(act);
  }
  if (order.method == number(Method::kEmergency)) {
    TRY_ASSIGN(const EmergencyNote note, decode_emergency(order.body));
    return own_.note(note);
  }
  TRY_ASSIGN(const consent::PersonOrder told, consent::parse_order(order.body));
  return own_.take_order(told);
}

Result<std::vector<PeopleDesk::Left>> PeopleDesk::tell_all() {
  const std::lock_guard lock(telling_);
  TRY_ASSIGN(const auto orders, catalog_.person_orders());
  std::vector<Left> left;
  for (const catalog::PersonOrder& order : orders) {
    const auto told = tell(order);
    const bool is_refused = !told && is_final(told.error().code);
    if (!told) left.push_back({order, told.error().message, is_refused});
    if (is_refused) {
      TRY(site_.log.append("order_refused",
                           {{"site", order.site.text()}, {"text", told.error().message}}));
    }
    if (told || is_refused) TRY(catalog_.finish_person_order(order.number));
  }
  return left;
}

void PeopleDesk::tell_again() {
  if (const auto left = tell_all(); !left) log_warning(left.error().message);
}

Result<Ordered> PeopleDesk::write_down_and_tell(const consent::OrderId& id,
                                                std::vector<catalog::PersonOrder> orders) {
  TRY(catalog_.add_person_orders(orders));
  TRY_ASSIGN(const auto left, tell_all());
  Ordered ordered{.order = id, .told = {}, .refused = {}};
  for (const catalog::PersonOrder& order : orders) {
    const auto found = std::ranges::find_if(left, [&](const Left& one) {
      return one.order.site == order.site && one.order.body == order.body;
    });
    if (found == left.end()) {
      ordered.told.sites.push_back(order.site);
    } else if (found->is_refused) {
      ordered.refused.emplace_back(order.site, found->why);
    } else {
      ordered.told.waiting.emplace_back(order.site, found->why);
    }
  }
  return ordered;
}

Result<Ordered> PeopleDesk::order_everywhere(const std::string& person,
                                             consent::PersonOrder order) {
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person));
  order.id = os::random_id<consent::OrderId>(site_.system.random);
  order.at = site_.system.clock.now();
  std::vector<catalog::PersonOrder> orders;
  for (const catalog::SitePseudonym& at : pseudonyms) {
    order.person = at.pseudonym;
    if (const std::string flaw = consent::flaw_of(order); !flaw.empty()) {
      return fail(Code::kInvalidArgument, flaw);
    }
    orders.push_back({.person_id = person,
                      .method = number(Method::kPersonOrder),
                      .body = consent::encode_order(order),
                      .site = at.site,
                      .created = order.at});
  }
  TRY(site_.log.append("person_order", {{"order", order.id.text()},
                                        {"what", std::string(consent::order_name(order.kind))}}));
  return write_down_and_tell(order.id, std::move(orders));
}

std::vector<SiteName> PeopleDesk::all_sites() const {
  std::vector<SiteName> sites;
  for (const config::SiteEntry& entry : site_.config.sites) sites.push_back(entry.name);
  return sites;
}

Result<std::string> PeopleDesk::label_of(const ObjectId& object, const std::string& person) {
  if (object.is_zero()) return std::string();
  TRY_ASSIGN(const catalog::Object known, catalog_.object(object));
  if (known.person_id == person) return known.label;
  return fail(Code::kInvalidArgument, "the object is another person's");
}

Result<control::PreparedConsent> PeopleDesk::prepare_proxy(const ProxyWish& wish) {
  TRY_ASSIGN(const catalog::Person person, catalog_.person(wish.person));
  TRY_ASSIGN(const catalog::Person proxy, catalog_.person(wish.proxy));
  TRY_ASSIGN(const std::string label, label_of(wish.mandate.object, wish.person));
  const consent::Grant act{.object = wish.mandate.object,
                           .grantee = {consent::GranteeKind::kPerson, proxy.name, proxy.person_id},
                           .appointment = consent::Appointment{proxy.card, wish.mandate}};
  return acts_.write(act, wish.place, all_sites(), {person.name, label, true});
}

Result<control::PreparedConsent> PeopleDesk::prepare_leave(const LeaveWish& wish) {
  TRY_ASSIGN(const catalog::Person person, catalog_.person(wish.person));
  TRY_ASSIGN(const std::string label, label_of(wish.object, wish.person));
  const consent::Grant act{
      .object = wish.object,
      .grantee = {consent::GranteeKind::kPerson, person.name, person.person_id},
      .emergency_until = wish.until};
  return acts_.write(act, wish.place, all_sites(), {person.name, label, true});
}

Result<Ordered> PeopleDesk::accept_act(const Bytes& grant_bytes, card::CardKind kind,
                                       const std::vector<mac::Tag>& tags) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(grant_bytes));
  if ((!grant.appointment && !grant.emergency_until) || tags.size() != grant.sites.size()) {
    return fail(Code::kInvalidArgument, "the card's proof does not fit the grant");
  }
  TRY_ASSIGN(const catalog::Person person, catalog_.person_of_card(grant.card));
  std::vector<catalog::PersonOrder> orders;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const SiteName& site = grant.sites[i].site;
    orders.push_back({.person_id = person.person_id,
                      .method = number(Method::kAct),
                      .body = encode(consent::Presented{grant_bytes, {site, kind, tags[i]}}),
                      .site = site,
                      .created = site_.system.clock.now()});
  }
  return write_down_and_tell({}, std::move(orders));
}

Result<Ordered> PeopleDesk::forbid_emergency(const std::string& person, const ObjectId& object) {
  TRY(label_of(object, person));
  return order_everywhere(person,
                          {.kind = consent::PersonOrderKind::kForbidEmergency, .object = object});
}

Result<Ordered> PeopleDesk::tell_everywhere(
    const std::string& person, std::uint16_t method,
    const std::function<Bytes(const Pseudonym& person)>& body_for) {
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person));
  std::vector<catalog::PersonOrder> orders;
  for (const catalog::SitePseudonym& at : pseudonyms) {
    orders.push_back({.person_id = person,
                      .method = method,
                      .body = body_for(at.pseudonym),
                      .site = at.site,
                      .created = site_.system.clock.now()});
  }
  return write_down_and_tell({}, std::move(orders));
}

Result<Ordered> PeopleDesk::remove_proxy(const std::string& person, const std::string& proxy) {
  TRY_ASSIGN(const PersonView known, view(person));
  for (std::size_t i = 0; i < known.proxies.size(); ++i) {
    if (known.proxies[i] != proxy) continue;
    return order_everywhere(person, {.kind = consent::PersonOrderKind::kRemoveProxy,
                                     .card = known.record.proxies[i].card});
  }
  return fail(Code::kNotFound, "'" + proxy + "' is no proxy of '" + person + "' at this site");
}

Result<catalog::Person> PeopleDesk::new_ward(const GuardianWish& wish) {
  const auto known = catalog_.person(wish.person);
  if (known || known.error().code != Code::kNotFound) return known;
  catalog::Person ward{.person_id = wish.person,
                       .name = wish.name,
                       .card = os::random_id<CardId>(site_.system.random),
                       .created = site_.system.clock.now()};
  TRY(catalog_.add_person(ward));
  return ward;
}

Result<Ordered> PeopleDesk::set_guardians(const GuardianWish& wish) {
  consent::PersonOrder order{.kind = consent::PersonOrderKind::kGuardians,
                             .of_age = wish.of_age,
                             .needed = wish.needed,
                             .authority = wish.authority};
  for (const std::string& guardian : wish.guardians) {
    TRY_ASSIGN(const catalog::Person known, catalog_.person(guardian));
    if (guardian == wish.person) {
      return fail(Code::kInvalidArgument, "nobody is guardian of oneself");
    }
    order.guardians.push_back(known.card);
  }
  std::ranges::sort(order.guardians);
  // What would be refused later is refused before anybody is enrolled.
  order.id.bytes.fill(1);
  order.person.bytes.fill(1);
  order.card.bytes.fill(1);
  if (const std::string flaw = consent::flaw_of(order); !flaw.empty()) {
    return fail(Code::kInvalidArgument, flaw);
  }
  if (wish.of_age <= site_.system.clock.now()) {
    return fail(Code::kInvalidArgument, "the day of coming of age is over");
  }
  TRY_ASSIGN(const catalog::Person ward, new_ward(wish));
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(ward.person_id));
  std::vector<SiteName> sites;
  for (const config::SiteEntry& entry : site_.config.sites) {
    sites.push_back(entry.name);
    if (std::ranges::find(pseudonyms, entry.name, &catalog::SitePseudonym::site) !=
        pseudonyms.end()) {
      continue;
    }
    TRY(catalog_.set_pseudonym(ward.person_id,
                               {entry.name, os::random_id<Pseudonym>(site_.system.random)}));
  }
  order.card = ward.card;
  // A card of its own a ward has only from the day on, by the road for lost cards.
  TRY(catalog_.revoke_card({.card = ward.card,
                            .person_id = ward.person_id,
                            .revoked = site_.system.clock.now(),
                            .why = "guardians consent for the person"},
                           sites));
  return order_everywhere(ward.person_id, std::move(order));
}

Result<Ordered> PeopleDesk::tell_death(const std::string& person, bool has_died,
                                       const crypto::Digest& authority) {
  TRY(catalog_.person(person));
  return order_everywhere(person, {.kind = has_died ? consent::PersonOrderKind::kDied
                                                    : consent::PersonOrderKind::kLives,
                                   .authority = authority});
}

std::string PeopleDesk::name_of(const Pseudonym& person) {
  const auto known = catalog_.person_of_pseudonym({site_.config.name, person});
  return known ? known->person_id : person.text();
}

Result<PersonView> PeopleDesk::view(const std::string& person) {
  PersonView view;
  TRY_ASSIGN(view.person, catalog_.person(person));
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person));
  for (const catalog::SitePseudonym& at : pseudonyms) {
    if (at.site != site_.config.name) continue;
    if (const auto record = site_.gate.person(at.pseudonym)) view.record = *record;
  }
  for (const Pseudonym& guardian : view.record.guardians) {
    view.guardians.push_back(name_of(guardian));
  }
  for (const consent::Proxy& proxy : view.record.proxies) {
    view.proxies.push_back(name_of(proxy.person));
  }
  return view;
}

}  // namespace warifu::custody
