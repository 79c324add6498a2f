// Switches of a site as its API shows and sets them; each is logged before it is set.
#pragma once

#include "api/json.h"
#include "kme/switches.h"

namespace warifu::api {

// Errors: kInvalidArgument (the value), kNotFound (no such link or application), kRefused where
// sources of random numbers are configured; those of the audit log and of the record.
[[nodiscard]] Result<> set_switch(Services services, kme::SwitchKind kind, const std::string& name,
                                  const std::string& value);
// "sharing", "transport", "applications", of a link; "sae"; "random".
[[nodiscard]] std::string_view switch_kind_name(kme::SwitchKind kind);
// What is switched on the link to `peer`: {"transport": {"value", "since"}}.
[[nodiscard]] json::object link_switches_json(Services services, const std::string& peer);

}  // namespace warifu::api
