// Bounded little-endian readers and writers for every message and file format of the project.
//
// A Reader never reads past its view: the first short or bad field makes it fail, later reads
// return zeros, and finish() tells what was wrong. So a parser reads all fields in order and checks
// once.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace warifu::wire {

class Writer {
 public:
  void u8(std::uint8_t value) { number(value, 1); }
  void u16(std::uint16_t value) { number(value, 2); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
  // Raw bytes, no length.
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // u32 length, then the bytes.
  void blob(ByteView bytes);
  // u16 length, then the text. Longer texts are cut at 65,535 bytes.
  void text(std::string_view text);
  template <typename Tag>
  void id(const Id16<Tag>& id) {
    raw(id.view());
  }
  void site(const SiteName& site) { raw(site.padded()); }
  // u8 count, then the sites; at most 255.
  void sites(std::span<const SiteName> sites);
  // CRC-32C of all that was written before, as the end of a file or of a record in it.
  void checksum();

  [[nodiscard]] const Bytes& bytes() const { return out_; }
  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  void number(std::uint64_t value, int size);
  Bytes out_;
};

class Reader {
 public:
  // `what` names the message in error texts.
  Reader(ByteView bytes, std::string_view what) : rest_(bytes), what_(what) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  // `size` bytes of the message itself (no copy); empty after a failure.
  ByteView raw(std::size_t size);
  ByteView blob(std::size_t most);
  std::string text(std::size_t most);
  template <typename Id>
  Id id() {
    const ByteView bytes = raw(16);
    return bytes.size() == 16 ? Id::from_view(bytes) : Id{};
  }
  SiteName site();
  // Rejected unless there are `least` to `most`.
  std::vector<SiteName> sites(std::size_t least, std::size_t most);
  // Marks the message as bad with a reason.
  void reject(std::string_view reason);

  [[nodiscard]] bool good() const { return reason_.empty(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  // Errors: kProtocol naming the message and the reason, also when bytes are left over.
  [[nodiscard]] Result<> finish() const;
  // Like finish() but bytes may be left (a body follows).
  [[nodiscard]] Result<> check() const;

 private:
  std::uint64_t number(std::size_t size);
  ByteView rest_;
  std::string what_;
  std::string reason_;
};

// CRC-32C, against accidental damage of headers only; never a defence against people.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes);
// What stands before the checksum() at the end of `bytes`; none when it is wrong or cut short.
[[nodiscard]] std::optional<ByteView> before_checksum(ByteView bytes);

// Standard base64 with padding (RFC 4648), in time that depends only on the length: key bytes pass
// through it on their way from QKD devices.
[[nodiscard]] std::size_t base64_length(std::size_t bytes);
// `text` must have base64_length(bytes.size()) characters.
void base64_encode(ByteView bytes, std::span<char> text);
// Decodes into `out`; returns the number of bytes. Errors: kInvalidArgument on any character or
// padding that RFC 4648 does not allow, or when `out` is too small.
[[nodiscard]] Result<std::size_t> base64_decode(std::string_view text, MutableBytes out);

}  // namespace warifu::wire
