// Error: the one exception type of the generator. Its text names what failed and where (file, value
// or option), because it is printed as it is and nothing is added on the way up.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace warifu::make_cram {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A mistake on the command line: reported with a pointer to --help and its own exit code.
class UsageError : public Error {
 public:
  using Error::Error;
};

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw UsageError(fmt::format(format, std::forward<Args>(args)...));
}

// The text of an errno value; 0 means that the library reported none.
std::string describe_errno(int code);

}  // namespace warifu::make_cram
