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
  const auto order = [&](Method method, auto decode, auto carry_out) {
    on(method, [this, decode, carry_out](ByteView body) -> Result<Bytes> {
      TRY_ASSIGN(const auto ordered, decode(body));
      TRY((this->*carry_out)(ordered));
      return Bytes();
    });
  };
  const auto question = [&](Method method, auto decode, auto find) {
    on(method, [this, decode, find](ByteView body) -> Result<Bytes> {
      TRY_ASSIGN(const auto asked, decode(body));
      TRY_ASSIGN(const auto found, (this->*find)(asked));
      return encode(found);
    });
  };
  order(Method::kWithdraw, decode_withdraw, &CustodyService::withdraw);
  order(Method::kRevoke, decode_card, &CustodyService::revoke);
  order(Method::kPersonOrder, consent::parse_order, &CustodyService::take_order);
  order(Method::kAct, decode_act, &CustodyService::take_act);
  order(Method::kEmergency, decode_emergency, &CustodyService::note);
  order(Method::kRecordKeep, decode_kept, &CustodyService::keep);
  order(Method::kRecordForget, decode_object, &CustodyService::forget);
  question(Method::kLostCard, decode_card, &CustodyService::lost_card);
  question(Method::kRecordGive, decode_wanted, &CustodyService::give);
  question(Method::kRecordUnder, decode_granted, &CustodyService::give_under);
  question(Method::kAccesses, decode_wanted_accesses, &CustodyService::accesses);
  on(Method::kRecordCount, [this](ByteView) -> Result<Bytes> { return encode_count(count()); });
  on(Method::kTopUp, [this](ByteView body) -> Result<Bytes> {
    TRY_ASSIGN(const consent::Presented act, decode_act(body));
    TRY_ASSIGN(const card::SiteKeys keys, site_.gate.top_up(act.grant, act.evidence));
    const ByteView secret = keys.keys.bytes();
    return Bytes(secret.begin(), secret.end());
  });
}

}  // namespace warifu::custody
