// Orders from share control, and records for a card in the place of a lost one.
#include "custody/custody_service.h"

#include <algorithm>

namespace warifu::custody {

Result<> CustodyService::withdraw(const WithdrawOrder& order) {
  return site_.gate.withdraw(order.card, order.grant, order.expiry);
}

Result<> CustodyService::revoke(const CardId& card) {
  return site_.gate.revoke(card);
}

Result<consent::LostCard> CustodyService::lost_card(const CardId& card) {
  return site_.gate.lost_card(card);
}

Result<> CustodyService::take_order(const consent::PersonOrder& order) {
  return site_.gate.take_order(order);
}

Result<> CustodyService::take_act(const consent::Presented& act) {
  return site_.gate.take_act(act.grant, act.evidence);
}

Result<> CustodyService::note(const EmergencyNote& note) {
  return site_.gate.note_emergency(note.person, note.emergency);
}

Result<> CustodyService::keep(const KeptShare& kept) {
  return safe_.put(kept);
}

Result<KeptShare> CustodyService::give(const WantedRecord& wanted) {
  TRY_ASSIGN(const Pseudonym owner, safe_.owner(wanted.object));
  const auto allowed = site_.gate.may_give_records(wanted.card, owner, wanted.object);
  const audit::Fields fields = {{"object", wanted.object.text()}, {"card", wanted.card.text()}};
  if (!allowed) {
    TRY(site_.log.append("record_refused", fields));
    return std::unexpected(allowed.error());
  }
  // Nothing goes out that the log does not have.
  TRY(site_.log.append("record_given", fields));
  return safe_.get(wanted.object);
}

Result<KeptShare> CustodyService::give_under(const GrantedRecord& granted) {
  TRY_ASSIGN(const Pseudonym owner, safe_.owner(granted.object));
  TRY(site_.gate.may_give_record(granted.presented, granted.object, owner));
  std::string grants;
  for (const consent::Presented& one : granted.presented) {
    grants += (grants.empty() ? "" : ", ") + consent::grant_id(one.grant).text();
  }
  TRY(site_.log.append(
      "record_given",
      {{"object", granted.object.text()}, {"person", owner.text()}, {"grant", grants}}));
  return safe_.get(granted.object);
}

Result<> CustodyService::forget(const ObjectId& object) {
  return safe_.forget(object);
}

Result<AccessPage> CustodyService::accesses(const WantedAccesses& wanted) {
  constexpr std::size_t kReadAtOnce = 1000;
  constexpr std::size_t kReadInAll = 100'000;  // for one request
  const std::vector<std::string> cards = [&] {
    std::vector<std::string> texts;
    for (const CardId& card : site_.gate.cards_of(wanted.person)) texts.push_back(card.text());
    return texts;
  }();
  const std::string person = wanted.person.text();
  const auto is_theirs = [&](const audit::Record& record) {
    return std::ranges::any_of(record.fields, [&](const auto& field) {
      if (field.first == "person") return field.second == person;
      return field.first == "card" && std::ranges::find(cards, field.second) != cards.end();
    });
  };
  AccessPage page{.accesses = {}, .seen = wanted.after, .more = true};
  for (std::size_t read = 0; read < kReadInAll; read += kReadAtOnce) {
    TRY_ASSIGN(const auto records, site_.log.read(page.seen + 1, kReadAtOnce));
    for (const audit::Record& record : records) {
      if (page.accesses.size() >= kMaxAccesses) return page;
      page.seen = record.sequence;
      if (record.erased || !is_theirs(record)) continue;
      page.accesses.push_back({record.sequence, record.time, record.event, record.fields});
    }
    if (records.size() < kReadAtOnce) {
      page.more = false;
      break;
    }
  }
  return page;
}

void CustodyService::add_handlers(channel::Server& server) {
  const auto on = [&](Method method, auto answer) {
    server.handle(number(method), [this, answer](channel::Exchange& exchange) -> Result<> {
      TRY(control::only_control(site_, exchange.request().from));
      TRY_ASSIGN(Bytes reply, answer(exchange.request().body));
      return exchange.reply(std::move(reply));
    });
  };
  on(Method::kWithdraw, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const WithdrawOrder order, decode_withdraw(body));
    TRY(withdraw(order));
    return Bytes();
  });
  on(Method::kRevoke, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const CardId card, decode_card(body));
    TRY(revoke(card));
    return Bytes();
  });
  on(Method::kLostCard, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const CardId card, decode_card(body));
    TRY_ASSIGN(const consent::LostCard lost, lost_card(card));
    return encode(lost);
  });
  on(Method::kPersonOrder, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const consent::PersonOrder order, consent::parse_order(body));
    TRY(take_order(order));
    return Bytes();
  });
  on(Method::kAct, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const consent::Presented act, decode_act(body));
    TRY(take_act(act));
    return Bytes();
  });
  on(Method::kTopUp, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const consent::Presented act, decode_act(body));
    TRY_ASSIGN(const card::SiteKeys keys, site_.gate.top_up(act.grant, act.evidence));
    const ByteView secret = keys.keys.bytes();
    return Bytes(secret.begin(), secret.end());
  });
  on(Method::kEmergency, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const EmergencyNote told, decode_emergency(body));
    TRY(note(told));
    return Bytes();
  });
  on(Method::kRecordKeep, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const KeptShare kept, decode_kept(body));
    TRY(keep(kept));
    return Bytes();
  });
  on(Method::kRecordGive, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const WantedRecord wanted, decode_wanted(body));
    TRY_ASSIGN(const KeptShare kept, give(wanted));
    return encode(kept);
  });
  on(Method::kRecordUnder, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const GrantedRecord granted, decode_granted(body));
    TRY_ASSIGN(const KeptShare kept, give_under(granted));
    return encode(kept);
  });
  on(Method::kRecordCount, [this](ByteView) -> Result<Bytes> { return encode_count(count()); });
  on(Method::kAccesses, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const WantedAccesses wanted, decode_wanted_accesses(body));
    TRY_ASSIGN(const AccessPage page, accesses(wanted));
    return encode(page);
  });
  on(Method::kRecordForget, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const ObjectId object, decode_object(body));
    TRY(forget(object));
    return Bytes();
  });
}

}  // namespace warifu::custody
