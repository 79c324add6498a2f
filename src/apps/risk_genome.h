// Base counts at a score's sites out of a genome file, by the sandboxed reader (genome/tool.h).
//
// One thread; one process for each call, gone when it returns.
#pragma once

#include "risk/score.h"

namespace warifu::apps {

struct GenomeSource {
  std::string file;   // BAM or CRAM
  std::string fasta;  // of its assembly, for CRAM that needs it; empty: none
};
// One entry for each site, its counts empty where no read covers it; sites on references that the
// file does not have are left out. Reads below quality `rules` do not count.
// Errors: kInvalidArgument when the file is of another assembly than the score; the reader's.
[[nodiscard]] Result<std::vector<risk::SiteCounts>> counts_from_genome(
    const GenomeSource& source, risk::Assembly assembly, const std::vector<risk::Site>& sites,
    const risk::GenotypeRules& rules);

}  // namespace warifu::apps
