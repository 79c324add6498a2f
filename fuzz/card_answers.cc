// What cards answer: the terminal's side of every card, against a card that answers anything. Which
// ceremony is the first byte's choice; behind it stand the answers, each with its length in front.
#include "card/consent_profile.h"
#include "card/desfire_layout.h"
#include "card/jpki.h"
#include "fuzz/fuzz.h"

namespace warifu::fuzz {
namespace {

using namespace card;

class AnyCard final : public CardTransport {
 public:
  explicit AnyCard(ByteView answers) : answers_(answers) {}
  Bytes atr() override { return {}; }
  Result<secret::Buffer> transmit(ByteView apdu) override {
    require(parse_command(apdu).has_value());  // whatever was answered, what is sent is a command
    if (answers_.empty()) return fail(Code::kUnavailable, "the card is gone");
    const std::size_t size = std::min<std::size_t>(answers_[0], answers_.size() - 1);
    secret::Buffer answer = desfire::joined({answers_.subspan(1, size)});
    answers_ = answers_.subspan(1 + size);
    return answer;
  }
  void reset() override {}

 private:
  ByteView answers_;
};

// The same numbers every time, or no input could be looked at twice.
class Counting final : public os::Random {
 public:
  void fill(MutableBytes out) override {
    for (Byte& byte : out) byte = next_++;
  }

 private:
  Byte next_ = 0;
};

void own_profile(Session& session, Byte what) {
  auto card = ConsentCard::select(session);
  if (!card) return;
  const Bytes pin = {'2', '7', '1', '8'};
  switch (what % 6) {
    case 0: (void)card->identity(); break;
    case 1: (void)card->list_objects(); break;
    case 2: (void)card->get_object(ObjectId{}); break;
    case 3: (void)card->verify_pin(pin); break;
    case 4: (void)card->may_renew({KeyIndex{1}, 4}, *SiteName::parse("tommo")); break;
    default: {
      if (const auto tags = card->authorise(Bytes(400, 1))) require(tags->size() <= 7);
    }
  }
}

void jpki(Session& session, Byte what) {
  auto card = JpkiCard::select(session);
  if (!card) return;
  const auto key = what % 2 == 0 ? JpkiKey::kAuthentication : JpkiKey::kSignature;
  const Bytes pin = what % 2 == 0 ? Bytes{'1', '2', '3', '4'} : Bytes{'A', 'B', 'C', '1', '2', '3'};
  switch (what / 2 % 5) {
    case 0: (void)card->certificate(key); break;
    case 1: (void)card->authority(key); break;
    case 2: (void)card->tries_left(key); break;
    case 3: (void)card->verify_pin(key, pin); break;
    default: (void)card->sign(key, pin);
  }
}

void type_a(Session& session, Byte what) {
  using namespace desfire;
  Counting random;
  if (what % 4 == 0) {
    (void)identify(session, random);
    return;
  }
  Dialogue dialogue(random);
  const SiteKey own{1, secret::Buffer(kKeyBytes)};
  const auto done = [] { return Result<>{}; };
  switch (what % 4) {
    case 1:
      authorise(
          dialogue, own, Bytes(kDigestBytes, 1),
          [](ByteView token) -> Result<secret::Buffer> { return joined({token}); }, done);
      break;
    case 2:
      get_record(dialogue, own, ObjectId{}, [](const ObjectRecord&) { return Result<>{}; });
      break;
    default:
      personalise(dialogue,
                  {.label = {.number = 1, .applications = 1, .card = {}},
                   .own = {1, secret::Buffer(kKeyBytes)},
                   .token = secret::Buffer(kTokenBytes)},
                  [](CardKind) { return Result<>{}; });
  }
  (void)desfire::run(dialogue, session);
}

}  // namespace

void run(ByteView input) {
  if (input.size() < 2) return;
  AnyCard card(input.subspan(2));
  auto session = Session::open(card);
  require(session.has_value());
  switch (input[0] % 3) {
    case 0: own_profile(**session, input[1]); break;
    case 1: jpki(**session, input[1]); break;
    default: type_a(**session, input[1]);
  }
}

}  // namespace warifu::fuzz
