// Small secrets that are shared whole: guarded so that a changed share shows, cut, joined again.
//
//   guarded := length:u64 zeros:8 secret zeros key:16 check:16 zeros:16     blocks of 16 bytes, an
//              odd number of them before `key`
//   check   := key^(d+2) + sum s_i key^(d+1-i)                     s_1..s_d the blocks before it
//
// The guard is the algebraic manipulation detection code of Cramer, Dodis, Fehr, Padró, Wichs
// (Eurocrypt 2008: d odd, characteristic 2): whoever changes shares, knowing the secret but not the
// key, shifts what is joined by a difference of its choice and passes with probability at most
// (d+1)/2^128. Fewer shares than the threshold tell nothing. Values only, any thread.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "os/system.h"
#include "secret/secret.h"
#include "sharing/scheme.h"

namespace warifu::sharing {

// Of all of `pieces`, one behind the other; ready for cut_guarded(). A multiple of 32 bytes.
[[nodiscard]] secret::Buffer guard(std::span<const ByteView> pieces, os::Random& random);
// The secret within `guarded`, while that lives. Errors: kCorrupt when the check fails.
[[nodiscard]] Result<ByteView> open_guarded(ByteView guarded);

// Fills a buffer with uniform numbers, each used once.
using DrawNumbers = std::function<Result<>(MutableBytes)>;
// All shares, by index, each as long as `guarded`. Errors: kInvalidArgument (the scheme; a ramp,
// whose shares tell half), those of `draw`.
[[nodiscard]] Result<std::vector<secret::Buffer>> cut_guarded(const Scheme& scheme,
                                                              ByteView guarded,
                                                              const DrawNumbers& draw);

struct GuardedShare {
  ShareIndex index = ShareIndex::kA;
  ByteView bytes;
};
struct JoinedSecret {
  secret::Buffer guarded;          // that passed its check; open_guarded() never fails on it
  std::vector<std::size_t> wrong;  // places in `shares` of those that do not fit
};
// Tries threshold-many of the shares after the other, until the check passes. Errors: kCorrupt when
// no choice passes; kInvalidArgument when there are too few.
[[nodiscard]] Result<JoinedSecret> join_guarded(const Scheme& scheme,
                                                std::span<const GuardedShare> shares);

}  // namespace warifu::sharing
