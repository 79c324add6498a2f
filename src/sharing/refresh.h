// Refresh: new shares of the same secret, so that shares of an older generation become worthless.
//
// Every share gets a share of zero added: share' = share + zero_share. The zero shares are a cut of
// the secret 0 by the same scheme under fresh randomness (form Q and the ramp: the same random D
// for everybody). (Herzberg, Jarecki, Krawczyk, Yung 1995.)
//
// What must hold, or the refresh protects nothing:
//  - The randomness is *made after* the site that was corrupted has been cleaned. Key that lay in
//    a pool while the site was corrupted is known to the attacker.
//  - A refresh is a change of generation: all shares move or none, the generation in the header
//    rises, shares of different generations never combine, the old shares are then deleted.
//  - Zero shares travel under pad, each to its own holder.
//  - Where privacy() is 1 (form Q, 2 of n, the ramp) every holder could compute D from its old and
//    its new share anyway, and one dealer is enough. With privacy() >= 2 a dealer that is
//    corrupted during the refresh knows every zero share and joins the shares of both
//    generations; so the zero shares of threshold() different dealers are added up, of which one
//    at least is honest (refresh_test.cc has the negative control).
//  - Nested shares: to add D to a share C that is held as C1, C2, C3, D must be *cut again* with
//    fresh randomness, each cloud adding its share of D. Telling the clouds D itself, so that each
//    computes its change, gives D to each of them: one cloud, A of the old and B of the new
//    generation then restore the secret (negative control in the test).
//
// Values only, any thread; constant time; nothing is allocated.
#pragma once

#include "sharing/scheme.h"

namespace warifu::sharing {

// At the holder of share `index`: share = share + zero_share, both share `index` of their sharings.
// Errors: kInvalidArgument when the scheme has no such share or the lengths differ or are no
// multiple of 32; the share is then untouched.
[[nodiscard]] Result<> refresh(const Scheme& scheme, ShareIndex index, MutableBytes share,
                               ByteView zero_share);

}  // namespace warifu::sharing
