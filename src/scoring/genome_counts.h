// Base counts at a score's sites out of a genome, by the sandboxed reader (genome/tool.h): of a
// file on this machine, or of what a restore brings together.
//
// One thread; one process for each call, gone when it returns.
#pragma once

#include "genome/tool.h"
#include "risk/score.h"

namespace warifu::scoring {

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

// What the reader is asked about these sites; it knows "20" and "chr20" by either name.
// Errors: kInvalidArgument when there are too many.
[[nodiscard]] Result<genome::Task> pileup_task(const std::vector<risk::Site>& sites,
                                               const risk::GenotypeRules& rules);
// Its answer to that, site by site. Errors: kProtocol when it is about other sites.
[[nodiscard]] Result<std::vector<risk::SiteCounts>> counts_of(
    const std::vector<risk::Site>& sites, const std::vector<genome::SitePileup>& pileups);

}  // namespace warifu::scoring
