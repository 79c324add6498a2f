// Keys from every site, pseudonyms, and the catalog entry when the card is loaded.
#include "control/enrolment.h"

#include <algorithm>

#include "base/reason.h"

namespace warifu::control {

Result<card::SiteKeys> Enrolment::keys_of(const SiteName& at, const EnrolRequest& request) {
  if (at == site_.config.name) {
    return site_.gate.enrol({request.card, request.person, request.kind, request.keys});
  }
  TRY_ASSIGN(Bytes answer, site_.caller.ask(at, number(Method::kGateEnrol), encode(request)));
  card::SiteKeys keys{at, secret::Buffer::copy_of(answer)};
  secret::wipe(answer);
  if (keys.count() != request.keys.count) {
    return fail(Code::kProtocol, at.text() + " answered with another number of one-time keys");
  }
  return keys;
}

Result<CardContent> Enrolment::draw(
    std::uint32_t keys_per_site,
    const std::function<Result<Pseudonym>(const SiteName&)>& pseudonym_at,
    std::map<SiteName, Pseudonym>& pseudonyms) {
  if (site_.config.sites.size() > card::kMaxSites) {
    return fail(Code::kInvalidArgument, "a card serves at most " + std::to_string(card::kMaxSites) +
                                            " sites, this network has " +
                                            std::to_string(site_.config.sites.size()));
  }
  CardContent content{.card = os::random_id<CardId>(site_.system.random),
                      .keys = {{1}, keys_per_site}};
  if (!content.keys.is_valid()) {
    return fail(Code::kInvalidArgument,
                "keys per site must be from 1 to " + std::to_string(card::kMaxKeysPerSite));
  }
  for (const config::SiteEntry& entry : site_.config.sites) {
    TRY_ASSIGN(const Pseudonym person, pseudonym_at(entry.name));
    const EnrolRequest request{.card = content.card, .person = person, .keys = content.keys};
    TRY_ASSIGN(card::SiteKeys keys, keys_of(entry.name, request));
    content.sites.push_back(std::move(keys));
    pseudonyms[entry.name] = person;
  }
  return content;
}

Result<RelayedCard> Enrolment::begin_relayed(const std::string& person, const std::string& name) {
  if (catalog_.person(person)) {
    return fail(Code::kAlreadyExists, "person '" + person + "' is already enrolled",
                Reason::kEnrolled);
  }
  if (site_.config.sites.size() > card::kMaxSites) {
    return fail(Code::kInvalidArgument, "a card serves at most " + std::to_string(card::kMaxSites) +
                                            " sites, this network has " +
                                            std::to_string(site_.config.sites.size()));
  }
  const std::lock_guard lock(mutex_);
  Pending& pending = pending_[person];
  if (!pending.is_relayed) {
    pending = {.card = os::random_id<CardId>(site_.system.random), .is_relayed = true};
    for (const config::SiteEntry& entry : site_.config.sites) {
      pending.pseudonyms[entry.name] = os::random_id<Pseudonym>(site_.system.random);
    }
  }
  pending.name = name;
  RelayedCard begun{.card = pending.card};
  // Share control's application has number 1: it keeps the records of objects.
  begun.sites.emplace_back(site_.config.name, pending.pseudonyms.at(site_.config.name));
  for (const config::SiteEntry& entry : site_.config.sites) {
    if (entry.name == site_.config.name) continue;
    begun.sites.emplace_back(entry.name, pending.pseudonyms.at(entry.name));
  }
  return begun;
}

Result<CardContent> Enrolment::begin(const std::string& person, const std::string& name,
                                     std::uint32_t keys_per_site) {
  if (catalog_.person(person)) {
    return fail(Code::kAlreadyExists, "person '" + person + "' is already enrolled",
                Reason::kEnrolled);
  }
  Pending pending{.name = name};
  TRY_ASSIGN(CardContent content, draw(
                                      keys_per_site,
                                      [&](const SiteName&) -> Result<Pseudonym> {
                                        return os::random_id<Pseudonym>(site_.system.random);
                                      },
                                      pending.pseudonyms));
  pending.card = content.card;
  const std::lock_guard lock(mutex_);
  pending_[person] = std::move(pending);
  return content;
}

Result<CardContent> Enrolment::begin_again(const std::string& person, std::uint32_t keys_per_site) {
  TRY_ASSIGN(const auto known, catalog_.pseudonyms(person));
  Pending pending;
  TRY_ASSIGN(CardContent content,
             draw(
                 keys_per_site,
                 [&](const SiteName& at) -> Result<Pseudonym> {
                   const auto found = std::ranges::find(known, at, &catalog::SitePseudonym::site);
                   if (found != known.end()) return found->pseudonym;
                   return os::random_id<Pseudonym>(site_.system.random);  // a site that is new
                 },
                 pending.pseudonyms));
  pending.card = content.card;
  const std::lock_guard lock(mutex_);
  again_[person] = std::move(pending);
  return content;
}

Result<CardContent> Enrolment::renew(const CardId& card, card::KeyRange left,
                                     const std::vector<SiteName>& sites) {
  if (!left.is_valid()) {
    return fail(Code::kInvalidArgument, "the card has no one-time keys left to renew");
  }
  TRY_ASSIGN(const catalog::Person person, catalog_.person_of_card(card));
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person.person_id));
  CardContent content{.card = card, .keys = left};
  for (const SiteName& at : sites) {
    const auto known = std::ranges::find(pseudonyms, at, &catalog::SitePseudonym::site);
    if (known == pseudonyms.end()) {
      return fail(Code::kInvalidArgument, "the card has no keys for site '" + at.text() + "'");
    }
    TRY_ASSIGN(card::SiteKeys keys,
               keys_of(at, {.card = card, .person = known->pseudonym, .keys = left}));
    content.sites.push_back(std::move(keys));
  }
  TRY(site_.log.append("card_renewed", {{"card", card.text()}}));
  return content;
}

Result<Enrolment::Pending> Enrolment::pending_of(const std::map<std::string, Pending>& begun,
                                                 const std::string& person, const CardId& card) {
  const std::lock_guard lock(mutex_);
  const auto it = begun.find(person);
  if (it == begun.end() || it->second.card != card) {
    return fail(Code::kNotFound, "no enrolment of '" + person + "' with this card was begun");
  }
  return it->second;
}

namespace {

std::vector<catalog::SitePseudonym> list_of(const std::map<SiteName, Pseudonym>& pseudonyms) {
  std::vector<catalog::SitePseudonym> list;
  for (const auto& [at, pseudonym] : pseudonyms) list.push_back({at, pseudonym});
  return list;
}

}  // namespace

Result<BegunCard> Enrolment::begun(const std::string& person, bool again) {
  const std::lock_guard lock(mutex_);
  const auto& begun = again ? again_ : pending_;
  const auto it = begun.find(person);
  if (it == begun.end()) {
    return fail(Code::kNotFound, "no enrolment of '" + person + "' was begun");
  }
  const Pending& pending = it->second;
  return BegunCard{.person = person,
                   .name = pending.name,
                   .card = pending.card,
                   .pseudonyms = list_of(pending.pseudonyms),
                   .is_relayed = pending.is_relayed,
                   .again = again};
}

void Enrolment::take_up(const BegunCard& begun) {
  Pending pending{.name = begun.name, .card = begun.card, .is_relayed = begun.is_relayed};
  for (const auto& [at, pseudonym] : begun.pseudonyms) pending.pseudonyms[at] = pseudonym;
  const std::lock_guard lock(mutex_);
  (begun.again ? again_ : pending_)[begun.person] = std::move(pending);
}

Result<> Enrolment::finish(const std::string& person, const CardId& card) {
  TRY_ASSIGN(const Pending pending, pending_of(pending_, person, card));
  TRY(catalog_.enrol_person({.person_id = person,
                             .name = pending.name,
                             .card = card,
                             .created = site_.system.clock.now()},
                            list_of(pending.pseudonyms)));
  {
    const std::lock_guard lock(mutex_);
    pending_.erase(person);
  }
  return site_.log.append("person_enrolled", {{"card", card.text()}});
}

Result<> Enrolment::finish_again(const std::string& person, const CardId& card) {
  TRY_ASSIGN(const Pending pending, pending_of(again_, person, card));
  TRY(catalog_.reissue_card(person, card, list_of(pending.pseudonyms)));
  {
    const std::lock_guard lock(mutex_);
    again_.erase(person);
  }
  return site_.log.append("card_reissued", {{"card", card.text()}});
}

}  // namespace warifu::control
