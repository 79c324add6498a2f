// The emulated certificate application.
#include "card/jpki_emulator.h"

#include <algorithm>
#include <array>

#include "card/card_file.h"
#include "card/jpki_commands.h"
#include "wire/wire.h"

namespace warifu::card {
namespace {

constexpr std::string_view kFileMagic = "WJP1";
constexpr std::uint16_t kFileVersion = 1;
constexpr std::size_t kMaxFileBytes = 64 * 1024;
constexpr std::size_t kMaxFieldBytes = 16 * 1024;
constexpr unsigned kKeyBits = 2048;
constexpr std::string_view kTokenText = "JPKIAPICCTOKEN                  ";
constexpr std::string_view kEmulatedMark = "EMULATED";
constexpr const char* kAuthority = "EMULATED AUTHORITY, TEST ONLY";
constexpr const char* kHolder = "EMULATED CARD, NOBODY";

ResponseApdu answer_of(Status status) {
  return {{}, word_of(status)};
}

}  // namespace

Result<std::unique_ptr<EmulatedJpkiCard>> EmulatedJpkiCard::create(os::FileSystem& files,
                                                                   const std::string& path,
                                                                   const JpkiPins& pins,
                                                                   const crypto::RsaAuthority* by) {
  if (by != nullptr && !by->common_name.starts_with(kEmulatedMark)) {
    return fail(Code::kInvalidArgument,
                "the name of an authority of emulated cards must begin with EMULATED, not '" +
                    by->common_name + "'");
  }
  const auto digit = [](Byte c) { return c >= '0' && c <= '9'; };
  const auto sign = [&](Byte c) { return digit(c) || (c >= 'A' && c <= 'Z'); };
  if (pins.authentication.size() != 4 || !std::ranges::all_of(pins.authentication.bytes(), digit) ||
      pins.signature.size() < 6 || pins.signature.size() > 16 ||
      !std::ranges::all_of(pins.signature.bytes(), sign)) {
    return fail(Code::kInvalidArgument,
                "the PINs of this card are 4 digits, and 6 to 16 upper-case letters and digits");
  }
  TRY_ASSIGN(auto lock, lock_card_file(files, path));
  if (files.exists(path)) {
    return fail(Code::kAlreadyExists, "card file '" + path + "' exists already");
  }
  std::unique_ptr<EmulatedJpkiCard> card(new EmulatedJpkiCard(files, path, std::move(lock)));
  const auto make = [&](Pair& pair, Byte tries, const secret::Buffer& pin) -> Result<> {
    const auto key = crypto::RsaKey::generate(kKeyBits);
    if (by != nullptr) {
      pair.authority = by->certificate;
      TRY_ASSIGN(pair.certificate,
                 crypto::issue_rsa_certificate({.common_name = kHolder}, key, *by));
    } else {
      const auto authority = crypto::RsaKey::generate(kKeyBits);
      TRY_ASSIGN(pair.authority,
                 crypto::make_rsa_certificate({.common_name = kAuthority, .is_ca = true}, authority,
                                              authority, kAuthority));
      TRY_ASSIGN(pair.certificate, crypto::make_rsa_certificate({.common_name = kHolder}, key,
                                                                authority, kAuthority));
    }
    pair.tries = tries;
    pair.pin = secret::Buffer::copy_of(pin.bytes());
    pair.key = key.to_der();
    return {};
  };
  TRY(make(card->authentication_, jpki::kAuthenticationTries, pins.authentication));
  TRY(make(card->signature_, jpki::kSignatureTries, pins.signature));
  TRY(card->store());
  return card;
}

Result<std::unique_ptr<EmulatedJpkiCard>> EmulatedJpkiCard::open(os::FileSystem& files,
                                                                 const std::string& path) {
  if (!files.exists(path)) return fail(Code::kNotFound, "there is no card file '" + path + "'");
  TRY_ASSIGN(auto lock, lock_card_file(files, path));
  std::unique_ptr<EmulatedJpkiCard> card(new EmulatedJpkiCard(files, path, std::move(lock)));
  TRY(card->load());
  return card;
}

Result<> EmulatedJpkiCard::store() const {
  wire::Writer writer;
  writer.raw(as_bytes(kFileMagic));
  writer.u16(kFileVersion);
  for (const Pair* pair : {&authentication_, &signature_}) {
    writer.u8(pair->tries);
    writer.blob(pair->pin.bytes());
    writer.blob(pair->key.bytes());
    writer.blob(pair->certificate);
    writer.blob(pair->authority);
  }
  writer.checksum();
  Bytes bytes = writer.take();
  const auto written = os::replace_file(files_, path_, bytes);
  secret::wipe(bytes);
  return written;
}

Result<> EmulatedJpkiCard::load() {
  TRY_ASSIGN(Bytes bytes, os::read_file(files_, path_, kMaxFileBytes));
  const auto read_all = [&]() -> Result<> {
    const auto body = wire::before_checksum(bytes);
    if (!body) return fail(Code::kCorrupt, "card file '" + path_ + "' is damaged");
    wire::Reader reader(*body, "card file '" + path_ + "'");
    if (as_text(reader.raw(kFileMagic.size())) != kFileMagic) reader.reject("wrong magic");
    if (reader.u16() != kFileVersion) reader.reject("unknown version");
    for (Pair* pair : {&authentication_, &signature_}) {
      pair->tries = reader.u8();
      pair->pin = secret::Buffer::copy_of(reader.blob(kMaxFieldBytes));
      pair->key = secret::Buffer::copy_of(reader.blob(kMaxFieldBytes));
      const ByteView certificate = reader.blob(kMaxFieldBytes);
      pair->certificate.assign(certificate.begin(), certificate.end());
      const ByteView authority = reader.blob(kMaxFieldBytes);
      pair->authority.assign(authority.begin(), authority.end());
    }
    if (const auto read = reader.finish(); !read) return fail(Code::kCorrupt, read.error().message);
    return {};
  };
  const auto read = read_all();
  secret::wipe(bytes);
  return read;
}

Bytes EmulatedJpkiCard::atr() {
  return {0x3B, 0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14};
}

void EmulatedJpkiCard::reset() {
  selected_ = false;
  file_ = 0;
  authentication_.verified = signature_.verified = false;
}

Result<secret::Buffer> EmulatedJpkiCard::transmit(ByteView apdu) {
  const auto command = parse_command(apdu);
  return encode(command ? run(*command) : answer_of(Status::kWrongLength));
}

ResponseApdu EmulatedJpkiCard::run(const CommandApdu& command) {
  const CommandHeader& header = command.header;
  if (header.ins == jpki::kSelectApplication.ins && header.p1 == jpki::kSelectApplication.p1) {
    reset();
    if (!std::ranges::equal(command.data.bytes(), jpki::kAid)) return answer_of(Status::kNotFound);
    selected_ = true;
    return answer_of(Status::kOk);
  }
  if (!selected_) return answer_of(Status::kConditions);
  if (header.ins == jpki::kSelectFile.ins && header.p1 == jpki::kSelectFile.p1) {
    return select_file(command);
  }
  if (header.cla == 0x00 && header.ins == jpki::kReadBinary) return read_binary(command);
  if (header == jpki::kVerify) return verify(command);
  if (header == jpki::kSign) return sign(command);
  return answer_of(Status::kWrongInstruction);
}

ResponseApdu EmulatedJpkiCard::select_file(const CommandApdu& command) {
  if (command.data.size() != 2) return answer_of(Status::kWrongLength);
  const auto id =
      static_cast<std::uint16_t>(command.data.bytes()[0] << 8 | command.data.bytes()[1]);
  constexpr std::array kKnown = {jpki::kTokenInfo,
                                 jpki::kAuthentication.key,
                                 jpki::kAuthentication.pin,
                                 jpki::kAuthentication.certificate,
                                 jpki::kAuthentication.authority,
                                 jpki::kSignature.key,
                                 jpki::kSignature.pin,
                                 jpki::kSignature.certificate,
                                 jpki::kSignature.authority};
  if (std::ranges::find(kKnown, id) == kKnown.end()) {
    file_ = 0;
    return answer_of(Status::kNotFound);
  }
  file_ = id;
  return answer_of(Status::kOk);
}

std::optional<ByteView> EmulatedJpkiCard::content() const {
  switch (file_) {
    case jpki::kTokenInfo: return as_bytes(kTokenText);
    case jpki::kAuthentication.certificate: return authentication_.certificate;
    case jpki::kAuthentication.authority: return authentication_.authority;
    case jpki::kSignature.certificate:
      if (!signature_.verified) return std::nullopt;
      return signature_.certificate;
    case jpki::kSignature.authority: return signature_.authority;
    default: return std::nullopt;
  }
}

ResponseApdu EmulatedJpkiCard::read_binary(const CommandApdu& command) {
  if (file_ == 0) return answer_of(Status::kConditions);
  const auto bytes = content();
  if (!bytes) return answer_of(Status::kSecurity);
  const std::size_t offset =
      static_cast<std::size_t>(command.header.p1 & 0x7F) << 8 | command.header.p2;
  if (offset >= bytes->size()) return {{}, {0x6B00}};
  const std::size_t size = std::min<std::size_t>(command.expected, bytes->size() - offset);
  ResponseApdu answer;
  answer.data = secret::Buffer::copy_of(bytes->subspan(offset, size));
  answer.status = word_of(Status::kOk);
  return answer;
}

ResponseApdu EmulatedJpkiCard::verify(const CommandApdu& command) {
  Pair* pair = file_ == jpki::kAuthentication.pin ? &authentication_
               : file_ == jpki::kSignature.pin    ? &signature_
                                                  : nullptr;
  if (pair == nullptr) return answer_of(Status::kConditions);
  const auto state = [&] {
    return pair->tries == 0 ? answer_of(Status::kBlocked)
                            : ResponseApdu{{}, tries_left(pair->tries)};
  };
  if (command.data.empty()) return state();
  pair->verified = false;
  if (pair->tries == 0) return state();
  --pair->tries;
  if (!store()) {
    ++pair->tries;
    return answer_of(Status::kMemoryFailure);
  }
  const bool same = command.data.size() == pair->pin.size() &&
                    secret::equal(command.data.bytes(), pair->pin.bytes());
  if (!same) return state();
  pair->tries = pair == &signature_ ? jpki::kSignatureTries : jpki::kAuthenticationTries;
  if (!store()) return answer_of(Status::kMemoryFailure);
  pair->verified = true;
  return answer_of(Status::kOk);
}

ResponseApdu EmulatedJpkiCard::sign(const CommandApdu& command) {
  const Pair* pair = file_ == jpki::kAuthentication.key ? &authentication_
                     : file_ == jpki::kSignature.key    ? &signature_
                                                        : nullptr;
  if (pair == nullptr) return answer_of(Status::kConditions);
  if (!pair->verified) return answer_of(Status::kSecurity);
  const auto key = crypto::RsaKey::from_der(pair->key.bytes());
  WARIFU_CHECK(key.has_value());
  const auto signature = key->sign_digest_info(command.data.bytes());
  if (!signature) return answer_of(Status::kWrongData);
  ResponseApdu answer;
  answer.data = secret::Buffer::copy_of(*signature);
  answer.status = word_of(Status::kOk);
  return answer;
}

}  // namespace warifu::card
