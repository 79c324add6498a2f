// Result<T>: a value or an Error that the caller can act on.
//
// Invariants: an Error always carries a message that names what failed and where (file, site,
// field). A new code is added only when a caller can react to it differently; numbers are part of
// the wire protocol and of the CLI's documented exit codes and are never reused.
// A broken invariant is not an Error: it aborts (see WARIFU_CHECK).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace warifu {

enum class Code : std::uint8_t {
  kInvalidArgument = 1,  // the caller's input is malformed or out of range
  kNotFound = 2,
  kAlreadyExists = 3,
  kCorrupt = 4,      // stored or received bytes fail a check
  kIo = 5,           // the operating system refused a file or socket operation
  kNoSpace = 6,      // disk full
  kOutOfKey = 7,     // not enough one-time material now; waiting may help
  kRefused = 8,      // consent, policy or exposure rule says no; retrying does not help
  kUnavailable = 9,  // a site, link, device or card is not reachable now
  kTimeout = 10,
  kUnknownOutcome = 11,  // a remote write may or may not have happened
  kProtocol = 12,        // the peer broke the protocol
  kBusy = 13,            // somebody else holds the resource
  kCancelled = 14,
};

enum class Reason : std::uint8_t;  // base/reason.h: whoever gives one includes it

struct Error {
  Code code;
  std::string message;
  Reason reason{};  // at most one word more than the code says
};

template <typename T = void>
using Result = std::expected<T, Error>;

// Stable snake_case name of a code, used in JSON and logs.
[[nodiscard]] std::string_view code_name(Code code);

// The code with this number, or kProtocol when the number is unknown (a newer peer).
[[nodiscard]] Code code_from_number(std::uint8_t number);

[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string message,
                                                 Reason reason = Reason{}) {
  return std::unexpected(Error{code, std::move(message), reason});
}

// The same error with "context: " put in front of its message.
[[nodiscard]] inline std::unexpected<Error> fail_in(std::string_view context, Error error) {
  error.message.insert(0, std::string(context).append(": "));
  return std::unexpected(std::move(error));
}

[[noreturn]] void abort_with(const char* file, int line, const char* what);

}  // namespace warifu

#define WARIFU_CONCAT_INNER(a, b) a##b
#define WARIFU_CONCAT(a, b) WARIFU_CONCAT_INNER(a, b)

// A broken invariant: stop the process before it can do harm. Stays on in release builds.
#define WARIFU_CHECK(condition)                                      \
  do {                                                               \
    if (!(condition)) [[unlikely]]                                   \
      ::warifu::abort_with(__FILE__, __LINE__, "CHECK " #condition); \
  } while (false)

// TRY(expr): returns the error of a Result to the caller; the value is dropped.
#define TRY(expr) WARIFU_TRY_AS(WARIFU_CONCAT(try_result_, __COUNTER__), (expr))
#define WARIFU_TRY_AS(name, expr)                      \
  do {                                                 \
    if (auto name = (expr); !name) [[unlikely]]        \
      return std::unexpected(std::move(name).error()); \
  } while (false)

// TRY_ASSIGN(auto x, expr): declares x from the value, or returns the error.
#define TRY_ASSIGN(declaration, expr)                                         \
  auto WARIFU_CONCAT(try_, __LINE__) = (expr);                                \
  if (!WARIFU_CONCAT(try_, __LINE__)) [[unlikely]]                            \
    return std::unexpected(std::move(WARIFU_CONCAT(try_, __LINE__)).error()); \
  declaration = std::move(*WARIFU_CONCAT(try_, __LINE__))
