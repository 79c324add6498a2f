// Which shares to restore from, and over which sites: the cheapest legal set by key price.
//
// Nobody but the destination may come to see, over all that the exposure ledger remembers and this
// restore together, more than the rule of exposure.h allows: each way takes the cheapest route over
// sites that may see what travels on it.
//
// Threshold-many top shares are needed. A share that was cut again is gathered: threshold-many of
// its parts, each whole or gathered itself, meet at a holder of one of them, or of a part of one,
// who joins them and learns no more than that share. Prices add up, so the cheapest set is the
// cheapest way to each top share, then the cheapest tops; nothing is enumerated but, for a
// gathering whose cheapest parts have failed before, at most kMaxGatherings sets of parts for each
// gathering point. Pure functions over a snapshot.
#pragma once

#include <set>

#include "planner/exposure.h"

namespace warifu::planner {

inline constexpr std::size_t kMaxGatherings = 64;

// A durable share and its holder.
struct ShareLocation {
  sharing::SharePath path;
  ShareId share;
  SiteName site;

  [[nodiscard]] std::string letter() const { return path.text(); }
};

// One way to get the records of a share.
struct RestoreSource {
  sharing::SharePath path;  // of the share that is given
  ShareLocation at;         // held here; what is given is it, or is gathered here
  // For each cut from the one that made `at` up to that of `path`: what comes here to be joined.
  std::vector<std::vector<RestoreSource>> joined;
  Route route;                      // from `at` to who takes it
  std::set<SiteName> knowing = {};  // sites beside the route that may know key of its links
  double price = 0;                 // of everything

  [[nodiscard]] bool is_gathered() const { return !joined.empty(); }
  // All shares that it takes, the one at the gathering point first.
  [[nodiscard]] std::vector<ShareLocation> shares() const;
  // Their names, in the order of the tree.
  [[nodiscard]] std::vector<std::string> letters() const;
  // "B", or "C2<C1": C1 is sent to the holder of C2 and combined there; "C1<(C2b<C2a)".
  [[nodiscard]] std::string way() const;
};

struct RestorePlan {
  std::vector<RestoreSource> sources;  // as many as the threshold, ascending by path
  [[nodiscard]] double price() const;
  [[nodiscard]] std::vector<std::string> letters() const;
};

struct RestoreWishes {
  std::set<std::string> using_letters;  // empty: any
  std::optional<SiteName> gather;       // combine nested shares only here
};

// What earlier attempts of a restore have shown.
struct RestoreTrials {
  std::set<std::string> out;            // letters of liars, and ways that failed
  std::map<std::string, int> failures;  // by letter: ways with it that failed
};

// Parses "A,C1,C2". Errors: kInvalidArgument.
[[nodiscard]] Result<std::set<std::string>> parse_letters(const std::string& text);

// What the planner looks at; references live as long as the call.
struct RestoreField {
  const PolicyNode& policy;
  const std::vector<ShareLocation>& shares;
  const Snapshot& snapshot;
  SiteName destination;
  sharing::RecordLayout records;      // of the object
  std::map<SiteName, Seen> seen;      // the exposure ledger
  std::uint64_t chunks = UINT64_MAX;  // so many of the object are to be read: what ways are for
};

// The best way for each holder of a whole share and each gathering point, cheapest first; ways over
// sites that do not answer or may not see, and ways that are out are missing.
[[nodiscard]] std::vector<RestoreSource> find_sources(const RestoreField& field,
                                                      const RestoreWishes& wishes,
                                                      const RestoreTrials& trials);

// The source that gathers the share at `path` out of exactly these, at the first of them, and each
// part that is gathered elsewhere at the first of its own; nullopt when they are not as many as it
// takes, or there is no way.
[[nodiscard]] std::optional<RestoreSource> gather_source(const RestoreField& field,
                                                         const sharing::SharePath& path,
                                                         const std::vector<ShareLocation>& parts);

// Threshold-many sources of different top shares that fit the wishes, cheapest first, each legal
// beside those before it. Where the cheaper ones leave no way to the rest, others are tried, at
// most kMaxRestorePlans times.
inline constexpr std::size_t kMaxRestorePlans = 64;
[[nodiscard]] std::optional<RestorePlan> plan_restore(const RestoreField& field,
                                                      const RestoreWishes& wishes,
                                                      const RestoreTrials& trials);

// What the sites on the ways of a source come to see, the destination left out. Each may be
// recorded more than once.
struct SourceView {
  SiteName site;
  sharing::SharePath path;
};
[[nodiscard]] std::vector<SourceView> views_of(const RestoreSource& source,
                                               const SiteName& destination);
// Whether all of them may.
[[nodiscard]] bool may_use(const RestoreField& field, const RestoreSource& source);
void add_views(std::map<SiteName, Seen>& seen, const std::vector<SourceView>& views);

// Sets of `k` of the numbers 0..prices.size()-1 in ascending order of their summed prices, at most
// `limit` of them. `prices` must ascend.
[[nodiscard]] std::vector<std::vector<std::size_t>> cheapest_sets(const std::vector<double>& prices,
                                                                  std::size_t k, std::size_t limit);

}  // namespace warifu::planner
