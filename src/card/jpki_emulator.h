// The certificate application of a My Number Card in software, with its memory in one file: a
// stand-in for a card of the state, and labelled so. Its certificates name nobody: subject
// "EMULATED CARD, NOBODY", issuer "EMULATED AUTHORITY, TEST ONLY". It answers what OpenSC's driver
// for the card asks.
//
//   file := body crc32c(body):u32                                           little-endian
//   body := "WJP1" version:u16=1 {tries:u8 pin key certificate authority}{2}
//           pin, key (PKCS #8), certificate, authority (DER) := length:u32 bytes
//   first authentication (PIN of 4 digits, 3 tries), then signature (6 to 16 letters and digits, 5)
//
// A PIN's counter goes down durably before the PIN is compared. Selecting the application, and
// reset(), forget that a PIN was verified. No secure messaging, like the card. Whoever reads the
// file can do what the card can do. `files` must outlive the card; one thread at a time; one
// process and one object hold a card file (PATH.lock/).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "card/transport.h"
#include "crypto/rsa.h"
#include "os/files.h"

namespace warifu::card {

struct JpkiPins {
  secret::Buffer authentication;  // 4 digits
  secret::Buffer signature;       // 6 to 16 upper-case letters and digits
};

class EmulatedJpkiCard final : public CardTransport {
 public:
  // A new card with keys of its own, and certificates by `authority`, whose name must begin with
  // EMULATED; without one by an authority that is forgotten. Errors: kAlreadyExists;
  // kInvalidArgument (a PIN, the authority); kBusy; kIo.
  [[nodiscard]] static Result<std::unique_ptr<EmulatedJpkiCard>> create(
      os::FileSystem& files, const std::string& path, const JpkiPins& pins,
      const crypto::RsaAuthority* authority = nullptr);
  // Errors: kNotFound, kBusy, kCorrupt naming the file, kIo.
  [[nodiscard]] static Result<std::unique_ptr<EmulatedJpkiCard>> open(os::FileSystem& files,
                                                                      const std::string& path);
  // The one that OpenSC knows the card by.
  [[nodiscard]] Bytes atr() override;
  [[nodiscard]] Result<secret::Buffer> transmit(ByteView apdu) override;
  void reset() override;

 private:
  struct Pair {
    Byte tries = 0;
    secret::Buffer pin;
    secret::Buffer key;  // PKCS #8
    Bytes certificate, authority;
    bool verified = false;  // volatile
  };
  EmulatedJpkiCard(os::FileSystem& files, std::string path, std::unique_ptr<os::DirectoryLock> lock)
      : files_(files), path_(std::move(path)), lock_(std::move(lock)) {}
  [[nodiscard]] Result<> store() const;
  [[nodiscard]] Result<> load();
  ResponseApdu run(const CommandApdu& command);
  ResponseApdu select_file(const CommandApdu& command);
  ResponseApdu read_binary(const CommandApdu& command);
  ResponseApdu verify(const CommandApdu& command);
  ResponseApdu sign(const CommandApdu& command);
  // What the selected file holds; none when it cannot be read.
  [[nodiscard]] std::optional<ByteView> content() const;

  os::FileSystem& files_;
  std::string path_;
  std::unique_ptr<os::DirectoryLock> lock_;
  Pair authentication_, signature_;
  bool selected_ = false;   // the application
  std::uint16_t file_ = 0;  // in it; 0: none
};

}  // namespace warifu::card
