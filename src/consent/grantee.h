// Who may use what a grant allows, and who asks for it: a person, an organisation, or whoever fills
// a role.
//
//   grantee := kind:u8 name:short identifier:short        short := length:u8 bytes
//
// Both sides name it in full, and a gate lets it pass only when all of it is equal: kind, name and
// identifier. The name is shown to the person; the identifier (an ORCID, a ROR, a licence number)
// tells two of one name apart and may be empty. A site vouches for what it says of the asker; the
// gate logs it. Values only; any thread.
#pragma once

#include <string>

#include "consent/values.h"
#include "wire/wire.h"

namespace warifu::consent {

inline constexpr std::size_t kGranteeNameBytes = 64;
inline constexpr std::size_t kGranteeIdentifierBytes = 64;

enum class GranteeKind : std::uint8_t { kPerson = 1, kOrganisation = 2, kRole = 3 };

struct Grantee {
  GranteeKind kind = GranteeKind::kPerson;
  std::string name;        // 1..64 bytes of visible UTF-8
  std::string identifier;  // 0..64 printable ASCII characters without space
  bool operator==(const Grantee&) const = default;
};

// "person", "organisation", "role".
[[nodiscard]] std::string_view grantee_kind_name(GranteeKind kind);
// "Dr. Sato", "person:Dr. Sato", "organisation:ToMMo", "role:attending physician"; without a kind
// it is a person. Errors: kInvalidArgument.
[[nodiscard]] Result<Grantee> parse_grantee(std::string_view text, std::string_view identifier);
// "organisation ToMMo (ror:01dq60k83)".
[[nodiscard]] std::string grantee_words(const Grantee& grantee, Locale locale);
// Empty, or what is wrong with it.
[[nodiscard]] std::string flaw_of(const Grantee& grantee);

void write_grantee(wire::Writer& writer, const Grantee& grantee);
[[nodiscard]] Grantee read_grantee(wire::Reader& reader);

// A length in one byte, then the text; at most 255 bytes.
void write_short(wire::Writer& writer, std::string_view text);
[[nodiscard]] std::string read_short(wire::Reader& reader, std::size_t most);

}  // namespace warifu::consent
