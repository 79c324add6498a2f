// Which holders a consent names, and which of its uses a restore takes: together they make a
// consent of n uses one of n restores, whoever is asked.
//
// Every gate counts for itself. Two sets of sites that restore an object and have no site in common
// would therefore count apart, and one use would be two. So of every cut of k shares a consent
// names holders of at most 2k - 1: any two sets of k of these have a share in common, in every cut
// and so, from the leaves up, in the tree (a site holds one share of an object). And uses have
// numbers, of which a gate gives each to one session (consent/decision.h): else, of 2 of 3 shares,
// two uses would be three, AB, BC and CA. Where two sessions want one number, a site in common
// refuses one. Pure but for next_use(); any thread.
#pragma once

#include <span>

#include "catalog/catalog.h"
#include "consent/grant.h"
#include "planner/policy.h"
#include "planner/restore_plan.h"
#include "store/share_header.h"

namespace warifu::control {

// Shares whose holders a consent names, out of those whose holders can be named; those that come
// first are preferred, but a cut that can be joined is to a cut that cannot. All that restores the
// object with one share of each cut missing still does, as far as the cut has shares to spare.
[[nodiscard]] std::vector<planner::ShareLocation> choose_givers(
    const planner::PolicyNode& policy, std::span<const planner::ShareLocation> willing);

// Whether a grant names more holders of the cut that made this share than it may, as far as the
// share's header knows them: of siblings that were cut again it does not.
[[nodiscard]] bool names_too_many(const store::ShareHeader& held, const consent::Grant& grant);

// A restore under a grant, by share control's book.
struct HeldUse {
  std::uint16_t use = 1;
  bool is_done = false;  // it has restored; else it may have taken the use at some site, or nowhere
};
// The use that a new restore is to ask for: the first one of those that were tried least, and none
// that has restored as long as there is another. Which of them are spent only the gates know.
[[nodiscard]] std::uint16_t pick_use(std::span<const HeldUse> held, std::uint16_t uses);
// The same by the catalog; restores under the grants of others who consent together count, too.
// Errors: the catalog's.
[[nodiscard]] Result<std::uint16_t> next_use(catalog::Catalog& catalog, const ObjectId& object,
                                             const GrantId& id, const consent::Grant& grant);

// Whether a restore under that grant has come to its end. Errors: the catalog's.
[[nodiscard]] Result<bool> has_restored(catalog::Catalog& catalog, const ObjectId& object,
                                        const GrantId& grant);

}  // namespace warifu::control
