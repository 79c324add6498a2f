// Names of roles.
#include "operators/roles.h"

namespace warifu::operators {

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kBiobank: return "biobank";
    case Role::kHospital: return "hospital";
    case Role::kKeyOperator: return "key_operator";
    case Role::kAuditor: return "auditor";
    case Role::kOfficer: return "officer";
    case Role::kKiosk: return "kiosk";
  }
  return "?";
}

Result<Role> parse_role(std::string_view text) {
  std::string all;
  for (const Role role : kRoles) {
    if (text == role_name(role)) return role;
    all.append(all.empty() ? "" : ", ").append(role_name(role));
  }
  return fail(Code::kInvalidArgument, "'" + std::string(text) + "' is no role; there are " + all);
}

std::vector<std::string> RoleSet::names() const {
  std::vector<std::string> list;
  for (const Role role : kRoles) {
    if (has(role)) list.emplace_back(role_name(role));
  }
  return list;
}

std::string RoleSet::text() const {
  std::string joined;
  for (const std::string& name : names()) joined.append(joined.empty() ? "" : " or ").append(name);
  return joined;
}

}  // namespace warifu::operators
