// Codes of pcsc-lite in words.
#include "pcsc/errors.h"

#include <winscard.h>

namespace warifu::pcsc {
namespace {

struct Meaning {
  Code code;
  const char* text;
};

Meaning meaning_of(long code) {
  switch (code) {
    case SCARD_E_NO_SERVICE:
    case SCARD_E_SERVICE_STOPPED:
    case SCARD_F_COMM_ERROR:
      return {Code::kUnavailable,
              "the PC/SC service does not answer; is pcscd installed and running?"};
    case SCARD_W_SECURITY_VIOLATION:
      return {Code::kRefused, "the PC/SC service lets this user have no card"};
    case SCARD_E_NO_READERS_AVAILABLE:
    case SCARD_E_UNKNOWN_READER: return {Code::kNotFound, "there is no such card reader"};
    case SCARD_E_READER_UNAVAILABLE: return {Code::kUnavailable, "the reader was unplugged"};
    case SCARD_E_SHARING_VIOLATION:
    case SCARD_E_SERVER_TOO_BUSY: return {Code::kBusy, "another program uses the card"};
    case SCARD_E_NO_SMARTCARD: return {Code::kUnavailable, "there is no card on the reader"};
    case SCARD_W_REMOVED_CARD: return {Code::kUnavailable, "the card was taken away"};
    case SCARD_W_RESET_CARD: return {Code::kUnavailable, "the card was reset by somebody else"};
    case SCARD_W_UNRESPONSIVE_CARD:
    case SCARD_W_UNPOWERED_CARD:
    case SCARD_W_UNSUPPORTED_CARD:
    case SCARD_E_PROTO_MISMATCH:
      return {Code::kUnavailable,
              "the card does not answer; is it the right one, and flat on the "
              "reader?"};
    case SCARD_E_TIMEOUT: return {Code::kTimeout, "nothing came in time"};
    case SCARD_E_CANCELLED: return {Code::kCancelled, "stopped"};
    case SCARD_E_NOT_TRANSACTED:
    case SCARD_E_COMM_DATA_LOST:
      return {Code::kUnavailable, "the card was lost in the middle of a command"};
    default: return {Code::kIo, nullptr};
  }
}

}  // namespace

Error error_of(long code, const std::string& where) {
  const Meaning meaning = meaning_of(code);
  const std::string text =
      meaning.text != nullptr ? meaning.text : ::pcsc_stringify_error(static_cast<LONG>(code));
  return {meaning.code, where + ": " + text};
}

}  // namespace warifu::pcsc
