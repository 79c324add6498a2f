// `warifu card jpki|make-jpki`: the certificate application of a My Number Card, and a stand-in for
// one.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/card_terminal.h"
#include "apps/output.h"
#include "apps/person_commands.h"
#include "card/jpki.h"
#include "card/jpki_emulator.h"
#include "crypto/crypto.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

json::object facts_of(Byte tries, const Result<Bytes>& certificate) {
  json::object facts = {{"pin_tries_left", tries}};
  if (certificate) facts["certificate_sha256"] = to_hex(crypto::sha256(*certificate));
  return facts;
}

Result<std::string> read_pem(const std::string& path) {
  TRY_ASSIGN(Bytes bytes, os::read_file(os::real_files(), path, 64 * 1024));
  std::string text(as_text(bytes));
  secret::wipe(bytes);
  return text;
}

}  // namespace

Result<> card_jpki(const Common& common, const CardOptions& options) {
  TRY_ASSIGN(CardTerminal connection, connect_card(options));
  TRY_ASSIGN(card::JpkiCard jpki, card::JpkiCard::select(*connection.session));
  TRY_ASSIGN(const Byte authentication, jpki.tries_left(card::JpkiKey::kAuthentication));
  TRY_ASSIGN(const Byte signature, jpki.tries_left(card::JpkiKey::kSignature));
  const auto certificate = jpki.certificate(card::JpkiKey::kAuthentication);
  if (!certificate) return std::unexpected(certificate.error());
  if (common.json) {
    print_json({{"at", connection.name},
                {"atr", to_hex(connection.session->atr())},
                {"authentication", facts_of(authentication, certificate)},
                {"signature", facts_of(signature, fail(Code::kRefused, "needs its PIN"))}});
    return {};
  }
  fmt::print("a certificate application (JPKI) at {}\n", connection.name);
  fmt::print("tries left: {} of the 4 digits, {} of the PIN for signatures\n", authentication,
             signature);
  fmt::print("certificate for authentication: SHA-256 {}\n", to_hex(crypto::sha256(*certificate)));
  return {};
}

Result<> card_make_jpki(const MakeJpkiOptions& options) {
  CardOptions authentication, signature;
  authentication.pin_file = options.pin_file;
  signature.pin_file = options.signature_pin_file;
  card::JpkiPins pins;
  TRY_ASSIGN(pins.authentication, read_pin(authentication));
  TRY_ASSIGN(pins.signature, read_pin(signature));
  std::optional<crypto::RsaAuthority> authority;
  if (options.authority.empty() != options.authority_key.empty()) {
    return fail(Code::kInvalidArgument, "give both --authority and --authority-key, or none");
  }
  if (!options.authority.empty()) {
    TRY_ASSIGN(const std::string certificate, read_pem(options.authority));
    TRY_ASSIGN(std::string key, read_pem(options.authority_key));
    auto read = crypto::RsaAuthority::from_pem(certificate, key);
    secret::wipe({reinterpret_cast<Byte*>(key.data()), key.size()});
    if (!read) return fail_in("'" + options.authority + "'", read.error());
    authority = std::move(*read);
  }
  TRY_ASSIGN(const auto card, card::EmulatedJpkiCard::create(os::real_files(), options.file, pins,
                                                             authority ? &*authority : nullptr));
  if (!options.authority_out.empty()) {
    TRY_ASSIGN(const auto session, card::Session::open(*card));
    TRY_ASSIGN(card::JpkiCard jpki, card::JpkiCard::select(*session));
    TRY_ASSIGN(const Bytes der, jpki.authority(card::JpkiKey::kAuthentication));
    TRY(os::replace_file(os::real_files(), options.authority_out, der));
  }
  fmt::print(
      "'{}' is an emulated My Number Card of nobody; lay it on a virtual reader with 'warifu "
      "card emulate'\n",
      options.file);
  return {};
}

}  // namespace warifu::apps
