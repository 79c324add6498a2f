// The way to a card: a transport carries single APDUs, a session makes a ceremony of them.
//
// A transport (PC/SC, emulator, test double) owns its connection exclusively: nobody else may talk
// to the card between two of its APDUs, or a verified PIN would serve a stranger. A Session is the
// only user of its transport while it lives (a second one gets kBusy) and resets the card when it
// ends, which forgets the PIN. After an error of the transport the session is over: the state of
// the card is unknown, so a ceremony starts again and never goes on.
// Thread rule: one thread at a time. The transport must outlive the session.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "card/apdu.h"

namespace warifu::card {

// A VERIFY whose digits the reader's own pad puts in; `shortest` to `longest` of them.
struct PadEntry {
  CommandHeader header;
  Byte shortest = 0;
  Byte longest = 0;
};

class CardTransport {
 public:
  CardTransport() = default;
  virtual ~CardTransport() = default;
  CardTransport(const CardTransport&) = delete;
  CardTransport& operator=(const CardTransport&) = delete;

  // Answer to reset; made up by the reader for contactless cards, so never an identification.
  [[nodiscard]] virtual Bytes atr() = 0;
  // One APDU and its answer including the status word.
  // Errors: kUnavailable when the card is gone or was reset by somebody else; kTimeout.
  [[nodiscard]] virtual Result<secret::Buffer> transmit(ByteView apdu) = 0;
  // The PIN entered at the reader's own pad: the answer to the VERIFY, or a status of the reader
  // (64xx); none when it has no pad. Errors as transmit().
  [[nodiscard]] virtual Result<std::optional<secret::Buffer>> verify_on_pad(const PadEntry& entry) {
    (void)entry;
    return std::nullopt;
  }
  // Warm reset: verified PINs, selections and unfinished chains are forgotten.
  virtual void reset() = 0;

 private:
  friend class Session;
  std::atomic<bool> in_session_ = false;
};

class Session {
 public:
  // Data beyond this is sent as a chain: some readers stop at 254 bytes.
  static constexpr std::size_t kChainBytes = 240;
  static constexpr std::size_t kMaxResponseBytes = 64 * 1024;
  // Receives one line per APDU. Data fields are never in it (PINs, keys), except those of SELECT.
  using Trace = std::function<void(std::string_view)>;

  // Resets the card first, so that nothing is left of an earlier user.
  // Errors: kBusy when another session holds the transport.
  [[nodiscard]] static Result<std::unique_ptr<Session>> open(CardTransport& transport,
                                                             Trace trace = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Sends the command (chained when long), repeats once on 6Cxx, collects 61xx answers.
  // A status other than 9000 is an answer, not an Error.
  // Errors: kUnavailable and kTimeout of the transport; kProtocol when the card misbehaves.
  [[nodiscard]] Result<ResponseApdu> exchange(const CommandApdu& command);
  // A VERIFY at the reader's own pad; none when it has no pad. Errors as exchange().
  [[nodiscard]] Result<std::optional<StatusWord>> verify_on_pad(const PadEntry& entry);
  [[nodiscard]] Bytes atr() { return transport_.atr(); }

 private:
  Session(CardTransport& transport, Trace trace)
      : transport_(transport), trace_(std::move(trace)) {}
  Result<ResponseApdu> send(const CommandHeader& header, ByteView data, std::uint32_t expected);
  Result<ResponseApdu> send_checked(const CommandHeader& header, ByteView data,
                                    std::uint32_t expected, bool chained);
  Result<> collect(const CommandHeader& header, ResponseApdu& response);

  CardTransport& transport_;
  Trace trace_;
  bool over_ = false;
};

}  // namespace warifu::card
