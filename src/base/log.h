// The process's log: one line per event on standard error or in a file, with UTC time and level.
//
// Never given secrets, shares, pad bytes, PINs or card keys; identifiers and sizes only.
// Thread-safe after init_log.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace warifu {

enum class LogLevel { kInfo, kWarning, kError };

// `name` stands in every line (a site or device name). An empty path means standard error.
// Errors: kIo when the file cannot be opened.
[[nodiscard]] Result<> init_log(std::string_view name, const std::string& path, LogLevel least);

void log(LogLevel level, std::string_view message);

inline void log_info(std::string_view message) {
  log(LogLevel::kInfo, message);
}
inline void log_warning(std::string_view message) {
  log(LogLevel::kWarning, message);
}
inline void log_error(std::string_view message) {
  log(LogLevel::kError, message);
}

}  // namespace warifu
