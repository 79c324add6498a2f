// Headers of genome files by a bounded parser of our own: kind, text, names of references.
//
// Only the outer shell is read here (one CRAM container, BGZF blocks, lines of text); records are
// left to the sandboxed process (genome/tool.h). Invariant: no more than kMaxHeaderText is
// inflated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "genome/index.h"

namespace warifu::genome {

inline constexpr std::uint64_t kMaxHeaderText = 64ULL << 20U;

enum class FileKind : std::uint8_t { kCram, kBam, kVcf, kBcf };
[[nodiscard]] std::string_view file_kind_name(FileKind kind);  // "CRAM"

struct Reference {
  std::string name;
  std::int64_t length = 0;  // 0: the header does not say
  std::string md5;          // M5, lower case; empty: the header does not say
};

struct Header {
  FileKind kind = FileKind::kCram;
  unsigned major = 0;  // of CRAM
  unsigned minor = 0;
  std::string text;                   // SAM or VCF header lines
  std::vector<Reference> references;  // by id
  std::uint64_t bytes = 0;            // CRAM: where the first data container starts

  // By its name, or else by other_name().
  [[nodiscard]] std::optional<std::int32_t> id_of(std::string_view name) const;
};

// From the first bytes of a file, as many as Cut::header names, or all of it. Text VCF only when it
// is compressed by bgzip, as an indexed one is. Errors: kCorrupt naming `what` and the place.
[[nodiscard]] Result<Header> parse_header(ByteView head, std::string_view what);

// The id that `index` uses for this name: a text VCF's index has names of its own. Errors:
// kNotFound naming the reference.
[[nodiscard]] Result<std::int32_t> reference_id(const Index& index, const Header& header,
                                                std::string_view name);

}  // namespace warifu::genome
