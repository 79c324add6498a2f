// What pcsc-lite's codes mean to whoever stands at the reader. Inside this component only.
#pragma once

#include <string>

#include "base/result.h"

namespace warifu::pcsc {

// An error for a code that is not SCARD_S_SUCCESS; `where` is the reader's name or "card readers".
[[nodiscard]] Error error_of(long code, const std::string& where);

}  // namespace warifu::pcsc
