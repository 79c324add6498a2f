// Seeds in a row, and the bugs: at the seams to files, line and device, so that production code
// stays untouched. Marks that are not durable let a receiving end grant twice and a sending end
// accept twice; a restored end lives by the far end's mark and by the proof in a greeting.
#include "testing/site_runs.h"

namespace warifu::sim {
namespace {

constexpr std::uint64_t kFewRuns = 20;
constexpr std::size_t kMostBadSeeds = 10;

const SiteBug kBugs[] = {
    {"a mark that is not durable before the grant", {.bends = {.never_synced = true}}},
    {"a mark one write behind", {.bends = {.one_behind = true}}},
    {"recovery reads one slot of the mark",
     {.bends = {.reads_one_slot = true}},
     &SiteViolations::mark_back},
    {"sync does nothing", {.lies = {.sync_does_nothing = true}}, &SiteViolations::refused},
    {"the far end's mark is not believed after a restore",
     {.rollback = Rollback::kOne, .marks_not_believed = true}},
    {"an old welcome accepted", {.rollback = Rollback::kOne, .proofs_not_checked = true}},
    {"key taken in without comparing it", {.key_not_compared = true}, &SiteViolations::wrong},
    {"both ends restored", {.rollback = Rollback::kBoth}},
};

}  // namespace

std::span<const SiteBug> site_bugs() {
  return kBugs;
}

SiteTally& SiteTally::operator+=(const SiteTally& other) {
  for (const std::string& seed : other.bad_seeds) {
    if (bad_seeds.size() < kMostBadSeeds) bad_seeds.push_back(seed);
  }
  if (first_bad_error.empty()) first_bad_error = other.first_bad_error;
  found += other.found;
  runs += other.runs;
  conversations += other.conversations;
  opened += other.opened;
  crashes += other.crashes;
  uses += other.uses;
  prepared_again += other.prepared_again;
  return *this;
}

std::ostream& operator<<(std::ostream& out, const SiteTally& tally) {
  return out << tally.found.total() << " violations (" << tally_text(tally.found) << ") in "
             << tally.runs << " runs, " << tally.conversations << " conversations, " << tally.opened
             << " ends open, " << tally.crashes << " crashes, " << tally.uses << " uses, "
             << tally.prepared_again << " prepared again" << bad_seeds_text(tally)
             << (tally.first_bad_error.empty() ? "" : ", last error: ") << tally.first_bad_error;
}

std::string bad_seeds_text(const SiteTally& tally) {
  std::string text;
  for (const std::string& seed : tally.bad_seeds) text += (text.empty() ? "" : "; ") + seed;
  return text.empty() ? text : ", bad seeds " + text;
}

SiteTally explore_sites(SiteRules rules, std::uint64_t runs) {
  SiteTally tally;
  for (std::uint64_t i = 0; i < runs; ++i, ++rules.seed) {
    TwoSites sites(rules);
    sites.live();
    const bool bad = sites.violations().total() > 0;
    if (bad && tally.found.total() == 0) tally.first_bad_error = sites.last_error().message;
    SiteTally one{.found = sites.violations(),
                  .runs = 1,
                  .conversations = sites.conversations(),
                  .opened = sites.opened(),
                  .crashes = sites.crashes(),
                  .uses = sites.uses(),
                  .prepared_again = sites.prepared_again(),
                  .bad_seeds = {}};
    if (bad) one.bad_seeds.push_back(std::to_string(rules.seed) + ": " + tally_text(one.found));
    tally += one;
  }
  return tally;
}

bool is_caught(const SiteBug& bug, std::uint64_t runs) {
  SiteRules rules = bug.rules;
  for (std::uint64_t done = 0; done < runs; done += kFewRuns, rules.seed += kFewRuns) {
    if (explore_sites(rules, kFewRuns).found.*bug.due > 0) return true;
  }
  return false;
}

}  // namespace warifu::sim
