// Bodies of requests 60, 61, 63 and 64: there and back, cut short, with numbers out of range.
#include "control/card_service.h"

#include <gtest/gtest.h>

#include "control/signature_service.h"

namespace warifu::control {
namespace {

template <typename Id>
Id id_of(Byte number) {
  Id id;
  id.bytes.fill(number);
  return id;
}

// Every shorter body, and one byte more, is refused.
template <typename Decode>
void expect_exact(const Bytes& body, Decode decode) {
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode(ByteView(body).first(size))) << size;
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_FALSE(decode(longer));
}

TEST(CardMessages, OrdersComeBackAsTheyWent) {
  CardOrder order{.what = CardOrder::What::kPersonalise,
                  .enrolment = {id_of<CardId>(1), id_of<Pseudonym>(2), 3},
                  .applications = 6};
  const Bytes body = encode(order);
  const auto back = decode_card_order(body);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->enrolment.card, order.enrolment.card);
  EXPECT_EQ(back->enrolment.person, order.enrolment.person);
  EXPECT_EQ(back->enrolment.application, 3);
  EXPECT_EQ(back->applications, 6);
  expect_exact(body, decode_card_order);
  order.enrolment.application = 7;  // of 6
  EXPECT_FALSE(decode_card_order(encode(order)));
  order.enrolment.application = 0;
  EXPECT_FALSE(decode_card_order(encode(order)));

  const CardOrder proof{.grant = Bytes(192, 0x5A)};
  const auto grant = decode_card_order(encode(proof));
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->what, CardOrder::What::kAuthorise);
  EXPECT_EQ(grant->grant, proof.grant);
  expect_exact(encode(proof), decode_card_order);
  EXPECT_FALSE(decode_card_order(encode(CardOrder{.grant = Bytes(card::kMaxGrantBytes + 1)})));
}

TEST(CardMessages, TurnsAndAnswersComeBackAsTheyWent) {
  const consent::DialogueTurn turn{.dialogue = id_of<consent::DialogueId>(9),
                                   .apdu = *from_hex("905a00000301415700")};
  const auto next = decode_card_turn(encode(turn));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->dialogue, turn.dialogue);
  EXPECT_EQ(next->apdu, turn.apdu);
  expect_exact(encode(turn), decode_card_turn);

  consent::DialogueTurn over{.dialogue = id_of<consent::DialogueId>(9)};
  over.result.kind = card::CardKind::kDesfireEmulated;
  over.result.receipt.fill(0x77);
  const auto result = decode_card_turn(encode(over));
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->apdu);
  EXPECT_EQ(result->result.kind, over.result.kind);
  EXPECT_EQ(result->result.receipt, over.result.receipt);
  expect_exact(encode(over), decode_card_turn);
  over.result.kind = card::CardKind::kOneTimeMac;  // no relayed card
  EXPECT_FALSE(decode_card_turn(encode(over)));

  const CardAnswer answer{id_of<consent::DialogueId>(8), *from_hex("9100")};
  const auto back = decode_card_answer(encode(answer));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->dialogue, answer.dialogue);
  EXPECT_EQ(back->answer, answer.answer);
  expect_exact(encode(answer), decode_card_answer);
  EXPECT_FALSE(decode_card_answer(encode(CardAnswer{answer.dialogue, Bytes(513)})));
}

TEST(CardMessages, SignatureCardsAndSignedGrantsComeBack) {
  const consent::SignatureEnrolment card{
      id_of<Pseudonym>(2), Bytes(1200, 3), {1'790'000'000'000}, Bytes(256, 4)};
  const auto back = decode_signature_enrolment(encode(card));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->person, card.person);
  EXPECT_EQ(back->certificate, card.certificate);
  EXPECT_EQ(back->signed_at, card.signed_at);
  EXPECT_EQ(back->signature, card.signature);
  expect_exact(encode(card), decode_signature_enrolment);
  EXPECT_FALSE(decode_signature_enrolment(encode(
      consent::SignatureEnrolment{card.person, Bytes(20'000, 3), card.signed_at, Bytes(256, 4)})));

  const SignedProof proof{Bytes(300, 5), Bytes(256, 6)};
  const auto same = decode_signed_proof(encode(proof));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->grant, proof.grant);
  EXPECT_EQ(same->signature, proof.signature);
  expect_exact(encode(proof), decode_signed_proof);
  EXPECT_FALSE(
      decode_signed_proof(encode(SignedProof{Bytes(card::kMaxGrantBytes + 1), Bytes(256)})));
  EXPECT_FALSE(decode_signed_proof(encode(SignedProof{Bytes(300), Bytes(1025)})));
}

}  // namespace
}  // namespace warifu::control
