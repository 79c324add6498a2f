// What is told when an object begins to be stored (docs/api.md). Pure.
#pragma once

#include "api/json.h"
#include "control/store_desk.h"

namespace warifu::api {

[[nodiscard]] inline json::value lacking_json(const control::LackingReference& lacking) {
  return {{"assembly", lacking.assembly},
          {"file", lacking.file},
          {"sequences", lacking.sequences},
          {"lacking", lacking.lacking},
          {"differing", lacking.differing},
          {"names", json::array(lacking.names.begin(), lacking.names.end())},
          {"trouble", lacking.trouble},
          {"site", lacking.site},
          {"text", lacking.text()}};
}

[[nodiscard]] inline json::value ticket_json(const control::StoreTicket& ticket) {
  json::object shown = {{"object", ticket.object.text()},
                        {"job", ticket.job.text()},
                        {"warnings", json::array(ticket.warnings.begin(), ticket.warnings.end())}};
  if (ticket.lacking) shown["lacking_reference"] = lacking_json(*ticket.lacking);
  return shown;
}

}  // namespace warifu::api
