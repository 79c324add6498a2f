// When a share that waits to be deleted may go without a job that answers for it. Pure, but for the
// question that it asks.
//
// The catalog may be older than the truth (a backup, a copy after the control site burnt), so what
// it gave up may be what is left. Nothing goes before its holders say that what it counts on
// instead is there:
//   - of the object's generation: everything that stands at the share's place, or above or below
//   it;
//   - of an older one, which a refresh has replaced: so much of the new one as restores the object;
//   - of a newer one, which a refresh left that was given up: all of the old one.
// Of an object that was deleted, or never stored, everything goes.
#pragma once

#include <functional>
#include <vector>

#include "catalog/catalog.h"

namespace warifu::control {

// Whether a share that the catalog counts on is whole at its site. Errors: it does not answer.
using AskHolder = std::function<Result<bool>(const catalog::Share& counted)>;

// `rows` are all shares of the object. Errors: those of the question, kCorrupt for a policy that
// cannot be read.
[[nodiscard]] Result<bool> may_go(const catalog::Object& object,
                                  const std::vector<catalog::Share>& rows,
                                  const catalog::Share& share, const AskHolder& is_held);

}  // namespace warifu::control
