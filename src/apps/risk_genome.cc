// Asks the reader twice: what the file is, then the bases at the sites.
#include "apps/risk_genome.h"

#include <map>

#include "genome/tool.h"
#include "os/descriptor.h"

namespace warifu::apps {
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

Result<std::vector<risk::SiteCounts>> counts_from_genome(const GenomeSource& source,
                                                         risk::Assembly assembly,
                                                         const std::vector<risk::Site>& sites,
                                                         const risk::GenotypeRules& rules) {
  TRY_ASSIGN(const os::Descriptor file, os::open_for_reading(source.file));
  const genome::Input input{.descriptor = file.get(), .memory = {}};
  genome::Task task;
  task.name = source.file;
  task.reference = source.fasta;
  TRY_ASSIGN(const genome::Inspection inspection, genome::run_inspect(task, input, {}));
  TRY(check_assembly(inspection, assembly, source.file));
  std::map<std::string, std::string> names;  // "20" -> "chr20"
  for (const genome::Reference& one : inspection.references) {
    names.emplace(risk::plain_chromosome(one.name), one.name);
  }
  std::vector<risk::SiteCounts> counts;
  task.operation = genome::Operation::kPileup;
  task.least_mapping_quality = rules.min_mapping_quality;
  task.least_base_quality = rules.min_base_quality;
  for (const risk::Site& site : sites) {
    const auto name = names.find(site.chromosome);
    if (name == names.end()) continue;
    task.sites.push_back({name->second, static_cast<std::int64_t>(site.position) - 1});
    counts.push_back({.chromosome = site.chromosome, .position = site.position});
  }
  if (counts.empty()) return counts;
  if (counts.size() > genome::kMaxSites) {
    return fail(Code::kInvalidArgument, "the score has " + std::to_string(counts.size()) +
                                            " sites; at most " + std::to_string(genome::kMaxSites) +
                                            " can be read");
  }
  file.rewind();  // the reader shares the descriptor's place with us
  TRY_ASSIGN(const auto pileups, genome::run_pileup(task, input, {}));
  if (pileups.size() != counts.size()) {
    return fail(Code::kProtocol, "the reader of '" + source.file + "' answered for other sites");
  }
  for (std::size_t at = 0; at < counts.size(); ++at) {
    for (const genome::Observation& read : pileups[at].reads) {
      counts[at].observations.push_back(observation_of(read));
    }
  }
  return counts;
}

}  // namespace warifu::apps
