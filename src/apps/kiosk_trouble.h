// Why an act at a kiosk failed: an error, and, where the person there can do something about it, a
// name by which the page has words for it in their language. Values; any thread.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace warifu::apps {

enum class Trouble : std::uint8_t {
  kOther,        // the error's own message is all there is to say
  kReader,       // the reader itself does not work
  kUnreadable,   // what lies there is no card of a known kind, or cannot be read
  kNoCard,       // none lies on the reader
  kCardGone,     // it was taken away in the middle
  kOtherCard,    // not the one that began
  kBlankCard,    // it was issued to nobody
  kUnknownCard,  // it is nobody's here
  kNoPin,        // none was given, or no PIN of such a card looks like that
  kWrongPin,
  kLastTry,     // one try or none is left, and it is not spent here
  kNoKeys,      // the card has no one-time keys left
  kNotWaiting,  // the request was decided or cancelled meanwhile
  kSessionOver,
  kHalfDone,  // the consent to the index was given, and what comes then failed
};

// "other", "no_card", "card_gone", ...: `trouble` in a kiosk's answers (docs/kiosk.md).
[[nodiscard]] constexpr std::string_view trouble_name(Trouble trouble) {
  switch (trouble) {
    case Trouble::kOther: return "other";
    case Trouble::kReader: return "reader";
    case Trouble::kUnreadable: return "unreadable";
    case Trouble::kNoCard: return "no_card";
    case Trouble::kCardGone: return "card_gone";
    case Trouble::kOtherCard: return "other_card";
    case Trouble::kBlankCard: return "blank_card";
    case Trouble::kUnknownCard: return "unknown_card";
    case Trouble::kNoPin: return "no_pin";
    case Trouble::kWrongPin: return "wrong_pin";
    case Trouble::kLastTry: return "last_try";
    case Trouble::kNoKeys: return "no_keys";
    case Trouble::kNotWaiting: return "not_waiting";
    case Trouble::kSessionOver: return "session_over";
    case Trouble::kHalfDone: return "half_done";
  }
  return "other";
}

struct KioskError {
  // Any error of what the kiosk calls is one of its own.
  KioskError(Error is) : error(std::move(is)) {}  // NOLINT(google-explicit-constructor)
  KioskError(Trouble why, Error is) : error(std::move(is)), trouble(why) {}
  Error error;
  Trouble trouble = Trouble::kOther;
};

template <typename T = void>
using KioskResult = std::expected<T, KioskError>;

[[nodiscard]] inline std::unexpected<KioskError> fail_as(Trouble trouble, Code code,
                                                         std::string message) {
  return std::unexpected(KioskError(trouble, {code, std::move(message)}));
}

}  // namespace warifu::apps
