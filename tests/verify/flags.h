// The command line of a program behind `./run verify`: named values with a range. One file pays for
// the parser's templates instead of every program. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

namespace warifu::verify {

class Flags {
 public:
  explicit Flags(const char* about);
  ~Flags();

  void text(const char* name, std::string& value, const char* about);
  void required_text(const char* name, std::string& value, const char* about);
  // `value` is the default, and must outlive parse().
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  void number(const char* name, Number& value, const char* about, std::uint64_t least = 0,
              std::uint64_t most = static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) {
    add_number(name, about, least, most,
               [&value](std::uint64_t given) { value = static_cast<Number>(given); });
  }
  void number(const char* name, std::optional<std::uint64_t>& value, const char* about) {
    add_number(name, about, 0, std::numeric_limits<std::uint64_t>::max(),
               [&value](std::uint64_t given) { value = given; });
  }
  // With what code the program is to end at once: after --help, or a mistake, which is told.
  [[nodiscard]] std::optional<int> parse(int argc, char** argv);

 private:
  void add_number(const char* name, const char* about, std::uint64_t least, std::uint64_t most,
                  std::function<void(std::uint64_t)> set);
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace warifu::verify
