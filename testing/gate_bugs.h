// Seeded bugs of a gate's decision (gate_runs.h), as negative controls. Pure functions, any thread.
#pragma once

#include "consent/decision.h"
#include "testing/gate_runs.h"

namespace warifu::sim {

// The decision as it is with that bug; the true one where the bug is elsewhere.
[[nodiscard]] consent::DecideFunction decision_of(GateBug bug);
[[nodiscard]] consent::DecideActFunction act_decision_of(GateBug bug);

}  // namespace warifu::sim
