// The gate and persons: proxies that a card has named, guardians, coming of age, death.
#include <algorithm>
#include <set>

#include "base/reason.h"
#include "consent/gate.h"
#include "consent/gate_files.h"

namespace warifu::consent {
namespace {

constexpr std::string_view kPersonSuffix = ".person";

std::string people_folder(const std::string& folder) {
  return folder + "/people";
}

}  // namespace

std::string digest_text(const crypto::Digest& digest) {
  const bool is_none = std::ranges::all_of(digest, [](Byte b) { return b == 0; });
  return is_none ? "none" : to_hex(digest);
}

Result<> Gate::load_people() {
  const std::string folder = people_folder(folder_);
  return load_files(
      system_.files, folder, "gate of site " + site_.text() + ": person", kPersonSuffix,
      [&](const std::string& name) -> Result<> {
        TRY_ASSIGN(const Bytes bytes,
                   os::read_file(system_.files, folder + "/" + name, kMaxPersonFileBytes));
        TRY_ASSIGN(PersonRecord record, parse_person(bytes));
        if (name != record.person.text() + std::string(kPersonSuffix)) {
          return fail(Code::kCorrupt, "it is the record of person " + record.person.text());
        }
        const Pseudonym person = record.person;
        people_.emplace(person, std::move(record));
        return {};
      });
}

Result<> Gate::save_person(PersonRecord record) {
  const std::string path =
      people_folder(folder_) + "/" + record.person.text() + std::string(kPersonSuffix);
  TRY(os::replace_file(system_.files, path, encode_person(record)));
  const Pseudonym person = record.person;
  people_.insert_or_assign(person, std::move(record));
  return {};
}

const PersonRecord* Gate::find_person(const Pseudonym& person) const {
  const auto found = people_.find(person);
  return found == people_.end() ? nullptr : &found->second;
}

PersonRecord Gate::person_or_new(const Pseudonym& person) const {
  if (const PersonRecord* known = find_person(person)) return *known;
  PersonRecord record;
  record.person = person;
  return record;
}

std::optional<PersonRecord> Gate::person(const Pseudonym& person) {
  const std::lock_guard lock(mutex_);
  const PersonRecord* known = find_person(person);
  if (known == nullptr) return std::nullopt;
  return *known;
}

Result<> Gate::take_order(const PersonOrder& order) {
  const std::lock_guard lock(mutex_);
  PersonRecord record = person_or_new(order.person);
  if (order.kind == PersonOrderKind::kRemoveProxy) {
    std::erase_if(record.proxies, [&](const Proxy& proxy) { return proxy.card == order.card; });
    // Effect first, record second: a full log disk must not keep a proxy.
    TRY(save_person(std::move(record)));
    return log_.append("proxy_removed", {{"order", order.id.text()},
                                         {"person", order.person.text()},
                                         {"proxy_card", order.card.text()}});
  }
  if (order.kind == PersonOrderKind::kForbidEmergency) {
    std::erase_if(record.leaves, [&](const EmergencyLeave& leave) {
      return order.object.is_zero() || leave.object == order.object;
    });
    TRY(save_person(std::move(record)));
    return log_.append("emergency_forbidden",
                       {{"order", order.id.text()},
                        {"person", order.person.text()},
                        {"object", order.object.is_zero() ? "all" : order.object.text()}});
  }
  const auto same = [&](const WaitingOrder& waiting) { return waiting.order.id == order.id; };
  const bool is_done = std::ranges::find(record.done, order.id) != record.done.end();
  if (is_done || std::ranges::any_of(record.waiting, same)) return {};
  if (record.waiting.size() >= kMaxWaitingOrders) {
    return fail(Code::kNoSpace, "site " + site_.text() + ": too many orders about person " +
                                    order.person.text() + " wait for an officer");
  }
  record.waiting.push_back({system_.clock.now(), order});
  TRY(log_.append("order_waits", {{"order", order.id.text()},
                                  {"person", order.person.text()},
                                  {"what", std::string(order_name(order.kind))}}));
  return save_person(std::move(record));
}

std::vector<WaitingOrder> Gate::waiting_orders() {
  const std::lock_guard lock(mutex_);
  std::vector<WaitingOrder> all;
  for (const auto& [person, record] : people_) {
    all.insert(all.end(), record.waiting.begin(), record.waiting.end());
  }
  std::ranges::stable_sort(all, {}, [](const WaitingOrder& one) { return one.received.value; });
  return all;
}

Result<PersonRecord> Gate::without_order(const OrderId& id, PersonOrder& order) const {
  for (const auto& [person, record] : people_) {
    for (const WaitingOrder& waiting : record.waiting) {
      if (waiting.order.id != id) continue;
      order = waiting.order;
      PersonRecord rest = record;
      rest.finish(id);
      return rest;
    }
  }
  return fail(Code::kNotFound, "site " + site_.text() + ": no order " + id.text() + " waits here");
}

Result<> Gate::set_guardians(const PersonOrder& order, PersonRecord& record) {
  std::set<Pseudonym> guardians;
  for (const CardId& card : order.guardians) {
    const CardRecord* known = find(card);
    if (known == nullptr || known->revoked || known->person.is_zero()) {
      return fail(Code::kRefused,
                  "site " + site_.text() + ": guardian's card " + card.text() +
                      " is not enrolled here, or is on the hot list",
                  Reason::kRevoked);
    }
    if (known->person == order.person || !guardians.insert(known->person).second) {
      return fail(Code::kRefused,
                  "site " + site_.text() + ": guardians must be several persons, and not the ward");
    }
  }
  const CardRecord* own = find(order.card);
  if (own != nullptr && !own->person.is_zero() && own->person != order.person) {
    return fail(Code::kRefused,
                "site " + site_.text() + ": card " + order.card.text() + " is another person's");
  }
  record.guardians.assign(guardians.begin(), guardians.end());
  record.needed = order.needed;
  record.of_age = order.of_age;
  // The ward has no card of its own until the day; then another takes this one's place.
  if (own != nullptr && own->revoked && !own->person.is_zero()) return {};
  CardRecord blocked{.card = order.card, .person = order.person, .revoked = true};
  blocked.revoked_at = system_.clock.now();
  if (own != nullptr) {
    blocked.kind = own->kind;
    blocked.last_used = own->last_used;
    if (own->revoked) blocked.revoked_at = own->revoked_at;
  }
  return save(std::move(blocked));
}

Result<> Gate::allow_order(const OrderId& id) {
  const std::lock_guard lock(mutex_);
  PersonOrder order;
  TRY_ASSIGN(PersonRecord record, without_order(id, order));
  switch (order.kind) {
    case PersonOrderKind::kGuardians: TRY(set_guardians(order, record)); break;
    case PersonOrderKind::kDied: record.died = system_.clock.now(); break;
    case PersonOrderKind::kLives: record.died = {}; break;
    case PersonOrderKind::kRemoveProxy:
    case PersonOrderKind::kForbidEmergency: break;
  }
  TRY(log_.append("order_allowed", {{"order", id.text()},
                                    {"person", order.person.text()},
                                    {"what", std::string(order_name(order.kind))},
                                    {"authority", digest_text(order.authority)}}));
  return save_person(std::move(record));
}

Result<> Gate::decline_order(const OrderId& id) {
  const std::lock_guard lock(mutex_);
  PersonOrder order;
  TRY_ASSIGN(PersonRecord record, without_order(id, order));
  TRY(log_.append("order_declined", {{"order", id.text()},
                                     {"person", order.person.text()},
                                     {"what", std::string(order_name(order.kind))}}));
  return save_person(std::move(record));
}

}  // namespace warifu::consent
