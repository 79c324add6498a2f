// Simulator: read pairs of a person in coordinate order. Memory is bounded by the mates that wait
// for their turn, that is by the coverage times the longest fragment.
// Invariant: pair i has the same name, haplotype, length and errors for every coverage; only its
// place depends on how many pairs there are.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "contig.h"
#include "person.h"
#include "quality.h"
#include "random.h"
#include "read_names.h"

namespace warifu::make_cram {

struct Read {
  std::string name;
  std::uint16_t flags = 0;
  std::int64_t position = 0;
  std::int64_t mate_position = 0;
  std::int64_t template_length = 0;
  std::array<char, kReadLength> bases{};
  std::array<std::uint8_t, kReadLength> qualities{};
};

class Simulator {
 public:
  using Sink = std::function<void(const Read&)>;

  // The contig and the person must outlive the simulator.
  Simulator(const Contig& contig, const Person& person, std::uint64_t seed);

  // Sends exactly 2 * pairs reads to the sink, sorted by position.
  void run(const Layout& layout, std::uint64_t pairs, const Sink& sink) const;

 private:
  // A fragment and the part of the person's variants that may lie in it.
  struct Fragment {
    std::int64_t begin = 0;
    std::int64_t length = 0;
    std::uint8_t haplotype = 0;  // bit as in Variant::haplotypes
    std::size_t first_variant = 0;
  };

  static Fragment draw_fragment(Random& random, std::int64_t begin, std::size_t first_variant);
  void make_pair(Random& random, const Fragment& fragment, Read& left, Read& right) const;
  void sequence(Random& random, const Fragment& fragment, Read& read) const;

  const Contig& contig_;
  const Person& person_;
  std::uint64_t seed_;
  ReadNames names_;
  QualityModel qualities_;
};

}  // namespace warifu::make_cram
