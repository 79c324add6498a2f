// ReadNames: unique Illumina style names. A pair's number is permuted over all places of a flow
// cell, so that names are unique without a memory of those given, and look unordered.
#pragma once

#include <cstdint>
#include <string>

namespace warifu::make_cram {

class ReadNames {
 public:
  explicit ReadNames(std::uint64_t seed);

  // Writes the name of pair number `index` to `name`, reusing its memory.
  void write(std::uint64_t index, std::string& name) const;

 private:
  std::uint64_t seed_;
  std::string prefix_;
};

}  // namespace warifu::make_cram
