// Why a job waits or has failed, as pages tell it; and restores that ended because somebody rightly
// said no.
//
// No consent, or one that is over, was taken back or is for something else: that is what gates are
// for, and no trouble of the system. Such a job stands as refused and alerts nobody. What speaks of
// forgery, of a copied card or of damage stays a failure. Pure; any thread.
#pragma once

#include "base/reason.h"
#include "catalog/records.h"

namespace warifu::api {

// A person's own will, the calendar or a rule of the site.
[[nodiscard]] bool is_rightful(Reason refusal);
[[nodiscard]] bool was_refused(const catalog::Job& job);
// The name of the code that it failed or waits with; empty: it is not known, or all is well.
[[nodiscard]] std::string error_code(const catalog::Job& job);
// Its words, without the reason behind them.
[[nodiscard]] std::string error_message(const catalog::Job& job);
[[nodiscard]] std::string_view error_reason(const catalog::Job& job);

}  // namespace warifu::api
