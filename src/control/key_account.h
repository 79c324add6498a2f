// What a share's way has cost in key, and what protected it: for `explain` and the ledger.
#pragma once

#include "catalog/catalog.h"
#include "control/placement.h"
#include "sharing/chunk.h"

namespace warifu::control {

// Key that moving chunks over one link costs: data, and tags with the hash key of each window.
struct BulkUse {
  std::uint64_t payload_bytes = 0;
  std::uint64_t tag_bytes = 0;
};
[[nodiscard]] BulkUse bulk_use(const sharing::RecordLayout& records, std::uint64_t first,
                               std::uint64_t count);

// Reads route_text() back. Errors: kCorrupt.
[[nodiscard]] Result<Route> parse_route(const std::string& text);

// [{"from","to","class","origins"}] for every hop.
[[nodiscard]] std::string protections_json(const Route& route, const Snapshot& snapshot);

// Adds the use to the job's ledger for every hop.
[[nodiscard]] Result<> record_route_use(catalog::Catalog& catalog, const JobId& job,
                                        const Route& route, const Snapshot& snapshot,
                                        const BulkUse& use);

}  // namespace warifu::control
