// Regions that holders do not learn: a grant names a veil in their place, and chunks.
//
//   veil    := HMAC-SHA-256(salt, "warifu veil 1" regions)
//   opening := salt:32 regions          regions := a scope of regions without chunks (scope.h)
//
// The veil binds the person's card to the regions without telling them; without the salt, which is
// random to who does not have the opening, no guess can be tried. Share control and the terminal
// have the opening, holders have not. What hides the regions is that other chunks stand in the
// grant beside theirs (control/decoys.h). Values only; any thread.
#pragma once

#include "consent/grant.h"

namespace warifu::consent {

inline constexpr std::size_t kSaltBytes = 32;

// `scope` with a veil over its regions, which stay beside it. The salt has kSaltBytes.
[[nodiscard]] Scope veiled(Scope scope, ByteView salt);
// What opens it again, of the same scope and salt.
[[nodiscard]] Bytes opening_of(const Scope& scope, ByteView salt);

// A scope as it was read, with its regions beside the veil; without a veil the scope itself, and
// the opening has to be empty. Errors: kCorrupt when it is not the opening of that veil.
[[nodiscard]] Result<Scope> opened(Scope scope, ByteView opening);
// The other way: what a holder sees of it.
[[nodiscard]] Scope closed(Scope scope);

// A grant with its regions, if it has any. Errors: those of parse_grant() and opened().
[[nodiscard]] Result<Grant> parse_opened(ByteView grant, ByteView opening);

}  // namespace warifu::consent
