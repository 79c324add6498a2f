// Orders of share control about a person, and what a person allows a proxy.
//
//   order   := "WPO1" version:u16=1 kind:u8 zero:u8 id:16 person:16 at:i64 kind's body
//   guardians (1) := ward_card:16 of_age:i64 needed:u8 count:u8 card:16{count} authority:32
//   died (2)      := authority:32
//   remove (3)    := card:16
//   lives (4)     := authority:32                        a death that was told in error
//   forbid (5)    := object:16      no emergency access; zeros: to nothing of the person's
//
// `person` is the pseudonym at the site that gets the order, `id` the same at all sites. Orders 1,
// 2 and 4 give power or take all of it: a gate keeps them until an officer of its own site has
// allowed them. 3 and 5 only take away, and take effect at once. Values only; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "consent/values.h"
#include "crypto/crypto.h"
#include "os/system.h"

namespace warifu::consent {

inline constexpr std::size_t kMaxGuardians = 4;
inline constexpr std::size_t kMaxOrderBytes = 512;

using OrderId = Id16<struct PersonOrderTag>;
using JointId = Id16<struct JointTag>;  // of grants that count together

// In which capacity a card's holder consents.
// kEmergency: as officer, without the person (break_glass.h).
enum class Capacity : std::uint8_t { kOwn = 0, kProxy = 1, kGuardian = 2, kEmergency = 3 };
// "own", "proxy", "guardian", "emergency".
[[nodiscard]] std::string_view capacity_name(Capacity capacity);
// Errors: kInvalidArgument.
[[nodiscard]] Result<Capacity> parse_capacity(std::string_view name);

// What a proxy may consent to.
struct Mandate {
  ObjectId object;               // this one alone; zero: all
  std::uint8_t purposes = 7;     // bit n: the purpose with number n + 1
  bool is_testamentary = false;  // holds after the person's death, and not before
  os::UnixMs until;              // exclusive
  crypto::Digest authority{};    // SHA-256 of the document that says so; zeros: none
  [[nodiscard]] bool covers(Purpose purpose, const ObjectId& asked) const {
    const auto bit = static_cast<unsigned>(purpose) - 1;
    return ((purposes >> bit) & 1U) != 0 && (object.is_zero() || object == asked);
  }
  bool operator==(const Mandate&) const = default;
};

enum class PersonOrderKind : std::uint8_t {
  kGuardians = 1,
  kDied = 2,
  kRemoveProxy = 3,
  kLives = 4,
  kForbidEmergency = 5
};
// "guardians", "died", "remove_proxy", "lives", "forbid_emergency".
[[nodiscard]] std::string_view order_name(PersonOrderKind kind);

struct PersonOrder {
  OrderId id;
  PersonOrderKind kind = PersonOrderKind::kDied;
  Pseudonym person;
  os::UnixMs at;  // when it was given
  CardId card;    // guardians: the card that the ward does not have; remove: the proxy's
  os::UnixMs of_age;
  std::uint8_t needed = 0;
  std::vector<CardId> guardians;  // their cards, ascending, distinct
  ObjectId object;                // forbid: this one alone; zero: all
  crypto::Digest authority{};     // SHA-256 of the document behind it; zeros: none
  bool operator==(const PersonOrder&) const = default;
};

// Empty when it makes sense, else what is wrong.
[[nodiscard]] std::string flaw_of(const PersonOrder& order);
[[nodiscard]] Bytes encode_order(const PersonOrder& order);
// Errors: kProtocol.
[[nodiscard]] Result<PersonOrder> parse_order(ByteView bytes);

}  // namespace warifu::consent
