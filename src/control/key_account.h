// What a share's way has cost in key, and what protected it: for `explain` and the ledger.
#pragma once

#include "catalog/catalog.h"
#include "keypool/entropy.h"
#include "planner/placement.h"
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
[[nodiscard]] Result<planner::Route> parse_route(const std::string& text);

// What protected a share on its way, and how its cut came by random numbers.
struct Protections {
  struct Hop {
    std::string from, to, link_class;
    std::vector<std::string> origins;  // of the link's key
    // Of a relayed link: paths of each key, and the relays that ever handled some.
    unsigned relay_paths = 0;
    std::vector<std::string> relays = {};
  };
  bool drawn = false;        // it is key of the one link on its way; nothing was sent
  keypool::Entropy entropy;  // of the whole cut
  std::vector<Hop> hops;
};

[[nodiscard]] std::vector<Protections::Hop> hops_of(const planner::Route& route,
                                                    const planner::Snapshot& snapshot);
// The same from what a job has booked, one hop for each link and direction, origins as they were
// then.
[[nodiscard]] std::vector<Protections::Hop> hops_of(const std::vector<catalog::LinkUse>& uses);
// {"drawn","random","hops":[{"from","to","class","origins","paths","relays"}]}, as the catalog
// keeps it; the last two of relayed links only.
[[nodiscard]] std::string protections_json(const Protections& protections);
// Reads it back; an empty text is nothing known. Errors: kCorrupt.
[[nodiscard]] Result<Protections> parse_protections(const std::string& text);

// Adds the use to the job's ledger for every hop.
[[nodiscard]] Result<> record_route_use(catalog::Catalog& catalog, const JobId& job,
                                        const planner::Route& route,
                                        const planner::Snapshot& snapshot, const BulkUse& use);

}  // namespace warifu::control
