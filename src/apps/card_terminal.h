// The card at this terminal: the emulated card in a file, or the card in a reader; and the PIN,
// which never stands on a command line.
#pragma once

#include <memory>
#include <string>

#include "apps/commands.h"
#include "card/consent_profile.h"
#include "card/emulator.h"

namespace warifu::apps {

// A session with the card. Members in the order of their lifetimes.
struct CardTerminal {
  std::unique_ptr<card::CardTransport> transport;
  std::unique_ptr<card::Session> session;
  std::unique_ptr<card::ConsentCard> card;
  std::string name;  // for people: the file, or the reader
};

// What `--card` says: a reader (all of "pcsc", or one whose name contains what follows "pcsc:"), or
// else a file.
[[nodiscard]] bool is_reader(const CardOptions& options);
[[nodiscard]] std::string wanted_reader(const CardOptions& options);

// Opens the card; waits for one when a reader is empty, and says so. With `make_blank` a new blank
// emulated card when the file is not there. Errors: kNotFound, kBusy, kCorrupt naming the file or
// the reader; kTimeout when no card came; kUnavailable.
[[nodiscard]] Result<CardTerminal> open_card(const CardOptions& options, bool make_blank);

// From the PIN file, from standard input ("-"), or asked at the terminal without echo.
// Errors: kInvalidArgument, kNotFound.
[[nodiscard]] Result<secret::Buffer> read_pin(const CardOptions& options);

// Has the card check the PIN: entered at the reader's own pad where there is one and no file is
// given, else as read_pin(). Errors: ConsentCard::verify_pin's and read_pin's.
[[nodiscard]] Result<> enter_pin(CardTerminal& terminal, const CardOptions& options);

}  // namespace warifu::apps
