// Readers and writers, CRC-32C.
#include "wire/wire.h"

#include <algorithm>

#include <boost/crc.hpp>

namespace warifu::wire {

void Writer::number(std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) out_.push_back(static_cast<Byte>(value >> (8 * i)));
}

void Writer::blob(ByteView bytes) {
  WARIFU_CHECK(bytes.size() <= UINT32_MAX);
  u32(static_cast<std::uint32_t>(bytes.size()));
  raw(bytes);
}

void Writer::text(std::string_view text) {
  const std::string_view kept = text.substr(0, UINT16_MAX);
  u16(static_cast<std::uint16_t>(kept.size()));
  raw(as_bytes(kept));
}

void Writer::sites(std::span<const SiteName> sites) {
  WARIFU_CHECK(sites.size() <= UINT8_MAX);
  u8(static_cast<std::uint8_t>(sites.size()));
  for (const SiteName& one : sites) site(one);
}

void Writer::checksum() {
  u32(crc32c(out_));
}

std::uint64_t Reader::number(std::size_t size) {
  const ByteView bytes = raw(size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return value;
}

ByteView Reader::raw(std::size_t size) {
  if (!good()) return {};
  if (size > rest_.size()) {
    reject("it is cut short");
    return {};
  }
  const ByteView bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return bytes;
}

ByteView Reader::blob(std::size_t most) {
  const std::uint32_t size = u32();
  if (size > most) {
    reject("a field of " + std::to_string(size) + " bytes is too long");
    return {};
  }
  return raw(size);
}

std::string Reader::text(std::size_t most) {
  const std::uint16_t size = u16();
  if (size > most) {
    reject("a text of " + std::to_string(size) + " bytes is too long");
    return {};
  }
  return std::string(as_text(raw(size)));
}

SiteName Reader::site() {
  const ByteView padded = raw(16);
  if (padded.size() != 16) return {};
  auto name = SiteName::from_padded(padded);
  if (!name) {
    reject(name.error().message);
    return {};
  }
  return *name;
}

std::vector<SiteName> Reader::sites(std::size_t least, std::size_t most) {
  std::vector<SiteName> sites;
  const std::uint8_t count = u8();
  if (count < least || count > most) {
    reject("a list of " + std::to_string(count) + " sites is too short or too long");
  }
  for (std::uint8_t i = 0; i < count && good(); ++i) sites.push_back(site());
  return sites;
}

void Reader::reject(std::string_view reason) {
  if (reason_.empty()) reason_ = reason;
}

Result<> Reader::check() const {
  if (!reason_.empty()) return fail(Code::kProtocol, what_ + " is malformed: " + reason_);
  return {};
}

Result<> Reader::finish() const {
  TRY(check());
  if (!rest_.empty()) {
    return fail(Code::kProtocol,
                what_ + " is malformed: " + std::to_string(rest_.size()) + " bytes too many");
  }
  return {};
}

std::uint32_t crc32c(ByteView bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

std::optional<ByteView> before_checksum(ByteView bytes) {
  constexpr std::size_t kSize = 4;
  if (bytes.size() < kSize) return std::nullopt;
  const ByteView body = bytes.first(bytes.size() - kSize);
  if (Reader(bytes.last(kSize), "checksum").u32() != crc32c(body)) return std::nullopt;
  return body;
}

}  // namespace warifu::wire
