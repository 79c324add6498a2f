// The card readers of this machine, as the PC/SC service (pcscd) knows them, and the card in one of
// them as a transport.
//
// A card is connected exclusively and never left as it is: whoever came after would find the PIN
// verified. So it is reset at the beginning and at the end of its use, and unpowered when the
// connection ends. A card that was removed, or reset by somebody else, fails every later APDU: the
// ceremony starts again and never goes on (card/transport.h).
// Contactless cards (type A and B) and contact cards look the same here; the ATR of a contactless
// one is the reader's invention and identifies nothing.
//
// Ownership: a ReaderCard holds its own context, so it outlives the Readers it came from. Thread
// rule: one thread at a time for each object. Errors name the reader and what to do.
// Source: PC/SC Workgroup specification, parts 5 and 10; the API of pcsc-lite.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "card/transport.h"
#include "os/system.h"

namespace warifu::pcsc {

enum class CardPresence : std::uint8_t {
  kEmpty,
  kPresent,
  kInUse,  // another program has it
  kMute,   // it does not answer
};

struct ReaderStatus {
  std::string name;
  CardPresence card = CardPresence::kEmpty;
  Bytes atr;  // of the card that is present
};

// "empty", "card", "in use", "mute".
[[nodiscard]] std::string_view presence_name(CardPresence presence);

class ReaderCard;

class Readers {
 public:
  // Errors: kUnavailable when pcscd does not answer.
  [[nodiscard]] static Result<std::unique_ptr<Readers>> open(os::Clock& clock);
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Every reader, with the card in it. Errors: kUnavailable.
  [[nodiscard]] Result<std::vector<ReaderStatus>> list();

  // The first reader with a card that answers and is free, among those whose name contains `wanted`
  // (any when it is empty). Waits for one; readers may come and go meanwhile. `keep_waiting` is
  // asked twice a second. Errors: kTimeout, kCancelled, kUnavailable (pcscd is gone).
  using KeepWaiting = std::function<bool()>;
  [[nodiscard]] Result<std::string> wait_for_card(const std::string& wanted,
                                                  std::chrono::milliseconds timeout,
                                                  const KeepWaiting& keep_waiting = {});

  // The card in that reader, for nobody else until the ReaderCard ends. Errors: kBusy (another
  // program has it), kUnavailable (no card, or a mute one), kNotFound (no such reader).
  [[nodiscard]] Result<std::unique_ptr<ReaderCard>> connect(const std::string& reader);

 private:
  Readers(os::Clock& clock, long context) : clock_(clock), context_(context) {}
  Result<std::vector<std::string>> names();

  os::Clock& clock_;
  long context_;
};

class ReaderCard final : public card::CardTransport {
 public:
  ~ReaderCard() override;

  [[nodiscard]] Bytes atr() override { return atr_; }
  // Errors: kUnavailable when the card is gone, was reset, or the service is; kTimeout;
  // kInvalidArgument for an APDU that the card's protocol (T=0) cannot carry.
  [[nodiscard]] Result<secret::Buffer> transmit(ByteView apdu) override;
  void reset() override;
  [[nodiscard]] Result<std::optional<secret::Buffer>> verify_on_pad(
      const card::PadEntry& entry) override;

 private:
  friend class Readers;
  ReaderCard(std::string reader, long context, long handle, unsigned long protocol, Bytes atr)
      : reader_(std::move(reader)),
        context_(context),
        handle_(handle),
        protocol_(protocol),
        atr_(std::move(atr)) {}
  Result<std::uint32_t> pad_control();

  std::string reader_;
  long context_;
  long handle_;
  unsigned long protocol_;
  Bytes atr_;
};

}  // namespace warifu::pcsc
