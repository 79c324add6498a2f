// Reading and writing of the emulated card's file. The bytes stay in locked memory on their way.
#include "card/card_state.h"

#include "wire/wire.h"

namespace warifu::card {
namespace {

constexpr std::string_view kMagic = "WCS1";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 4 + 2 + 1 + 1 + 16 + (1 + kMaxPinBytes) + 4 + 4 + 1 + 1 + 2;
constexpr std::size_t kMaxFileBytes = kHeaderBytes +
                                      kMaxSites * (16 + kMaxKeysPerSite * kOneTimeKeyBytes) +
                                      kMaxObjects * ObjectRecord::kBytes + 4;

std::uint32_t read_u32(ByteView four) {
  wire::Reader reader(four, "number");
  return reader.u32();
}

Result<CardState> parse_body(ByteView body) {
  wire::Reader reader(body, "content");
  CardState state;
  if (as_text(reader.raw(4)) != kMagic) reader.reject("it is not a card");
  if (reader.u16() != kVersion) reader.reject("its version is unknown");
  const std::uint8_t active = reader.u8();
  state.is_active = active == 1;
  state.tries = reader.u8();
  state.card = reader.id<CardId>();
  const ByteView pin = reader.raw(state.pin.size());
  state.keys.first.value = reader.u32();
  state.keys.count = reader.u32();
  const std::uint8_t sites = reader.u8();
  const std::uint8_t zero = reader.u8();
  const std::uint16_t objects = reader.u16();
  TRY(reader.check());
  copy_bytes(state.pin.bytes(), pin);
  if (active > 1 || zero != 0 || state.tries > kPinTries || sites > kMaxSites ||
      objects > kMaxObjects || state.keys.count > kMaxKeysPerSite || pin[0] > kMaxPinBytes) {
    reader.reject("a number is out of range");
  }
  for (std::size_t i = 0; i < sites && reader.good(); ++i) {
    SiteKeys site;
    site.site = reader.site();
    site.keys = secret::Buffer::copy_of(reader.raw(state.keys.count * kOneTimeKeyBytes));
    state.sites.push_back(std::move(site));
  }
  state.objects = secret::Buffer::copy_of(reader.raw(objects * ObjectRecord::kBytes));
  TRY(reader.finish());
  return state;
}

}  // namespace

CardState CardState::clone() const {
  CardState copy;
  copy.is_active = is_active;
  copy.tries = tries;
  copy.card = card;
  copy.pin = secret::Buffer::copy_of(pin.bytes());
  copy.keys = keys;
  for (const SiteKeys& site : sites) {
    copy.sites.push_back({site.site, secret::Buffer::copy_of(site.keys.bytes())});
  }
  copy.objects = secret::Buffer::copy_of(objects.bytes());
  return copy;
}

ByteView CardState::find_object(ByteView id16) const {
  for (std::size_t at = 0; at < objects.size(); at += ObjectRecord::kBytes) {
    const ByteView record = objects.bytes().subspan(at, ObjectRecord::kBytes);
    if (std::memcmp(record.data(), id16.data(), 16) == 0) return record;
  }
  return {};
}

Result<CardState> read_card_state(os::FileSystem& files, const std::string& path) {
  const auto damaged = [&](const std::string& why) {
    return fail(Code::kCorrupt, "card file '" + path + "' is damaged: " + why);
  };
  TRY_ASSIGN(const auto file, files.open(path, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size < kHeaderBytes + 4 || size > kMaxFileBytes) {
    return damaged("its length of " + std::to_string(size) + " bytes is impossible");
  }
  secret::Buffer bytes(size);
  TRY(file->read_exact_at(0, bytes.bytes()));
  const ByteView body = ByteView(bytes.bytes()).first(size - 4);
  if (wire::crc32c(body) != read_u32(ByteView(bytes.bytes()).last(4))) {
    return damaged("its checksum does not match");
  }
  auto state = parse_body(body);
  if (!state) return damaged(state.error().message);
  return state;
}

Result<> write_card_state(os::FileSystem& files, const std::string& path, const CardState& state) {
  std::size_t size = kHeaderBytes + state.objects.size() + 4;
  for (const SiteKeys& site : state.sites) size += 16 + site.keys.size();
  secret::Buffer bytes(size);
  std::size_t at = 0;
  const auto put = [&](ByteView part) {
    copy_bytes(bytes.bytes().subspan(at), part);
    at += part.size();
  };
  wire::Writer head;
  head.raw(as_bytes(kMagic));
  head.u16(kVersion);
  head.u8(state.is_active ? 1 : 0);
  head.u8(state.tries);
  head.id(state.card);
  put(head.bytes());
  put(state.pin.bytes());
  wire::Writer counts;
  counts.u32(state.keys.first.value);
  counts.u32(state.keys.count);
  counts.u8(static_cast<std::uint8_t>(state.sites.size()));
  counts.u8(0);
  counts.u16(static_cast<std::uint16_t>(state.object_count()));
  put(counts.bytes());
  for (const SiteKeys& site : state.sites) {
    WARIFU_CHECK(site.count() == state.keys.count);
    put(site.site.padded());
    put(site.keys.bytes());
  }
  put(state.objects.bytes());
  wire::Writer crc;
  crc.u32(wire::crc32c(ByteView(bytes.bytes()).first(at)));
  put(crc.bytes());
  WARIFU_CHECK(at == size);
  return os::replace_file(files, path, bytes.bytes());
}

}  // namespace warifu::card
