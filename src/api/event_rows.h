// What clients that follow a site see of it, as tables of rows (docs/api.md, GET /v1/events).
//
// Pure functions over the services and the last look at the network; thread-safe as those are.
#pragma once

#include "api/event_table.h"
#include "api/routes.h"
#include "control/network_view.h"

namespace warifu::api {

// The last look at all sites, at the control site; empty elsewhere and before the first one.
struct NetworkLook {
  std::optional<control::NetworkView> view;
  os::UnixMs taken;
};

// What a site keeps. Counting it reads the beginning of every share: not for every moment.
struct Holdings {
  std::uint64_t shares = 0, bytes = 0, free_bytes = 0;
  std::map<std::string, Error> damage = {};  // by share: what is wrong with it
};
[[nodiscard]] Holdings count_holdings(Services services);

// One row, "site": who it is, its mode, what it holds.
[[nodiscard]] EventTable::Rows site_rows(Services services, const Holdings& holdings);
// By peer: this site's links, both directions.
[[nodiscard]] EventTable::Rows link_rows(Services services);
// By name: every site of the configuration, and what the last look says of it.
[[nodiscard]] EventTable::Rows network_site_rows(Services services, const NetworkLook& look);
// By "a|b": every link of the configuration, and what the last look says of it.
[[nodiscard]] EventTable::Rows network_link_rows(Services services, const NetworkLook& look);
// By id: the newest jobs; none at a site without share control.
[[nodiscard]] EventTable::Rows job_rows(Services services);
// What somebody should look at, by kind and subject.
[[nodiscard]] EventTable::Rows alert_rows(Services services, const NetworkLook& look,
                                          const Holdings& holdings);

}  // namespace warifu::api
