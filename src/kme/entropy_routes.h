// GET /entropy for applications: the site's random numbers, in the form of the Secure Key
// Integration Protocol (draft-cisco-skip), on the server of ETSI GS QKD 014.
//
// The numbers come from the site's random pool, each byte once, and the answer says what made them.
// When the pool holds too little the request is refused; a generator takes its place only where the
// configuration says so, and the answer then names it.
#pragma once

#include "kme/etsi014_server.h"
#include "kme/random_source.h"
#include "kme/sae_gate.h"

namespace warifu::kme {

inline constexpr std::int64_t kUsualEntropyBits = 256;
inline constexpr std::int64_t kMaxEntropyBits = 1 << 20;

// What must outlive the server: all but the map.
void add_entropy_routes(http::Router& router, os::System system, RandomSource& random,
                        const SaeGate& gate, SaeMap saes);

}  // namespace warifu::kme
