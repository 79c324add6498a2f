// Card file, card in a reader, and PIN entry.
#include "apps/card_terminal.h"

#include <cstdio>

#include "apps/secret_input.h"
#include "base/units.h"
#include "os/system.h"
#include "pcsc/readers.h"

namespace warifu::apps {
namespace {
const std::string kReader = "pcsc";
}

bool is_reader(const CardOptions& options) {
  return options.card == kReader || options.card.starts_with(kReader + ":");
}

std::string wanted_reader(const CardOptions& options) {
  return options.card.size() > kReader.size() ? options.card.substr(kReader.size() + 1) : "";
}

namespace {

constexpr std::size_t kMaxPinInput = 64;

Result<> take_reader(CardTerminal& terminal, const CardOptions& options) {
  TRY_ASSIGN(const std::uint64_t patience, parse_delay(options.wait));
  const std::string wanted = wanted_reader(options);
  TRY_ASSIGN(const auto readers, pcsc::Readers::open(os::real_clock()));
  auto found = readers->wait_for_card(wanted, std::chrono::milliseconds(0));
  if (!found && found.error().code == Code::kTimeout && patience > 0) {
    std::fprintf(stderr, "put the card on the reader\n");
    found = readers->wait_for_card(wanted, std::chrono::seconds(patience));
  }
  if (!found) return std::unexpected(found.error());
  TRY_ASSIGN(terminal.transport, readers->connect(*found));
  terminal.name = "reader '" + *found + "'";
  return {};
}

}  // namespace

Result<CardTerminal> connect_card(const CardOptions& options,
                                  std::optional<card::EmulatedKind> blank) {
  CardTerminal terminal;
  if (is_reader(options)) {
    TRY(take_reader(terminal, options));
  } else {
    auto transport = card::open_card_file(os::real_system(), options.card, blank);
    if (!transport) return fail_in("card", transport.error());
    terminal.transport = std::move(*transport);
    terminal.name = "'" + options.card + "'";
  }
  TRY_ASSIGN(terminal.session, card::Session::open(*terminal.transport));
  return terminal;
}

Result<CardTerminal> open_card(const CardOptions& options,
                               std::optional<card::EmulatedKind> blank) {
  if (!options.module.empty()) {
    CardTerminal terminal;
    TRY_ASSIGN(auto signer, token_signer(options));
    terminal.card = signature_authenticator(std::move(signer));
    terminal.name = "module '" + options.module + "'";
    return terminal;
  }
  if (options.card.empty()) {
    return fail(Code::kInvalidArgument, "give --card, or --module of a PKCS #11 token");
  }
  TRY_ASSIGN(CardTerminal terminal, connect_card(options, blank));
  auto selected = card::ConsentCard::select(*terminal.session);
  if (selected) {
    terminal.card = one_time_authenticator(std::move(*selected));
    return terminal;
  }
  if (selected.error().code == Code::kUnavailable) return std::unexpected(selected.error());
  // Not our own application.
  if (auto jpki = card::JpkiCard::select(*terminal.session)) {
    terminal.card = signature_authenticator(jpki_signer(std::move(*jpki)));
    return terminal;
  } else if (jpki.error().code == Code::kUnavailable) {
    return std::unexpected(jpki.error());
  }
  // DESFire commands begin behind a reset: a card may not take them after
  // others.
  terminal.session.reset();
  TRY_ASSIGN(terminal.session, card::Session::open(*terminal.transport));
  auto found = card::desfire::identify(*terminal.session, os::kernel_random());
  if (!found && found.error().code == Code::kNotFound) return std::unexpected(selected.error());
  if (!found) return std::unexpected(found.error());
  terminal.card = desfire_authenticator(*terminal.session, std::move(*found));
  return terminal;
}

Result<CardType> card_type_of(const std::string& text) {
  if (text.empty() || text == "one-time") return CardType::kOneTime;
  if (text == "desfire") return CardType::kDesfire;
  if (text == "jpki") return CardType::kJpki;
  if (text == "pkcs11") return CardType::kPkcs11;
  return fail(Code::kInvalidArgument,
              "--card-type '" + text + "' must be one-time, desfire, jpki or pkcs11");
}

CardType type_of(card::CardKind kind) {
  if (card::is_signature(kind)) return CardType::kJpki;
  return card::is_relayed(kind) ? CardType::kDesfire : CardType::kOneTime;
}

std::string_view card_type_name(CardType type) {
  switch (type) {
    case CardType::kOneTime: return "one-time";
    case CardType::kDesfire: return "desfire";
    case CardType::kJpki: return "jpki";
    case CardType::kPkcs11: return "pkcs11";
  }
  return {};
}

Result<> check_card_type(const CardTerminal& terminal, const CardFacts& facts, CardType wanted) {
  const CardType type = type_of(facts.kind);
  if (type == wanted || (wanted == CardType::kPkcs11 && card::is_signature(facts.kind))) return {};
  return fail(Code::kInvalidArgument,
              "the card at " + terminal.name + " is " + std::string(card_type_text(facts.kind)) +
                  ": enrol it with --card-type " + std::string(card_type_name(type)));
}

std::optional<card::EmulatedKind> blank_of(CardType type) {
  switch (type) {
    case CardType::kOneTime: return card::EmulatedKind::kConsentCard;
    case CardType::kDesfire: return card::EmulatedKind::kDesfire;
    case CardType::kJpki:
    case CardType::kPkcs11: break;
  }
  return std::nullopt;
}

Result<secret::Buffer> read_pin(const CardOptions& options) {
  if (options.pin != nullptr) return secret::Buffer::copy_of(options.pin->bytes());
  if (options.asks_nobody) {
    return fail(Code::kInvalidArgument, "the PIN is missing, and the reader has no pad for it");
  }
  return read_secret({.name = "PIN", .option = "--pin-file", .most = kMaxPinInput},
                     options.pin_file);
}

}  // namespace warifu::apps
