// APDUs through a reader, and PINs on its own pad.
#include <reader.h>
#include <winscard.h>

#include "pcsc/errors.h"
#include "pcsc/pin_pad.h"
#include "pcsc/readers.h"

namespace warifu::pcsc {
namespace {

constexpr std::size_t kMaxAnswerBytes = 65'536 + 2;
constexpr std::size_t kShortHeadBytes = 5;

// T=0 carries either data or an expected length. Of a command with both, the length stays behind:
// the card answers 61xx, and the session asks for the rest.
Result<ByteView> for_t0(ByteView apdu, const std::string& where) {
  if (apdu.size() <= kShortHeadBytes) return apdu;
  const std::size_t data = apdu[kShortHeadBytes - 1];
  if (data == 0) {
    return fail(Code::kInvalidArgument, where +
                                            ": a contact card of protocol T=0 takes no long "
                                            "commands");
  }
  return apdu.first(std::min(apdu.size(), kShortHeadBytes + data));
}

}  // namespace

ReaderCard::~ReaderCard() {
  (void)::SCardDisconnect(handle_, SCARD_UNPOWER_CARD);
  (void)::SCardReleaseContext(context_);
}

Result<secret::Buffer> ReaderCard::transmit(ByteView apdu) {
  const bool t0 = protocol_ == SCARD_PROTOCOL_T0;
  if (t0) {
    TRY_ASSIGN(apdu, for_t0(apdu, reader_));
  }
  secret::Buffer answer(kMaxAnswerBytes);
  DWORD size = answer.size();
  const LONG code = ::SCardTransmit(handle_, t0 ? SCARD_PCI_T0 : SCARD_PCI_T1, apdu.data(),
                                    apdu.size(), nullptr, answer.bytes().data(), &size);
  if (code != SCARD_S_SUCCESS) return std::unexpected(error_of(code, reader_));
  // Some drivers say nothing else when the card goes before it has answered.
  if (size < 2) return std::unexpected(error_of(SCARD_E_COMM_DATA_LOST, reader_));
  answer.shrink(size);
  return answer;
}

// When it fails the card is gone, and the next APDU says so.
void ReaderCard::reset() {
  DWORD protocol = 0;
  const LONG code =
      ::SCardReconnect(handle_, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                       SCARD_RESET_CARD, &protocol);
  if (code == SCARD_S_SUCCESS) protocol_ = protocol;
}

Result<std::uint32_t> ReaderCard::pad_control() {
  Bytes features(MAX_BUFFER_SIZE);
  DWORD size = 0;
  const LONG code = ::SCardControl(handle_, CM_IOCTL_GET_FEATURE_REQUEST, nullptr, 0,
                                   features.data(), features.size(), &size);
  // A reader without any feature may answer with an error as well.
  if (code != SCARD_S_SUCCESS) return 0;
  features.resize(std::min<std::size_t>(size, features.size()));
  return find_feature(features, FEATURE_VERIFY_PIN_DIRECT);
}

Result<std::optional<secret::Buffer>> ReaderCard::verify_on_pad(const card::PadEntry& entry) {
  TRY_ASSIGN(const std::uint32_t control, pad_control());
  if (control == 0) return std::nullopt;
  const Bytes order = verify_order(entry);
  secret::Buffer answer(MAX_BUFFER_SIZE);
  DWORD size = 0;
  const LONG code = ::SCardControl(handle_, control, order.data(), order.size(),
                                   answer.bytes().data(), answer.size(), &size);
  if (code != SCARD_S_SUCCESS) return std::unexpected(error_of(code, reader_));
  answer.shrink(size);
  return answer;
}

}  // namespace warifu::pcsc
