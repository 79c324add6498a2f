// Pieces of a reference sequence: a FASTA file with its .fai beside it, as `samtools faidx` makes
// it.
//
//   .fai := line{lines}    line := name TAB bases TAB offset TAB bases_of_a_line TAB
//   bytes_of_a_line
//
// References are public and the operator's own files, so they are read here and not in the process
// that reads genomes; what a line claims is bounded all the same. One object belongs to one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/system.h"

namespace warifu::genome {

inline constexpr std::uint64_t kMaxFaiBytes = 64ULL << 20U;
inline constexpr std::uint64_t kMaxReferencePiece = 16ULL << 20U;  // bases

class ReferenceFile {
 public:
  // Errors: kNotFound (the file or its .fai), kCorrupt naming the line.
  [[nodiscard]] static Result<ReferenceFile> open(os::FileSystem& files, const std::string& path);

  // Of the sequence with this name, or the one that the other half of the world gives it
  // (other_name); nothing when it has neither.
  [[nodiscard]] std::optional<std::uint64_t> length_of(const std::string& name) const;
  // [start, end), 0-based, cut at the end of the sequence: upper-case letters; what is no letter is
  // N. Errors: kNotFound (no such sequence), kInvalidArgument (too long), kCorrupt, kIo.
  [[nodiscard]] Result<std::string> bases(const std::string& name, std::uint64_t start,
                                          std::uint64_t end) const;

 private:
  struct Sequence {
    std::string name;
    std::uint64_t bases = 0, offset = 0, line_bases = 0, line_bytes = 0;
  };
  [[nodiscard]] const Sequence* find(const std::string& name) const;

  std::string path_;
  std::unique_ptr<os::File> file_;
  std::vector<Sequence> sequences_;
};

}  // namespace warifu::genome
