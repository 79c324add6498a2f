// Secure messaging of DESFire: session keys, MACs and encryption behind an authentication, for both
// sides of the air.
//
// EV2 (AuthenticateEV2First): MAC = CMAC(SesMAC, code, CmdCtr, TI, header, data), its 8 odd bytes;
// code is the command's or 00 for an answer. Under Comm::kFull data is padded with 80 00.. and
// enciphered by CBC under SesENC, IV = E(SesENC, A55A or 5AA5, TI, CmdCtr, 0). The counter goes up
// between a command and its answer, so no MAC fits another place. (AN12343, AN12196.)
// EV1 (AuthenticateAES): a CMAC over command and parameters becomes the IV of the next; every
// answer carries the first 8 bytes of a CMAC over data and status. (AN0945; Comm::kFull is left
// out.) Authentication costs an attacker 2^-64 per try: computational, enough for the moment of
// use.
//
// Invariant: a message that fails its check ends the session; nothing of it is returned. One
// thread.
#pragma once

#include <memory>

#include "card/desfire.h"

namespace warifu::card::desfire {

using Random16 = crypto::AesBlock;  // RndA, RndB

class Messaging {
 public:
  Messaging() = default;
  virtual ~Messaging() = default;
  Messaging(const Messaging&) = delete;
  Messaging& operator=(const Messaging&) = delete;

  // Terminal or site: what to send for `header` and `data`, and what an answer with status 00 says.
  // open_answer's errors: kCorrupt when its MAC or padding is wrong.
  [[nodiscard]] virtual Result<secret::Buffer> protect_command(Command command, ByteView header,
                                                               ByteView data, Comm comm) = 0;
  [[nodiscard]] virtual Result<secret::Buffer> open_answer(ByteView answer, Comm comm) = 0;
  // Card: header and data of a command as received, and what to answer. open_command's errors:
  // kCorrupt.
  [[nodiscard]] virtual Result<secret::Buffer> open_command(Command command, ByteView received,
                                                            Comm comm) = 0;
  [[nodiscard]] virtual secret::Buffer protect_answer(ByteView data, Comm comm) = 0;
};

// The session that both sides have after AuthenticateEV2First under `key`. `counter` is CmdCtr.
struct Ev2Start {
  ByteView key;
  Random16 rnd_a;
  Random16 rnd_b;
  std::array<Byte, 4> transaction;  // TI
};
struct Ev2Keys {
  secret::Buffer encryption;
  secret::Buffer mac;
  std::array<Byte, 4> transaction{};
  std::uint16_t counter = 0;
};
[[nodiscard]] Ev2Keys ev2_keys(const Ev2Start& start);
[[nodiscard]] std::unique_ptr<Messaging> make_ev2(Ev2Keys keys);

// The session key after AuthenticateAES.
[[nodiscard]] secret::Buffer ev1_key(const Random16& rnd_a, const Random16& rnd_b);
[[nodiscard]] std::unique_ptr<Messaging> make_ev1(secret::Buffer session_key);

// rotl8: the first byte goes to the end.
[[nodiscard]] Random16 rotated(const Random16& random);

// The data of ChangeKey: `fresh`, its version; for another key than the session's XORed with `old`
// and followed by the CRC of `fresh`. AN12196 5.16.
[[nodiscard]] secret::Buffer key_data(ByteView fresh, Byte version, ByteView old = {});
// CRC-32 of ISO/IEC 14443 DESFire commands: IEEE 802.3 without the final complement.
[[nodiscard]] std::uint32_t desfire_crc32(ByteView bytes);

}  // namespace warifu::card::desfire
