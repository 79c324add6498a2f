// Exposure: what each site has seen of an object, and whether that tells it anything.
//
// A site sees the shares that it holds or relays, and those that travel under key that it relayed
// over a single path: on a relayed link with one path every site that may relay counts, whichever
// did this time. Key that came over several disjoint paths no single site knows; sites that stood
// on all of them together do, and that is a coalition, as two holders of shares are. A site that
// holds or relays a part of a share may gather that share, or relay the gathered one, in a later
// restore: so a part counts as its whole share one level up, and on every level above. The rule,
// for every site but the origin, which sees no parts:
//   - of every cut it has touched at most privacy() shares, itself or anything below it, unless it
//     is the site that made that cut, or one above it, and so knows all of them;
//   - it holds at most one share of the object, wherever in the tree.
// With that no site's view satisfies the policy or, for a ramp, tells a part of the secret.
// Pure functions, any thread.
#pragma once

#include <map>

#include "planner/placement.h"

namespace warifu::planner {

// The shares that one site has seen, anywhere in the tree.
using Seen = std::set<sharing::SharePath>;

// True when these shares and parts restore the object.
[[nodiscard]] bool satisfies(const PolicyNode& policy, const Seen& seen);
// True when they tell nothing at all about it: no cut gives away even a part of its secret.
[[nodiscard]] bool tells_nothing(const PolicyNode& policy, const Seen& seen);

// What every site on the routes of `shares` sees, ends included, and who knows their key; of the
// object's shares, or of the parts of `cut`.
[[nodiscard]] std::map<SiteName, Seen> views_of(const std::vector<ShareTarget>& shares,
                                                const sharing::SharePath& cut = {});

// Whether a site that has seen `seen` may also see that share under the rule. Who has seen a share
// may see its parts.
[[nodiscard]] bool may_see(const PolicyNode& policy, const Seen& seen,
                           const sharing::SharePath& share);

// The same above and at that share alone: whether a site may see anything of it, itself or a part,
// though it makes none of the cuts above. Who has seen the share whole, on its way, may.
[[nodiscard]] bool may_touch(const PolicyNode& policy, const Seen& seen,
                             const sharing::SharePath& share);

// The rule above for shares of `scheme` that were cut at `origin`. Errors: kRefused naming the site
// and what it would see.
[[nodiscard]] Result<> check_exposure(const sharing::Scheme& scheme,
                                      const std::vector<ShareTarget>& shares,
                                      const SiteName& origin);

}  // namespace warifu::planner
