// Exactly the records of some regions, out of the verified chunks that hold them: a complete file
// is made of these and goes through a pipe to the sandboxed process that alone decodes genomes;
// what it writes is given on as it comes. Nothing of either is on disk.
#pragma once

#include "config/site_config.h"
#include "control/chunk_window.h"
#include "genome/tool.h"

namespace warifu::control {

struct TrimWish {
  const genome::Cut& cut;
  const consent::Scope& regions;
  std::string reference;  // FASTA, for CRAM that is written against one; empty: none
  genome::Output output = genome::Output::kBam;
  std::string name;  // of the file, for messages
};

// Errors: of the window, before those of the process; kInvalidArgument, kCorrupt, kIo; the sink's.
[[nodiscard]] Result<genome::TrimReport> trim(const TrimWish& wish, ChunkWindow& window,
                                              const PlainSink& sink);

// What is written when nothing else is wished: the kind that the file is of.
[[nodiscard]] genome::Output usual_output(genome::FileKind kind);
// The format that a view keeps and reads by place: BAM of reads, else the kind of the file.
inline constexpr std::string_view kViewFormat = "view";
// Errors: kInvalidArgument: no format, or one for another kind of data.
[[nodiscard]] Result<genome::Output> output_for(const std::string& format, genome::FileKind kind);

}  // namespace warifu::control
