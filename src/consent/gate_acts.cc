// What a person's card says beside uses: a proxy, leave for emergencies, more one-time keys; and
// the emergencies themselves, as far as the person has to be told of them.
#include <algorithm>

#include "consent/gate.h"

namespace warifu::consent {

std::string cards_text(std::span<const CardId> cards) {
  std::string text;
  for (const CardId& card : cards) text += (text.empty() ? "" : ", ") + card.text();
  return text;
}

Result<Gate::ProvedAct> Gate::prove_act(ByteView bytes, const Evidence& evidence, Act wanted) {
  const Grant named = parse_grant(bytes).value_or(Grant());
  const CardRecord* card = find(named.card);
  ReleaseRequest request;
  request.object = named.object;
  if (card != nullptr) request.owner = card->person;
  const Presented presented{Bytes(bytes.begin(), bytes.end()), evidence};
  const Inquiry inquiry = inquiry_of(presented, named, request);
  const Decision decision = options_.decide_act(inquiry, wanted);
  if (!decision) {
    if (decision.error().reason == Reason::kWrongTag) count_wrong_tag(named.card);
    return refuse(decision.error(), bytes, request);
  }
  ProvedAct act{decision->grant, grant_id(bytes), decision->step, *card, inquiry.now};
  apply(*decision, inquiry, act.card);
  forget_old(act.card, act.now);
  if (act.step == Step::kAccept) TRY(note_told(act.grant, act.card.person));
  return act;
}

Result<> Gate::take_act(ByteView grant, const Evidence& evidence) {
  const std::lock_guard lock(mutex_);
  const auto named = parse_grant(grant);
  const bool is_leave = named && act_of(*named) == Act::kEmergencyLeave;
  TRY_ASSIGN(ProvedAct act,
             prove_act(grant, evidence, is_leave ? Act::kEmergencyLeave : Act::kAppoint));
  return is_leave ? allow_emergency(std::move(act)) : appoint(grant, std::move(act));
}

Result<> Gate::appoint(ByteView grant, ProvedAct act) {
  const Appointment& named = *act.grant.appointment;
  const CardRecord* proxy_card = find(named.proxy);
  if (proxy_card == nullptr || proxy_card->revoked || proxy_card->person.is_zero() ||
      proxy_card->person == act.card.person) {
    ReleaseRequest request;
    request.object = act.grant.object;
    request.owner = act.card.person;
    return refuse(
        {Reason::kNotEntitled, "the proxy's card is not enrolled here, or is the person's"}, grant,
        request);
  }
  PersonRecord record = person_or_new(act.card.person);
  const Mandate& mandate = named.mandate;
  const Proxy fresh{proxy_card->person, proxy_card->card, mandate, act.now};
  // Told again after a lost answer: nothing changes.
  const bool is_known = std::ranges::any_of(record.proxies, [&](const Proxy& known) {
    return known.card == fresh.card && known.mandate == mandate;
  });
  if (!is_known) {
    std::erase_if(record.proxies, [&](const Proxy& known) {
      return known.card == fresh.card || known.mandate.until <= act.now;
    });
    if (record.proxies.size() >= kMaxProxies) {
      return fail(Code::kNoSpace,
                  "site " + site_.text() + ": the person has too many proxies; remove one first");
    }
    record.proxies.push_back(fresh);
  }
  const std::string card = act.card.card.text();
  if (act.step != Step::kResume) TRY(save(std::move(act.card)));
  TRY(log_.append("proxy_named",
                  {{"grant", act.id.text()},
                   {"card", card},
                   {"person", record.person.text()},
                   {"proxy", fresh.person.text()},
                   {"proxy_card", fresh.card.text()},
                   {"object", mandate.object.is_zero() ? "all" : mandate.object.text()},
                   {"purposes", purposes_text(mandate.purposes)},
                   {"testamentary", mandate.is_testamentary ? "yes" : "no"},
                   {"until", os::utc_text(mandate.until)},
                   {"authority", digest_text(mandate.authority)}}));
  return save_person(std::move(record));
}

Result<> Gate::allow_emergency(ProvedAct act) {
  PersonRecord record = person_or_new(act.card.person);
  const EmergencyLeave fresh{act.grant.object, act.card.card, act.now, *act.grant.emergency_until};
  std::erase_if(record.leaves, [&](const EmergencyLeave& known) {
    return known.object == fresh.object || known.until <= act.now;
  });
  if (record.leaves.size() >= kMaxLeaves) {
    return fail(Code::kNoSpace, "site " + site_.text() +
                                    ": the person has too many leaves for single objects; allow "
                                    "all of them, or forbid some");
  }
  record.leaves.push_back(fresh);
  if (act.step != Step::kResume) TRY(save(std::move(act.card)));
  TRY(log_.append("emergency_allowed",
                  {{"grant", act.id.text()},
                   {"card", fresh.card.text()},
                   {"person", record.person.text()},
                   {"object", fresh.object.is_zero() ? "all" : fresh.object.text()},
                   {"until", os::utc_text(fresh.until)}}));
  return save_person(std::move(record));
}

Result<card::SiteKeys> Gate::top_up(ByteView grant, const Evidence& evidence) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(ProvedAct act, prove_act(grant, evidence, Act::kTopUp));
  const card::KeyRange keys = *act.grant.top_up;
  TRY_ASSIGN(card::SiteKeys drawn, draw_keys(act.card, keys));
  const std::string card = act.card.card.text(), person = act.card.person.text();
  // One step: the index is burnt and the keys are there, or neither.
  TRY(save(std::move(act.card)));
  TRY(log_.append("card_topped_up", {{"grant", act.id.text()},
                                     {"card", card},
                                     {"person", person},
                                     {"first_index", std::to_string(keys.first.value)},
                                     {"keys", std::to_string(keys.count)}}));
  return drawn;
}

Result<> Gate::note_opened(std::span<const Outcome> outcomes, const Pseudonym& owner) {
  const Grant& first = outcomes.front().grant;
  if (first.capacity != Capacity::kEmergency) return {};
  Emergency opened{first.joint, first.object, system_.clock.now(), {}, {}, first.reason, true};
  bool is_first = false;
  for (const Outcome& outcome : outcomes) {
    opened.officers.push_back(outcome.grant.card);
    is_first = is_first || outcome.step == Step::kAccept;
  }
  PersonRecord record = person_or_new(owner);
  return record.note(opened, is_first) ? save_person(std::move(record)) : Result<>();
}

Result<> Gate::note_emergency(const Pseudonym& person, const Emergency& emergency) {
  const std::lock_guard lock(mutex_);
  PersonRecord record = person_or_new(person);
  Emergency noted = emergency;
  noted.told = {};
  noted.is_own = false;
  // The line stands in every site's log, at those too whose gates opened it themselves.
  TRY(log_.append("emergency_opened", {{"emergency", emergency.id.text()},
                                       {"person", person.text()},
                                       {"object", emergency.object.text()},
                                       {"emergency_reason", emergency.reason},
                                       {"officers", cards_text(emergency.officers)},
                                       {"at", os::utc_text(emergency.at)}}));
  return record.note(noted) ? save_person(std::move(record)) : Result<>();
}

Result<> Gate::note_told(const Grant& grant, const Pseudonym& person) {
  const PersonRecord* known = grant.shown.empty() ? nullptr : find_person(person);
  if (known == nullptr) return {};
  PersonRecord record = *known;
  const std::string told = record.tell(grant.shown, system_.clock.now());
  if (told.empty()) return {};
  TRY(log_.append("emergency_told",
                  {{"person", person.text()}, {"card", grant.card.text()}, {"emergency", told}}));
  return save_person(std::move(record));
}

Result<> Gate::told_under(ByteView grant, const Evidence& evidence) {
  const std::lock_guard lock(mutex_);
  const Grant named = parse_grant(grant).value_or(Grant());
  const CardRecord* card = find(named.card);
  if (card == nullptr || named.shown.empty()) return {};
  const ReleaseRequest request{.object = named.object,
                               .owner = card->person,
                               .destination = named.destination,
                               .purpose = named.purpose,
                               .is_record = true};
  const Presented presented{Bytes(grant.begin(), grant.end()), evidence};
  const Decision decision = options_.decide(inquiry_of(presented, named, request));
  if (!decision) return refuse(decision.error(), grant, request);
  return note_told(decision->grant, card->person);
}

Result<> Gate::emergencies_told(const Pseudonym& person, std::span<const JointId> shown) {
  const std::lock_guard lock(mutex_);
  const PersonRecord* known = find_person(person);
  if (known == nullptr) return {};
  PersonRecord record = *known;
  const std::string told = record.tell(shown, system_.clock.now());
  if (told.empty()) return {};
  TRY(log_.append("emergency_told", {{"person", person.text()}, {"emergency", told}}));
  return save_person(std::move(record));
}

std::vector<std::pair<Pseudonym, Emergency>> Gate::emergencies(os::UnixMs since) {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<Pseudonym, Emergency>> all;
  for (const auto& [person, record] : people_) {
    for (const Emergency& emergency : record.emergencies) {
      if (emergency.at >= since) all.emplace_back(person, emergency);
    }
  }
  std::ranges::stable_sort(all, {}, [](const auto& one) { return one.second.at.value; });
  return all;
}

}  // namespace warifu::consent
