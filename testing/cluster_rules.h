// What a run of the simulated cluster is told, and what it counts.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "testing/cluster_files.h"
#include "testing/cluster_site.h"

namespace warifu::sim {

struct ClusterBugs {
  FileBends files;            // of every site
  SiteBends parts;            // of every site
  bool reads_blind = false;   // who restores gets bytes that somebody changed behind the checks
  bool leaves_whole = false;  // share control does not see to shares that are to be cut again
  std::string catalog_sql;    // runs on every connection to a database
};

struct ClusterRules {
  std::uint64_t seed = 1;
  ClusterBugs bugs;
  bool burn_control = false;      // the control site burns down in any case
  std::string shape = {};         // of that name in any case; empty: as the seed says
  std::ostream* trace = nullptr;  // gets the run in words; must outlive it
};

// One thing that is counted: of what must never be, or of what must have been.
struct ClusterCounts {
  // --- must never be ---
  std::uint64_t lost = 0;       // acknowledged objects that cannot be restored
  std::uint64_t wrong = 0;      // bytes that a reader got, or that two shares join to, are others
  std::uint64_t exposed = 0;    // a site came to more of an object than the rule allows
  std::uint64_t reused = 0;     // pad bytes that left an end of a pool twice
  std::uint64_t missing = 0;    // shares that the catalog places at a site that has not got them
  std::uint64_t orphans = 0;    // shares that a site keeps and the catalog does not know
  std::uint64_t forgotten = 0;  // jobs and objects that were confirmed and that nobody knows
  std::uint64_t unhealed = 0;   // jobs or damage that do not come to an end on a good network
  std::uint64_t refused = 0;    // sites that do not start from what a crash left
  std::uint64_t blamed = 0;     // audits that find fault with shares that nobody harmed
  // --- faults that were met ---
  std::uint64_t crashes = 0;  // power lost, in the middle of a change to the disk
  std::uint64_t kills = 0;    // the process alone died
  std::uint64_t boot_crashes = 0;
  std::uint64_t splits = 0;         // both ways between two sites closed
  std::uint64_t one_way = 0;        // one way closed
  std::uint64_t cuts = 0;           // connections cut
  std::uint64_t attacks = 0;        // frames lost, repeated, held back, changed, played again
  std::uint64_t slow = 0;           // sites that were slow for a while
  std::uint64_t rotten = 0;         // bytes of shares that rotted
  std::uint64_t astray = 0;         // writes that went to another place
  std::uint64_t full = 0;           // changes refused by a full disk
  std::uint64_t burnt = 0;          // vaults that lost their disk
  std::uint64_t control_burnt = 0;  // the control site lost its disk, and the catalog
  // --- work that was done ---
  std::uint64_t stored = 0, not_stored = 0;
  std::uint64_t restored = 0, not_restored = 0;
  std::uint64_t repaired = 0, moved = 0, refreshed = 0, deleted = 0, audited = 0;
  std::uint64_t from_copy = 0, from_shares = 0;  // catalogs that were rebuilt
  std::uint64_t recut = 0;     // jobs that cut again what a lost catalog had left whole
  std::uint64_t couriers = 0;  // new key for every link, for a job that had waited for it
  std::uint64_t spare = 0;     // shares that nobody needs after the catalog was lost, and that stay
  std::uint64_t checked = 0;   // restores at the end, each with a site taken away
  std::uint64_t shares_seen = 0;  // shares that the watcher saw on wires
  std::uint64_t frames = 0, turns = 0;

  [[nodiscard]] std::uint64_t violations() const;
  ClusterCounts& operator+=(const ClusterCounts& other);
};

struct CountKind {
  std::string_view name;
  std::uint64_t ClusterCounts::* count;
  bool rare = false;  // not to be expected of any few thousand runs: it has a test of its own
};
[[nodiscard]] std::span<const CountKind> cluster_violations();
[[nodiscard]] std::span<const CountKind> cluster_faults();  // each must occur in enough seeds
[[nodiscard]] std::span<const CountKind> cluster_work();    // the same
// "2 lost, 1 exposed", or "none".
[[nodiscard]] std::string counts_text(const ClusterCounts& counts,
                                      std::span<const CountKind> kinds);

struct ClusterOutcome {
  ClusterCounts counts;
  std::uint64_t trace = 0;            // the same for the same seed
  std::vector<std::string> findings;  // each violation in words
};

}  // namespace warifu::sim
