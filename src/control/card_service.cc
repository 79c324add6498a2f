// Requests 60 and 61.
#include "control/card_service.h"

#include "control/signature_service.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

// More than a short APDU and its answer.
constexpr std::size_t kMaxApduBytes = 512;

}  // namespace

Bytes encode(const CardOrder& order) {
  wire::Writer writer;
  writer.u8(static_cast<std::uint8_t>(order.what));
  if (order.what == CardOrder::What::kAuthorise) {
    writer.blob(order.grant);
    return writer.take();
  }
  writer.id(order.enrolment.card);
  writer.id(order.enrolment.person);
  writer.u8(order.enrolment.application);
  writer.u8(order.applications);
  return writer.take();
}

Result<CardOrder> decode_card_order(ByteView body) {
  wire::Reader reader(body, "order about a card");
  CardOrder order;
  const std::uint8_t what = reader.u8();
  if (what != 1 && what != 2) reader.reject("what to begin is unknown");
  order.what = static_cast<CardOrder::What>(what);
  if (what == 2) {
    const ByteView grant = reader.blob(card::kMaxGrantBytes);
    order.grant.assign(grant.begin(), grant.end());
  } else {
    order.enrolment.card = reader.id<CardId>();
    order.enrolment.person = reader.id<Pseudonym>();
    order.enrolment.application = reader.u8();
    order.applications = reader.u8();
    if (order.enrolment.application == 0 || order.applications > card::desfire::kMaxApplications ||
        order.enrolment.application > order.applications) {
      reader.reject("a number is out of range");
    }
  }
  TRY(reader.finish());
  return order;
}

Bytes encode(const CardAnswer& answer) {
  wire::Writer writer;
  writer.id(answer.dialogue);
  writer.blob(answer.answer);
  return writer.take();
}

Result<CardAnswer> decode_card_answer(ByteView body) {
  wire::Reader reader(body, "answer of a card");
  CardAnswer answer;
  answer.dialogue = reader.id<consent::DialogueId>();
  const ByteView bytes = reader.blob(kMaxApduBytes);
  answer.answer.assign(bytes.begin(), bytes.end());
  TRY(reader.finish());
  return answer;
}

Bytes encode(const consent::DialogueTurn& turn) {
  wire::Writer writer;
  writer.id(turn.dialogue);
  writer.u8(turn.apdu ? 0 : 1);
  if (turn.apdu) {
    writer.blob(*turn.apdu);
  } else {
    writer.u8(static_cast<std::uint8_t>(turn.result.kind));
    writer.raw(turn.result.receipt);
  }
  return writer.take();
}

Result<consent::DialogueTurn> decode_card_turn(ByteView body) {
  wire::Reader reader(body, "turn of a card's dialogue");
  consent::DialogueTurn turn;
  turn.dialogue = reader.id<consent::DialogueId>();
  const std::uint8_t over = reader.u8();
  if (over == 0) {
    const ByteView apdu = reader.blob(kMaxApduBytes);
    turn.apdu = Bytes(apdu.begin(), apdu.end());
  } else {
    const std::uint8_t kind = reader.u8();
    const ByteView receipt = reader.raw(mac::kBlockBytes);
    if (over != 1 || kind > card::kLastCardKind ||
        !card::is_relayed(static_cast<card::CardKind>(kind))) {
      reader.reject("its result is unknown");
    }
    TRY(reader.check());
    turn.result.kind = static_cast<card::CardKind>(kind);
    copy_bytes(turn.result.receipt, receipt);
  }
  TRY(reader.finish());
  return turn;
}

Result<consent::DialogueTurn> CardService::begin(const CardOrder& order) {
  return order.what == CardOrder::What::kAuthorise
             ? dialogues_.authorise(order.grant)
             : dialogues_.personalise(order.enrolment, order.applications);
}

void CardService::add_handlers(channel::Server& server) {
  add_signature_handlers(site_, server);
  server.handle(number(Method::kCardBegin), [this](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site_, exchange.request().from));
    TRY_ASSIGN(const CardOrder order, decode_card_order(exchange.request().body));
    TRY_ASSIGN(const consent::DialogueTurn turn, begin(order));
    return exchange.reply(encode(turn));
  });
  server.handle(number(Method::kCardAnswer), [this](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site_, exchange.request().from));
    TRY_ASSIGN(const CardAnswer answer, decode_card_answer(exchange.request().body));
    TRY_ASSIGN(const consent::DialogueTurn turn, dialogues_.answer(answer.dialogue, answer.answer));
    return exchange.reply(encode(turn));
  });
}

}  // namespace warifu::control
