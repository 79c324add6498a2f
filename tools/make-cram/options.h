// Options: the command line, checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace warifu::make_cram {

inline constexpr double kHighestCoverage = 100000;

struct Options {
  std::string reference;
  std::string out;
  std::optional<std::string> region;
  std::optional<std::string> sites;
  std::optional<std::uint64_t> size;  // exactly one of size and coverage is set
  std::optional<double> coverage;
  std::uint64_t seed = 1;
  int threads = 1;
  bool help = false;
};

// Throws UsageError, naming the option and the value.
Options parse_options(int argc, char** argv);

const char* usage_text();

}  // namespace warifu::make_cram
