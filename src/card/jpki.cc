// Files, PINs and signatures of the certificate application.
#include "card/jpki.h"

#include <algorithm>

#include "card/jpki_commands.h"
#include "crypto/rsa.h"

namespace warifu::card {
namespace {

constexpr std::size_t kMaxCertificateBytes = 16 * 1024;

const jpki::Files& files_of(JpkiKey key) {
  return key == JpkiKey::kSignature ? jpki::kSignature : jpki::kAuthentication;
}

std::string name_of(JpkiKey key) {
  return key == JpkiKey::kSignature ? "signature" : "authentication";
}

bool is_well_formed(JpkiKey key, ByteView pin) {
  const auto digit = [](Byte c) { return c >= '0' && c <= '9'; };
  if (key == JpkiKey::kAuthentication) return pin.size() == 4 && std::ranges::all_of(pin, digit);
  return pin.size() >= 6 && pin.size() <= 16 &&
         std::ranges::all_of(pin, [&](Byte c) { return digit(c) || (c >= 'A' && c <= 'Z'); });
}

std::unexpected<Error> unexpected_answer(const std::string& what, const StatusWord& status) {
  return fail(Code::kProtocol, "the card answers " + what + " with " + status.text());
}

}  // namespace

Result<JpkiCard> JpkiCard::select(Session& session) {
  CommandApdu command{.header = jpki::kSelectApplication,
                      .data = secret::Buffer::copy_of(jpki::kAid)};
  TRY_ASSIGN(const ResponseApdu answer, session.exchange(command));
  // Cards say in different words that they do not know an application.
  if (answer.status.kind() != Status::kOk) {
    return fail(Code::kNotFound, "the card has no certificate application (JPKI); it answers " +
                                     answer.status.text());
  }
  return JpkiCard(session);
}

Result<> JpkiCard::select_file(std::uint16_t id) {
  const std::array<Byte, 2> bytes = {static_cast<Byte>(id >> 8), static_cast<Byte>(id)};
  CommandApdu command{.header = jpki::kSelectFile, .data = secret::Buffer::copy_of(bytes)};
  TRY_ASSIGN(const ResponseApdu answer, session_->exchange(command));
  if (answer.status.kind() == Status::kOk) return {};
  return unexpected_answer("the choice of a file", answer.status);
}

Result<Bytes> JpkiCard::read_certificate(std::uint16_t id) {
  TRY(select_file(id));
  Bytes der;
  std::size_t wanted = 4;  // tag and length first
  while (der.size() < wanted) {
    const std::size_t piece = std::min<std::size_t>(wanted - der.size(), kShortExpected);
    const CommandHeader header{0x00, jpki::kReadBinary, static_cast<Byte>(der.size() >> 8),
                               static_cast<Byte>(der.size())};
    CommandApdu command{
        .header = header, .data = {}, .expected = static_cast<std::uint32_t>(piece)};
    TRY_ASSIGN(const ResponseApdu answer, session_->exchange(command));
    if (answer.status.kind() == Status::kSecurity) {
      return fail(Code::kRefused, "the card gives this certificate only after its PIN");
    }
    if (answer.status.kind() != Status::kOk || answer.data.empty() || answer.data.size() > piece) {
      return unexpected_answer("the reading of a certificate", answer.status);
    }
    const ByteView bytes = answer.data.bytes();
    der.insert(der.end(), bytes.begin(), bytes.end());
    if (wanted == 4 && der.size() >= 4) {
      // SEQUENCE with a length of two bytes: certificates are between 256 and 65,535 bytes long.
      if (der[0] != 0x30 || der[1] != 0x82) {
        return fail(Code::kProtocol, "the card holds no certificate where one must be");
      }
      wanted = 4 + (static_cast<std::size_t>(der[2]) << 8 | der[3]);
      if (wanted > kMaxCertificateBytes) {
        return fail(Code::kProtocol, "the card announces a certificate of impossible length");
      }
    }
  }
  return der;
}

Result<Bytes> JpkiCard::certificate(JpkiKey key) {
  return read_certificate(files_of(key).certificate);
}

Result<Bytes> JpkiCard::authority(JpkiKey key) {
  return read_certificate(files_of(key).authority);
}

Result<Byte> JpkiCard::tries_left(JpkiKey key) {
  TRY(select_file(files_of(key).pin));
  TRY_ASSIGN(const ResponseApdu answer, session_->exchange({.header = jpki::kVerify, .data = {}}));
  switch (answer.status.kind()) {
    case Status::kTriesLeft: return static_cast<Byte>(answer.status.value & 0x0F);
    case Status::kBlocked: return Byte{0};
    default: return unexpected_answer("the question for its PIN's tries", answer.status);
  }
}

Result<> JpkiCard::verify_pin(JpkiKey key, ByteView pin, LastTry last_try) {
  if (!is_well_formed(key, pin)) {
    return fail(Code::kInvalidArgument, key == JpkiKey::kAuthentication
                                            ? "this PIN has 4 digits"
                                            : "this PIN has 6 to 16 upper-case letters and digits");
  }
  TRY_ASSIGN(const Byte tries, tries_left(key));
  if (tries == 0) {
    return fail(Code::kRefused,
                "the " + name_of(key) + " PIN is blocked; only the municipal office can reset it");
  }
  if (tries == 1 && last_try == LastTry::kRefuse) {
    return fail(Code::kRefused, "only one try of the " + name_of(key) +
                                    " PIN is left, and it is not spent here; a wrong one would "
                                    "block it until a visit to the municipal office");
  }
  CommandApdu command{.header = jpki::kVerify, .data = secret::Buffer::copy_of(pin)};
  TRY_ASSIGN(const ResponseApdu answer, session_->exchange(command));
  switch (answer.status.kind()) {
    case Status::kOk: return {};
    case Status::kTriesLeft:
      return fail(Code::kRefused,
                  "wrong PIN; " + std::to_string(answer.status.value & 0x0F) + " tries left");
    case Status::kBlocked: return fail(Code::kRefused, "wrong PIN, which is now blocked");
    default: return unexpected_answer("its PIN", answer.status);
  }
}

Result<Bytes> JpkiCard::sign(JpkiKey key, ByteView message) {
  TRY(select_file(files_of(key).key));
  const Bytes info = crypto::sha256_digest_info(message);
  CommandApdu command{
      .header = jpki::kSign, .data = secret::Buffer::copy_of(info), .expected = kShortExpected};
  TRY_ASSIGN(const ResponseApdu answer, session_->exchange(command));
  if (answer.status.kind() == Status::kSecurity) {
    return fail(Code::kRefused, "the card signs only after the " + name_of(key) + " PIN");
  }
  if (answer.status.kind() != Status::kOk || answer.data.empty()) {
    return unexpected_answer("the request to sign", answer.status);
  }
  const ByteView bytes = answer.data.bytes();
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace warifu::card
