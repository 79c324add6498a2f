// Card file, card in a reader, and PIN entry.
#include "apps/card_terminal.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>

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

// Bytes up to the first newline, straight into secret memory.
Result<secret::Buffer> read_line(int descriptor) {
  secret::Buffer line(kMaxPinInput);
  std::size_t size = 0;
  while (size < line.size()) {
    const ssize_t got = ::read(descriptor, line.bytes().data() + size, 1);
    if (got <= 0 || line.bytes()[size] == '\n') break;
    if (line.bytes()[size] != '\r') ++size;
  }
  line.shrink(size);
  if (size == 0) return fail(Code::kInvalidArgument, "no PIN was given");
  return line;
}

Result<secret::Buffer> ask_at_terminal() {
  if (::isatty(STDIN_FILENO) == 0) {
    return fail(Code::kInvalidArgument, "no terminal to ask for the PIN; use --pin-file");
  }
  std::fprintf(stderr, "PIN: ");
  termios before{};
  (void)::tcgetattr(STDIN_FILENO, &before);
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  auto pin = read_line(STDIN_FILENO);
  (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::fprintf(stderr, "\n");
  return pin;
}

Result<> take_reader(CardTerminal& terminal, const CardOptions& options) {
  TRY_ASSIGN(const std::uint64_t patience, parse_duration(options.wait));
  const std::string wanted = wanted_reader(options);
  TRY_ASSIGN(const auto readers, pcsc::Readers::open(os::real_clock()));
  auto found = readers->wait_for_card(wanted, std::chrono::milliseconds(0));
  if (!found && found.error().code == Code::kTimeout) {
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
  if (options.pin_file.empty()) return ask_at_terminal();
  if (options.pin_file == "-") return read_line(STDIN_FILENO);
  TRY_ASSIGN(const auto file, os::real_files().open(options.pin_file, os::OpenMode::kRead));
  secret::Buffer text(kMaxPinInput);
  TRY_ASSIGN(const std::size_t size, file->read_at(0, text.bytes()));
  std::size_t end = 0;
  while (end < size && text.bytes()[end] != '\n' && text.bytes()[end] != '\r') ++end;
  text.shrink(end);
  if (end == 0) return fail(Code::kInvalidArgument, "'" + options.pin_file + "' holds no PIN");
  return text;
}

}  // namespace warifu::apps
