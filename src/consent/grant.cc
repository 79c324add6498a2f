// The canonical codec of grants. One function says what is canonical, for both directions.
#include "consent/grant.h"

#include <algorithm>
#include <array>

#include "wire/wire.h"

namespace warifu::consent {
namespace {

namespace layout = card::grant_layout;

constexpr std::uint8_t kScopeWhole = 0;
constexpr std::array<std::string_view, 2> kLocales = {"en", "ja"};
constexpr std::array<std::string_view, 3> kPurposes = {"health_management", "research", "medicine"};
static_assert(layout::kSitesAt % mac::kBlockBytes == 0);

// Length of the UTF-8 sequence at the start of `text` and its code point; 0 when malformed.
std::pair<std::size_t, std::uint32_t> decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return {0, 0};
  std::uint32_t point = first & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    point = point << 6 | (byte(i) & 0x3Fu);
  }
  const std::uint32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (point < least || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return {0, 0};
  return {size, point};
}

// Texts that look like what they are: no controls, nothing invisible, nothing that turns the
// direction of writing, because the person decides by what the screen shows.
bool is_showable(std::string_view text) {
  while (!text.empty()) {
    const auto [size, point] = decode_utf8(text);
    const bool hidden = (point >= 0x200B && point <= 0x200F) ||
                        (point >= 0x2028 && point <= 0x202E) ||
                        (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF || point == 0xAD ||
                        point == 0x061C || point == 0x180E || point == 0x3164;
    if (size == 0 || point < 0x20 || (point >= 0x7F && point < 0xA0) || hidden) return false;
    text.remove_prefix(size);
  }
  return true;
}

// Empty when the grant has a canonical encoding, else what is wrong with it.
std::string flaw_of(const Grant& grant) {
  if (grant.card.is_zero() || grant.object.is_zero()) return "card and object must be named";
  const auto purpose = static_cast<std::size_t>(grant.purpose);
  if (purpose < 1 || purpose > kPurposes.size()) return "the purpose is unknown";
  if (grant.uses < 1 || grant.uses > kMaxUses) return "uses must be 1 to 1000";
  if (grant.grantee.empty() || grant.grantee.size() > kGranteeBytes ||
      !is_showable(grant.grantee) || grant.grantee.front() == ' ' || grant.grantee.back() == ' ') {
    return "the grantee must be 1 to 24 bytes of visible text";
  }
  if (grant.destination.empty()) return "the destination must be named";
  if (grant.not_before.value < 0 || grant.expiry <= grant.not_before) {
    return "the expiry must be after the beginning";
  }
  if (grant.index.value == 0) return "the index must be at least 1";
  if (static_cast<std::size_t>(grant.locale) >= kLocales.size()) return "the locale is unknown";
  const bool plain = std::ranges::all_of(grant.terminal, [](char c) { return c > ' ' && c < 127; });
  if (grant.terminal.empty() || grant.terminal.size() > kTerminalBytes || !plain) {
    return "the terminal must be 1 to 16 printable characters";
  }
  if (grant.sites.empty() || grant.sites.size() > card::kMaxSites) return "sites must be 1 to 7";
  for (std::size_t i = 0; i < grant.sites.size(); ++i) {
    if (grant.sites[i].site.empty() ||
        (i > 0 && !(grant.sites[i - 1].site < grant.sites[i].site))) {
      return "sites must be sorted by name and distinct";
    }
  }
  return {};
}

void write_padded(wire::Writer& writer, std::string_view text, std::size_t size) {
  writer.raw(as_bytes(text));
  writer.raw(Bytes(size - text.size()));
}

// Text up to the first zero; every byte after it must be zero.
std::string read_padded(wire::Reader& reader, std::size_t size) {
  const std::string_view field = as_text(reader.raw(size));
  const std::size_t length = std::min(field.find('\0'), field.size());
  if (field.find_first_not_of('\0', length) != std::string_view::npos) {
    reader.reject("a text has bytes after its end");
  }
  return std::string(field.substr(0, length));
}

void read_sites(wire::Reader& reader, Grant& grant) {
  const std::uint8_t count = reader.u8();
  const ByteView zero = reader.raw(3);
  if (std::ranges::any_of(zero, [](Byte b) { return b != 0; })) {
    reader.reject("reserved bytes are not zero");
  }
  if (count > card::kMaxSites) reader.reject("too many sites");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    GrantSite site;
    site.site = reader.site();
    site.nonce = reader.id<Nonce>();
    grant.sites.push_back(std::move(site));
  }
}

}  // namespace

std::string_view purpose_name(Purpose purpose) {
  return kPurposes.at(static_cast<std::size_t>(purpose) - 1);
}

Result<Purpose> parse_purpose(std::string_view name) {
  for (std::size_t i = 0; i < kPurposes.size(); ++i) {
    if (kPurposes[i] == name) return static_cast<Purpose>(i + 1);
  }
  return fail(Code::kInvalidArgument, "purpose '" + std::string(name.substr(0, 40)) +
                                          "' must be health_management, research or medicine");
}

Result<Bytes> encode_grant(const Grant& grant) {
  if (const std::string flaw = flaw_of(grant); !flaw.empty()) {
    return fail(Code::kInvalidArgument, "grant: " + flaw);
  }
  const std::size_t size = layout::kSitesAt + grant.sites.size() * layout::kSiteBytes;
  wire::Writer writer;
  writer.raw(as_bytes(layout::kMagic));
  writer.u16(layout::kVersion);
  writer.u16(static_cast<std::uint16_t>(size));
  WARIFU_CHECK(writer.bytes().size() == layout::kCardAt);
  writer.id(grant.card);
  writer.id(grant.object);
  writer.u8(kScopeWhole);
  writer.u8(static_cast<std::uint8_t>(grant.purpose));
  writer.u16(grant.uses);
  write_padded(writer, grant.grantee, kGranteeBytes);
  writer.site(grant.destination);
  writer.i64(grant.not_before.value);
  writer.i64(grant.expiry.value);
  WARIFU_CHECK(writer.bytes().size() == layout::kIndexAt);
  writer.u32(grant.index.value);
  write_padded(writer, kLocales.at(static_cast<std::size_t>(grant.locale)), 4);
  write_padded(writer, grant.terminal, kTerminalBytes);
  writer.raw(grant.text_digest);
  WARIFU_CHECK(writer.bytes().size() == layout::kSiteCountAt);
  writer.u8(static_cast<std::uint8_t>(grant.sites.size()));
  writer.raw(Bytes(3));
  for (const GrantSite& site : grant.sites) {
    writer.site(site.site);
    writer.id(site.nonce);
  }
  WARIFU_CHECK(writer.bytes().size() == size);
  return writer.take();
}

Result<Grant> parse_grant(ByteView bytes) {
  wire::Reader reader(bytes, "grant");
  Grant grant;
  if (as_text(reader.raw(4)) != layout::kMagic) reader.reject("it does not begin with WGR1");
  if (reader.u16() != layout::kVersion) reader.reject("its version is unknown");
  if (reader.u16() != bytes.size()) reader.reject("its length is not what it says");
  grant.card = reader.id<CardId>();
  grant.object = reader.id<ObjectId>();
  if (reader.u8() != kScopeWhole) reader.reject("its scope is unknown");
  grant.purpose = static_cast<Purpose>(reader.u8());
  grant.uses = reader.u16();
  grant.grantee = read_padded(reader, kGranteeBytes);
  grant.destination = reader.site();
  grant.not_before.value = reader.i64();
  grant.expiry.value = reader.i64();
  grant.index.value = reader.u32();
  const std::string locale = read_padded(reader, 4);
  const auto known = std::ranges::find(kLocales, locale);
  if (known == kLocales.end()) reader.reject("its locale is unknown");
  grant.locale = static_cast<Locale>(known - kLocales.begin());
  grant.terminal = read_padded(reader, kTerminalBytes);
  const ByteView digest = reader.raw(grant.text_digest.size());
  read_sites(reader, grant);
  TRY(reader.finish());
  copy_bytes(grant.text_digest, digest);
  if (const std::string flaw = flaw_of(grant); !flaw.empty()) {
    return fail(Code::kProtocol, "grant is malformed: " + flaw);
  }
  return grant;
}

GrantId grant_id(ByteView grant) {
  return GrantId::from_view(ByteView(crypto::sha256(grant)).first(16));
}

}  // namespace warifu::consent
