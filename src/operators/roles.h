// What people who work with a site may do, as roles, and sets of them.
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warifu::operators {

enum class Role : std::uint8_t {
  kBiobank = 0,      // enrols people, stores, repairs, deletes
  kHospital = 1,     // asks for consent and restores
  kKeyOperator = 2,  // links, key, random numbers, applications
  kAuditor = 3,      // reads everything that is no secret, has objects audited
  kOfficer = 4,      // lost cards, copies of the catalog, erasing from the log
  kKiosk = 5,        // a terminal at which persons decide for themselves; no person has it
};
inline constexpr Role kRoles[] = {Role::kBiobank, Role::kHospital, Role::kKeyOperator,
                                  Role::kAuditor, Role::kOfficer,  Role::kKiosk};

// "biobank", "hospital", "key_operator", "auditor", "officer", "kiosk".
[[nodiscard]] std::string_view role_name(Role role);
// Errors: kInvalidArgument naming the text and all roles.
[[nodiscard]] Result<Role> parse_role(std::string_view text);

class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) add(role);
  }
  constexpr void add(Role role) {
    bits_ = static_cast<std::uint8_t>(bits_ | 1U << static_cast<unsigned>(role));
  }
  [[nodiscard]] constexpr bool has(Role role) const {
    return (bits_ >> static_cast<unsigned>(role) & 1U) != 0;
  }
  [[nodiscard]] constexpr bool meets(RoleSet other) const { return (bits_ & other.bits_) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const RoleSet&) const = default;
  // In the order of kRoles.
  [[nodiscard]] std::vector<std::string> names() const;
  // "biobank or officer".
  [[nodiscard]] std::string text() const;

 private:
  std::uint8_t bits_ = 0;
};

}  // namespace warifu::operators
