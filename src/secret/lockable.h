// Whether a large secret could be held, asked before anything is spent on it: a Buffer that cannot
// be locked ends the program, which no request may be able to bring about.
//
// A look, not a promise: what others lock meanwhile is gone. Any thread.
#pragma once

#include <cstddef>

namespace warifu::secret {

// Maps so much, locks it and gives it back; false: that failed, and unlocked memory is not
// accepted.
[[nodiscard]] bool can_lock(std::size_t bytes);

}  // namespace warifu::secret
