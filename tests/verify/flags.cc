// Flags by CLI11.
#include "tests/verify/flags.h"

#include <CLI/CLI.hpp>

namespace warifu::verify {

struct Flags::Parser {
  explicit Parser(const char* about) : app(about) {}
  CLI::App app;
};

Flags::Flags(const char* about) : parser_(std::make_unique<Parser>(about)) {}
Flags::~Flags() = default;

void Flags::text(const char* name, std::string& value, const char* about) {
  parser_->app.add_option(name, value, about);
}

void Flags::required_text(const char* name, std::string& value, const char* about) {
  parser_->app.add_option(name, value, about)->required();
}

void Flags::add_number(const char* name, const char* about, std::uint64_t least, std::uint64_t most,
                       std::function<void(std::uint64_t)> set) {
  parser_->app.add_option_function<std::uint64_t>(name, std::move(set), about)
      ->check(CLI::Range(least, most));
}

std::optional<int> Flags::parse(int argc, char** argv) {
  try {
    parser_->app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser_->app.exit(error);
  }
  return std::nullopt;
}

}  // namespace warifu::verify
