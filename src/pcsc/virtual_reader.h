// A card in software behind a virtual reader: speaks the protocol of vsmartcard's vpcd, so that
// pcscd and every program that uses it see a card.
//
//   message := length:u16 big-endian, bytes     the reader speaks first
//   00 power off, 01 power on, 02 reset (no answer), 04 the ATR; anything longer is an APDU
//
// A stand-in for demonstrations and tests: the reader listens on every interface and asks nobody
// who he is. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "card/transport.h"
#include "os/net.h"

namespace warifu::pcsc {

struct VirtualCardOptions {
  // Takes the card away behind so many APDUs, before the answer is sent or after it.
  std::optional<std::uint64_t> tear_after;
  bool tear_before_answer = false;
};

// Answers until the reader ends the connection or the card is taken away; tells how many APDUs
// there were. Errors: kProtocol for what is no message of a reader, kUnavailable, the card's own.
[[nodiscard]] Result<std::uint64_t> serve_virtual_reader(card::CardTransport& card,
                                                         os::ByteStream& reader,
                                                         const VirtualCardOptions& options = {});

}  // namespace warifu::pcsc
