// Names of error codes and the abort path.
#include "base/result.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace warifu {
namespace {
constexpr std::array<std::string_view, 15> kNames = {
    "none",    "invalid_argument", "not_found",  "already_exists", "corrupt",
    "io",      "no_space",         "out_of_key", "refused",        "unavailable",
    "timeout", "unknown_outcome",  "protocol",   "busy",           "cancelled"};
}  // namespace

std::string_view code_name(Code code) {
  return kNames.at(static_cast<std::size_t>(code));
}

Code code_from_number(std::uint8_t number) {
  if (number == 0 || number >= kNames.size()) return Code::kProtocol;
  return static_cast<Code>(number);
}

void abort_with(const char* file, int line, const char* what) {
  std::fprintf(stderr, "warifu: fatal: %s at %s:%d\n", what, file, line);
  std::abort();
}

}  // namespace warifu
