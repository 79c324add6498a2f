// Whose turn it is, and what the ceremony comes to.
#include "control/card_ceremonies.h"

#include <algorithm>

#include "base/reason.h"
#include "control/sealed_secret.h"

namespace warifu::control {

Result<PendingRecord> kept_record(SiteContext& site, catalog::Catalog& catalog,
                                  const catalog::Object& object) {
  const ObjectId& id = object.object;
  TRY_ASSIGN(const auto jobs,
             catalog.list_jobs({.kind = catalog::JobKind::kStore, .object = id}, {.count = 1}));
  if (object.state != catalog::ObjectState::kCommitted) {
    return fail(Code::kBusy,
                "object " + id.text() + " is " + std::string(catalog::state_name(object.state)) +
                    ", not stored",
                Reason::kNotStored);
  }
  // Of an object that came out of its shares no job is known.
  if (jobs.empty() || jobs.front().sealed_secret.empty()) {
    return fail(Code::kNotFound, "share control keeps no record of object " + id.text());
  }
  TRY_ASSIGN(ObjectSecrets secrets,
             open_object_secrets(site.keys.root_key().bytes(), jobs.front().sealed_secret));
  TRY_ASSIGN(const catalog::Person person, catalog.person(object.person_id));
  return PendingRecord{person.card,
                       {.object = id,
                        .hash_key = std::move(secrets.hash_key),
                        .tag = secrets.tag,
                        .chunk_count = object.chunk_count,
                        .length = {object.length}}};
}

Result<PendingRecord> pending_record(SiteContext& site, catalog::Catalog& catalog,
                                     const ObjectId& id) {
  TRY_ASSIGN(const catalog::Object object, catalog.object(id));
  if (object.card_record == catalog::CardRecordState::kOnCard) {
    return fail(Code::kAlreadyExists,
                "the record of object " + id.text() + " is on the card already");
  }
  return kept_record(site, catalog, object);
}

std::unique_ptr<CardCeremonies::Ceremony> CardCeremonies::make(const CardId& card) {
  auto ceremony = std::make_unique<Ceremony>();
  ceremony->id = os::random_id<CeremonyId>(site_.system.random);
  ceremony->card = card;
  return ceremony;
}

CardCeremonies::Stop CardCeremonies::stop(const SiteName& at, CardOrder order) {
  const auto begin = [this, at, order = std::move(order)]() -> Result<consent::DialogueTurn> {
    if (at == site_.config.name) return own_.begin(order);
    TRY_ASSIGN(const Bytes answer, site_.caller.ask(at, number(Method::kCardBegin), encode(order)));
    return decode_card_turn(answer);
  };
  return {at, begin};
}

Result<CeremonyTurn> CardCeremonies::enrol(const std::string& person, const std::string& name) {
  TRY_ASSIGN(const RelayedCard begun, enrolment_.begin_relayed(person, name));
  auto ceremony = make(begun.card);
  // Share control last: a card without its label counts as blank.
  for (std::size_t i = begun.sites.size(); i-- > 0;) {
    CardOrder order{.what = CardOrder::What::kPersonalise};
    order.enrolment = {begun.card, begun.sites[i].second, static_cast<std::uint8_t>(i + 1)};
    order.applications = static_cast<std::uint8_t>(begun.sites.size());
    ceremony->stops.push_back(stop(begun.sites[i].first, std::move(order)));
  }
  ceremony->finish = [this, person](Ceremony& over, CeremonyTurn&) {
    return enrolment_.finish(person, over.card);
  };
  return begin_next(std::move(ceremony));
}

std::unique_ptr<CardCeremonies::Ceremony> CardCeremonies::make_proof(const consent::Grant& grant,
                                                                     const Bytes& bytes) {
  auto ceremony = make(grant.card);
  for (const consent::GrantSite& entry : grant.sites) {
    ceremony->stops.push_back(
        stop(entry.site, {.what = CardOrder::What::kAuthorise, .grant = bytes}));
  }
  return ceremony;
}

Result<CeremonyTurn> CardCeremonies::renew(const CardId& card, const SiteName& at,
                                           std::uint8_t application) {
  TRY_ASSIGN(const catalog::Person person, catalog_.person_of_card(card));
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person.person_id));
  const auto known = std::ranges::find(pseudonyms, at, &catalog::SitePseudonym::site);
  if (known == pseudonyms.end()) {
    return fail(Code::kInvalidArgument, "the card is not known at site '" + at.text() + "'");
  }
  if (at == site_.config.name) {
    return fail(Code::kRefused,
                "share control's application holds the card's label and the records of objects, "
                "which no other can take over: its share counts no more in consents of this card; "
                "the other holders' do, and a one-time card can take this one's place");
  }
  auto ceremony = make(card);
  CardOrder order{.what = CardOrder::What::kPersonalise};
  order.enrolment = {card, known->pseudonym, application};
  order.applications = application;
  ceremony->stops.push_back(stop(at, std::move(order)));
  ceremony->finish = [this, card, at](Ceremony&, CeremonyTurn&) {
    return site_.log.append("card_renewed", {{"card", card.text()}, {"site", at.text()}});
  };
  return begin_next(std::move(ceremony));
}

Result<CeremonyTurn> CardCeremonies::prove(ByteView grant_bytes) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(grant_bytes));
  TRY(catalog_.person_of_card(grant.card));
  auto ceremony = make_proof(grant, Bytes(grant_bytes.begin(), grant_bytes.end()));
  ceremony->finish = [](Ceremony& over, CeremonyTurn& turn) -> Result<> {
    for (const consent::DialogueResult& result : over.results) {
      if (result.kind != turn.kind) {
        return fail(Code::kRefused, "sites disagree whether the card is a chip or a stand-in");
      }
      turn.receipts.push_back(result.receipt);
    }
    return {};
  };
  return begin_next(std::move(ceremony));
}

Result<CeremonyTurn> CardCeremonies::consent(ByteView grant_bytes) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(grant_bytes));
  TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
  TRY_ASSIGN(const catalog::Person person, catalog_.person(object.person_id));
  if (person.card != grant.card) {
    return fail(Code::kRefused, "this card belongs to another person than the object",
                Reason::kOtherPerson);
  }
  const Bytes bytes(grant_bytes.begin(), grant_bytes.end());
  auto ceremony = make_proof(grant, bytes);
  ceremony->stops.push_back(
      {site_.config.name, [this, grant] { return read_record(grant.card, grant.object); }});
  ceremony->finish = [this, bytes](Ceremony& over, CeremonyTurn& turn) {
    return finish_consent(bytes, over, turn);
  };
  return begin_next(std::move(ceremony));
}

// From the card; where this site has lost its key of it, from what share control keeps sealed,
// which comes back with the copies of the catalog.
Result<consent::DialogueTurn> CardCeremonies::read_record(const CardId& card,
                                                          const ObjectId& object) {
  auto turn = own_.dialogues().get_record(card, object);
  if (turn || turn.error().code != Code::kNotFound) return turn;
  TRY_ASSIGN(const catalog::Object known, catalog_.object(object));
  auto kept = kept_record(site_, catalog_, known);
  if (!kept || kept->card != card) {
    return fail(Code::kNotFound,
                "share control has lost its key of the card, and with it the record "
                "of object " +
                    object.text());
  }
  consent::DialogueTurn over;
  over.result.record = std::move(kept->record);
  return over;
}

Result<> CardCeremonies::finish_consent(const Bytes& grant, Ceremony& ceremony,
                                        CeremonyTurn& turn) {
  WARIFU_CHECK(ceremony.results.back().record.has_value());
  const card::ObjectRecord& record = *ceremony.results.back().record;
  CardProof proof{.grant = grant,
                  .kind = ceremony.results.front().kind,
                  .hash_key = secret::Buffer::copy_of(record.hash_key.bytes()),
                  .tag_over_tags = record.tag,
                  .chunk_count = record.chunk_count,
                  .length = record.length};
  ceremony.results.pop_back();  // of the record; the others stand in the grant's order
  ceremony.done.pop_back();
  for (const consent::DialogueResult& result : ceremony.results) {
    proof.tags.push_back(result.receipt);
  }
  TRY_ASSIGN(turn.grant, consent_.accept(proof));
  turn.kind = proof.kind;
  return {};
}

Result<CeremonyTurn> CardCeremonies::put_record(const ObjectId& object, const CardId& card) {
  TRY_ASSIGN(const catalog::Object known, catalog_.object(object));
  TRY_ASSIGN(const catalog::Person person, catalog_.person(known.person_id));
  if (person.card != card) {
    return fail(Code::kRefused,
                "this card belongs to another person than the object; in another's place a DESFire "
                "card keeps no record, its consents bring it",
                Reason::kOtherPerson);
  }
  auto pending = pending_record(site_, catalog_, object);
  // Of an object that came out of its shares the card alone may tell whether it has the record.
  const bool looks = !pending && pending.error().code == Code::kNotFound &&
                     known.card_record == catalog::CardRecordState::kUnknown;
  if (!pending && !looks) return std::unexpected(pending.error());
  auto ceremony = make(card);
  if (looks) {
    ceremony->stops.push_back({site_.config.name, [this, card, object] {
                                 return own_.dialogues().get_record(card, object);
                               }});
  } else {
    const auto shared = std::make_shared<PendingRecord>(std::move(*pending));
    ceremony->stops.push_back({site_.config.name, [this, shared] {
                                 return own_.dialogues().put_record(shared->card, shared->record);
                               }});
  }
  // The sealed record stays: this site's key of the card, which alone reads the card's, may be
  // lost.
  ceremony->finish = [this, object](Ceremony&, CeremonyTurn&) {
    return catalog_.set_card_record(object, catalog::CardRecordState::kOnCard);
  };
  return begin_next(std::move(ceremony));
}

Result<CeremonyTurn> CardCeremonies::begin_next(std::unique_ptr<Ceremony> ceremony) {
  auto turn = ceremony->stops.front().begin();
  if (!turn) return fail_in(ceremony->stops.front().site.text(), turn.error());
  return go_on(std::move(ceremony), std::move(*turn));
}

Result<CeremonyTurn> CardCeremonies::go_on(std::unique_ptr<Ceremony> ceremony,
                                           consent::DialogueTurn turn) {
  if (turn.apdu) {
    ceremony->dialogue = turn.dialogue;
    return keep(std::move(ceremony), std::move(*turn.apdu));
  }
  ceremony->done.push_back(ceremony->stops.front().site);
  ceremony->results.push_back(std::move(turn.result));
  ceremony->stops.pop_front();
  if (!ceremony->stops.empty()) return begin_next(std::move(ceremony));
  CeremonyTurn over{
      .ceremony = ceremony->id, .card = ceremony->card, .kind = ceremony->results.front().kind};
  TRY(ceremony->finish(*ceremony, over));
  over.sites = ceremony->done;
  return over;
}

Result<CeremonyTurn> CardCeremonies::keep(std::unique_ptr<Ceremony> ceremony, Bytes apdu) {
  CeremonyTurn turn{.ceremony = ceremony->id,
                    .apdu = std::move(apdu),
                    .site = ceremony->stops.front().site,
                    .card = ceremony->card};
  const std::chrono::nanoseconds now = site_.system.clock.monotonic();
  ceremony->until = now + consent::CardDialogues::kPatience;
  const std::lock_guard lock(mutex_);
  std::erase_if(running_, [&](const auto& entry) { return entry.second->until < now; });
  if (running_.size() >= kMaxCeremonies) {
    return fail(Code::kBusy, "too many ceremonies with cards go on here; try again");
  }
  running_[turn.ceremony] = std::move(ceremony);
  return turn;
}

Result<CeremonyTurn> CardCeremonies::answer(const CeremonyId& id, ByteView answer) {
  std::unique_ptr<Ceremony> ceremony;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(id);
    if (found != running_.end()) {
      ceremony = std::move(found->second);
      running_.erase(found);
    }
  }
  if (ceremony == nullptr || ceremony->until < site_.system.clock.monotonic()) {
    return fail(Code::kNotFound, "this ceremony with a card is over; begin it again");
  }
  const SiteName at = ceremony->stops.front().site;
  const auto passed_on = [&]() -> Result<consent::DialogueTurn> {
    if (at == site_.config.name) return own_.dialogues().answer(ceremony->dialogue, answer);
    const CardAnswer body{ceremony->dialogue, Bytes(answer.begin(), answer.end())};
    TRY_ASSIGN(const Bytes reply, site_.caller.ask(at, number(Method::kCardAnswer), encode(body)));
    return decode_card_turn(reply);
  };
  auto turn = passed_on();
  if (!turn) return fail_in(at.text(), turn.error());
  return go_on(std::move(ceremony), std::move(*turn));
}

}  // namespace warifu::control
