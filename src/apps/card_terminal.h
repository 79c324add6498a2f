// The card at this terminal: an emulated card in a file, or the card in a reader, of either kind;
// and the PIN, which never stands on a command line.
#pragma once

#include <memory>
#include <string>

#include "apps/card_authenticator.h"
#include "apps/command_options.h"
#include "card/card_file.h"

namespace warifu::apps {

// A session with the card. Members in the order of their lifetimes.
struct CardTerminal {
  std::unique_ptr<card::CardTransport> transport;  // this and the session: none of a token
  std::unique_ptr<card::Session> session;
  std::unique_ptr<CardAuthenticator> card;
  std::string name;  // for people: the file, or the reader
};

// What `--card` says: a reader (all of "pcsc", or one whose name contains what follows "pcsc:"), or
// else a file.
[[nodiscard]] bool is_reader(const CardOptions& options);
[[nodiscard]] std::string wanted_reader(const CardOptions& options);

// A session with whatever card it is; `card` is empty. Errors: as open_card().
[[nodiscard]] Result<CardTerminal> connect_card(const CardOptions& options,
                                                std::optional<card::EmulatedKind> blank = {});
// Opens the card; waits for one when a reader is empty, and says so. With `blank` a new blank
// emulated card of that kind when the file is not there. Errors: kNotFound, kBusy, kCorrupt naming
// the file or the reader; kTimeout when no card came; kUnavailable.
[[nodiscard]] Result<CardTerminal> open_card(const CardOptions& options,
                                             std::optional<card::EmulatedKind> blank = {});

// What `--card-type` says; one-time when it says nothing. Errors: kInvalidArgument.
enum class CardType : std::uint8_t { kOneTime, kDesfire, kJpki, kPkcs11 };
[[nodiscard]] Result<CardType> card_type_of(const std::string& text);
// Of a signature card jpki: which application it is makes no difference to the sites.
[[nodiscard]] CardType type_of(card::CardKind kind);
// As `--card-type` says it.
[[nodiscard]] std::string_view card_type_name(CardType type);
// Errors: kInvalidArgument: the card is of another type than is wanted.
[[nodiscard]] Result<> check_card_type(const CardTerminal& terminal, const CardFacts& facts,
                                       CardType wanted);
// What is made when the file of an emulated card is missing; none for kinds that others issue.
[[nodiscard]] std::optional<card::EmulatedKind> blank_of(CardType type);

// From the PIN file, from standard input ("-"), or asked at the terminal without echo.
// Errors: kInvalidArgument, kNotFound.
[[nodiscard]] Result<secret::Buffer> read_pin(const CardOptions& options);

}  // namespace warifu::apps
