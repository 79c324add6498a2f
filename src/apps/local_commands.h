// Commands that no site takes part in: share files, figures, simulations, genes.
//
// Options as values, one function per command: command_options.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/command_options.h"

namespace warifu::apps {

// Share files on this machine, without a network.
struct SplitOptions {
  std::string file, out;
  std::string scheme = "2 of 3";
  std::string random, random_origin;  // a file of random numbers and where they come from
  unsigned workers = 0;
};
[[nodiscard]] Result<> split(const Common& common, const SplitOptions& options);
struct CombineOptions {
  std::vector<std::string> shares;
  std::string record, out;
  unsigned workers = 0;
};
[[nodiscard]] Result<> combine(const Common& common, const CombineOptions& options);

struct BenchOptions {
  std::vector<std::string> only;
  std::string dir = ".";  // for scratch files
  std::string size;       // of files, instead of what each figure names
  bool quick = false, list = false, all = false;
};
[[nodiscard]] Result<> bench(const Common& common, const BenchOptions& options);

// What a network could store per day; no site takes part.
struct SimulateOptions {
  std::string network;         // file; empty: the built-in one
  std::string networks = "1";  // which draws of its rates
  std::string policies = "vaults,nearest,residual,price";
  std::string exposure = "both";   // on, off, both
  std::string directions = "own";  // own, shared
  std::string size = "16GB";       // of an object
  double days = 500, failures = 0, restores = 0;
  std::uint64_t seed = 1;
  std::size_t couriers = 0;
  std::string json, html;  // files; json "-": standard output
  bool print_network = false;
};
[[nodiscard]] Result<> simulate_network(const SimulateOptions& options);

// Where genes lie; no site takes part.
struct GenesOptions {
  std::vector<std::string> names;
  std::string build = "GRCh38";
  std::string panel, panels;  // a panel of the user's own file
  bool regions = false;       // as --region takes them
  bool bare = false;          // "17" instead of "chr17"
};
[[nodiscard]] Result<> genes(const Common& common, const GenesOptions& options);

}  // namespace warifu::apps
