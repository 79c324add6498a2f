// The card at this terminal: opening the emulated card, and the PIN, which never stands on a
// command line.
#pragma once

#include <memory>
#include <string>

#include "apps/commands.h"
#include "card/consent_profile.h"
#include "card/emulator.h"

namespace warifu::apps {

// A session with the card in the file. Members in the order of their lifetimes.
struct CardTerminal {
  std::unique_ptr<card::EmulatedCard> transport;
  std::unique_ptr<card::Session> session;
  std::unique_ptr<card::ConsentCard> card;
};

// Opens the card; with `make_blank` a new blank one when the file is not there.
// Errors: kNotFound, kBusy, kCorrupt naming the file.
[[nodiscard]] Result<CardTerminal> open_card(const CardOptions& options, bool make_blank);

// From the PIN file, from standard input ("-"), or asked at the terminal without echo.
// Errors: kInvalidArgument, kNotFound.
[[nodiscard]] Result<secret::Buffer> read_pin(const CardOptions& options);

}  // namespace warifu::apps
