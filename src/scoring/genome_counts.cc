// Asks the reader twice about a file: what it is, then the bases at the sites.
#include "scoring/genome_counts.h"

#include <map>

#include "os/descriptor.h"

namespace warifu::scoring {
namespace {

risk::Observation observation_of(const genome::Observation& read) {
  constexpr std::string_view kBases = "ACGT";
  return {.base = read.base < kBases.size() ? kBases[read.base] : 'N',
          .base_quality = read.base_quality,
          .mapping_quality = read.mapping_quality,
          .is_reverse = read.reverse};
}

Result<> check_assembly(const genome::Inspection& inspection, risk::Assembly assembly,
                        const std::string& path) {
  if (inspection.assembly.empty()) return {};
  const auto known = risk::parse_assembly(inspection.assembly);
  if (known && *known == assembly) return {};
  return fail(Code::kInvalidArgument, "'" + path + "' is of " + inspection.assembly +
                                          ", the score's sites are of " +
                                          std::string(risk::assembly_name(assembly)));
}

}  // namespace

Result<genome::Task> pileup_task(const std::vector<risk::Site>& sites,
                                 const risk::GenotypeRules& rules) {
  if (sites.size() > genome::kMaxSites) {
    return fail(Code::kInvalidArgument, "the score has " + std::to_string(sites.size()) +
                                            " sites; at most " + std::to_string(genome::kMaxSites) +
                                            " can be read");
  }
  genome::Task task;
  task.operation = genome::Operation::kPileup;
  task.least_mapping_quality = rules.min_mapping_quality;
  task.least_base_quality = rules.min_base_quality;
  for (const risk::Site& site : sites) {
    task.sites.push_back({site.chromosome, static_cast<std::int64_t>(site.position) - 1});
  }
  return task;
}

Result<std::vector<risk::SiteCounts>> counts_of(const std::vector<risk::Site>& sites,
                                                const std::vector<genome::SitePileup>& pileups) {
  if (pileups.size() != sites.size()) {
    return fail(Code::kProtocol, "the reader of the genome answered for other sites");
  }
  std::vector<risk::SiteCounts> counts;
  for (std::size_t at = 0; at < sites.size(); ++at) {
    counts.push_back({.chromosome = sites[at].chromosome, .position = sites[at].position});
    for (const genome::Observation& read : pileups[at].reads) {
      counts.back().observations.push_back(observation_of(read));
    }
  }
  return counts;
}

Result<std::vector<risk::SiteCounts>> counts_from_genome(const GenomeSource& source,
                                                         risk::Assembly assembly,
                                                         const std::vector<risk::Site>& sites,
                                                         const risk::GenotypeRules& rules) {
  TRY_ASSIGN(const os::Descriptor file, os::open_for_reading(source.file));
  const genome::Input input{.descriptor = file.get(), .memory = {}};
  genome::Task look;
  look.name = source.file;
  look.reference = source.fasta;
  TRY_ASSIGN(const genome::Inspection inspection, genome::run_inspect(look, input, {}));
  TRY(check_assembly(inspection, assembly, source.file));
  std::map<std::string, std::string> names;  // "20" -> "chr20"
  for (const genome::Reference& one : inspection.references) {
    names.emplace(risk::plain_chromosome(one.name), one.name);
  }
  std::vector<risk::Site> there;
  for (const risk::Site& site : sites) {
    if (names.contains(site.chromosome)) there.push_back(site);
  }
  if (there.empty()) return std::vector<risk::SiteCounts>();
  TRY_ASSIGN(genome::Task task, pileup_task(there, rules));
  for (genome::Site& site : task.sites) site.reference = names.at(site.reference);
  task.name = source.file;
  task.reference = source.fasta;
  file.rewind();  // the reader shares the descriptor's place with us
  TRY_ASSIGN(const auto pileups, genome::run_pileup(task, input, {}));
  return counts_of(there, pileups);
}

}  // namespace warifu::scoring
