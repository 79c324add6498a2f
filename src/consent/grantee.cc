// Forms of a grantee: text, words, bytes.
#include "consent/grantee.h"

#include <array>

namespace warifu::consent {
namespace {

struct Kind {
  std::string_view name, english, japanese;
};
constexpr std::array<Kind, 3> kKinds = {{{"person", "person", "個人"},
                                         {"organisation", "organisation", "組織"},
                                         {"role", "anyone in the role", "次の職務にある者"}}};

const Kind& kind_of(GranteeKind kind) {
  return kKinds.at(static_cast<std::size_t>(kind) - 1);
}

}  // namespace

std::string_view grantee_kind_name(GranteeKind kind) {
  return kind_of(kind).name;
}

Result<Grantee> parse_grantee(std::string_view text, std::string_view identifier) {
  Grantee grantee;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    const std::string_view name = kKinds[i].name;
    if (!text.starts_with(name) || text.substr(name.size(), 1) != ":") continue;
    grantee.kind = static_cast<GranteeKind>(i + 1);
    text.remove_prefix(name.size() + 1);
    break;
  }
  grantee.name = text;
  grantee.identifier = identifier;
  if (const std::string flaw = flaw_of(grantee); !flaw.empty()) {
    return fail(Code::kInvalidArgument, flaw);
  }
  return grantee;
}

std::string grantee_words(const Grantee& grantee, Locale locale) {
  const Kind& kind = kind_of(grantee.kind);
  const bool english = locale == Locale::kEnglish;
  std::string text = grantee.name + " (" + std::string(english ? kind.english : kind.japanese);
  if (!grantee.identifier.empty()) text += (english ? ", " : "、") + grantee.identifier;
  return text + ")";
}

std::string flaw_of(const Grantee& grantee) {
  const auto kind = static_cast<std::size_t>(grantee.kind);
  if (kind < 1 || kind > kKinds.size()) return "the grantee's kind is unknown";
  if (!is_showable(grantee.name, kGranteeNameBytes)) {
    return "the grantee must be 1 to 64 bytes of visible text";
  }
  if (!grantee.identifier.empty() && !is_plain(grantee.identifier, kGranteeIdentifierBytes)) {
    return "the grantee's identifier must be up to 64 printable characters";
  }
  return {};
}

void write_short(wire::Writer& writer, std::string_view text) {
  WARIFU_CHECK(text.size() <= 255);
  writer.u8(static_cast<std::uint8_t>(text.size()));
  writer.raw(as_bytes(text));
}

std::string read_short(wire::Reader& reader, std::size_t most) {
  const std::size_t size = reader.u8();
  if (size > most) reader.reject("a text is too long");
  return std::string(as_text(reader.raw(reader.good() ? size : 0)));
}

void write_grantee(wire::Writer& writer, const Grantee& grantee) {
  writer.u8(static_cast<std::uint8_t>(grantee.kind));
  write_short(writer, grantee.name);
  write_short(writer, grantee.identifier);
}

Grantee read_grantee(wire::Reader& reader) {
  Grantee grantee;
  grantee.kind = static_cast<GranteeKind>(reader.u8());
  grantee.name = read_short(reader, kGranteeNameBytes);
  grantee.identifier = read_short(reader, kGranteeIdentifierBytes);
  if (!reader.good()) return {};
  if (const std::string flaw = flaw_of(grantee); !flaw.empty()) reader.reject(flaw);
  return grantee;
}

}  // namespace warifu::consent
